import { orderNext, type OrderRecord } from '@stock-sync/state';
import { skuHref, Time } from './layout';

/** The most orders that are looked at. */
export const MOST_ORDERS = 500;

/** Orders of the store, where they are in both systems, and what is next. */
export function OrdersPage({ records, isUnbookedOnly }: { records: readonly OrderRecord[]; isUnbookedOnly: boolean }) {
  return (
    <>
      <h1>Orders</h1>
      <nav class="lists" aria-label="Lists">
        <a href="/orders" aria-current={isUnbookedOnly ? undefined : 'page'}>
          All
        </a>
        <a href="/orders?list=unbooked" aria-current={isUnbookedOnly ? 'page' : undefined}>
          Shipped in one system only
        </a>
      </nav>
      {records.length === 0 ? (
        <p>
          {isUnbookedOnly
            ? 'Both systems have shipped the same.'
            : 'No order was imported: the workers do that with the setting ORDERS.'}
        </p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Orders">
          <table>
            <thead>
              <tr>
                <th scope="col">Order</th>
                <th scope="col">In Magento</th>
                <th scope="col">In InvenTree</th>
                <th scope="col">SKUs</th>
                <th scope="col">Next</th>
                <th scope="col">Time (UTC)</th>
              </tr>
            </thead>
            <tbody>
              {records.map(record => (
                <OrderRow record={record} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function OrderRow({ record }: { record: OrderRecord }) {
  const { incrementId, reference, followed, booked, at } = record;
  return (
    <tr>
      <td>{incrementId}</td>
      <td>{followed?.state ?? 'not read yet'}</td>
      <td>{reference || 'no sales order'}</td>
      <td>
        {booked?.skus.map((sku, index) => (
          <>
            {index > 0 && ', '}
            <a href={skuHref(sku)}>{sku}</a>
          </>
        ))}
      </td>
      <td>{orderNext(record)}</td>
      <td>
        <Time at={at} />
      </td>
    </tr>
  );
}
