import { isUnbooked, type OrderLedger } from '@stock-sync/state';
import type { RequestHandler } from 'express';
import { renderPage } from '../pages/layout';
import { MOST_ORDERS, OrdersPage } from '../pages/orders';
import { field, pageFrame } from './page-frame';

/** GET /orders: the latest orders of the store, or those that only one of the two systems has shipped. */
export function showOrders({ orderLedger }: { orderLedger: OrderLedger }): RequestHandler {
  return async (request, response) => {
    const isUnbookedOnly = field(request.query, 'list') === 'unbooked';
    const records = (await orderLedger.latest(MOST_ORDERS)).filter(
      record => !record.isLeft && (!isUnbookedOnly || isUnbooked(record)),
    );
    const page = <OrdersPage records={records} isUnbookedOnly={isUnbookedOnly} />;
    response.send(renderPage('Orders', pageFrame(request, response), page, { isLive: true }));
  };
}
