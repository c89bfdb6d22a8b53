import type { Route, FakeAnswer } from '../fake-http-server';
import * as actions from './order-actions';
import { itemRow } from './rows';
import type { InvenTreeShop } from './shop';

const created = (body: unknown): FakeAnswer => ({ status: 201, body });
/** The answer to a request that the background worker carries out. */
const task = (): FakeAnswer => ({
  status: 200,
  body: {
    task_id: '856a33fb961a4c9487d2b42f928cb95e',
    exists: true,
    pending: true,
    complete: false,
    success: false,
    http_status: 200,
  },
});

/** The routes of purchase, sales and build orders. */
export function orderRoutes(shop: InvenTreeShop): Route[] {
  const first = (captured: string[]) => Number(captured[0]);
  return [
    {
      method: 'POST',
      path: /^\/api\/order\/po\/(\d+)\/receive\/$/,
      handle: ({ body, captured }) => {
        const { items } = body as {
          items: { line_item: number; location: number; quantity: number; serial_numbers?: string }[];
        };
        const lines = items.map(({ line_item, location, quantity, serial_numbers }) => ({
          line: line_item,
          location,
          quantity,
          serials: serial_numbers?.split(','),
        }));
        const received = actions.receive(shop, first(captured), lines);
        return created(received.map(item => itemRow(shop, item, { part: true })));
      },
    },
    {
      method: 'POST',
      path: /^\/api\/build\/(\d+)\/create-output\/$/,
      handle: ({ body, captured }) => {
        const output = actions.createOutput(shop, first(captured), (body as { quantity: number }).quantity);
        return created([itemRow(shop, output, { part: true })]);
      },
    },
    {
      method: 'POST',
      path: /^\/api\/build\/(\d+)\/complete\/$/,
      handle: ({ body, captured }) => {
        const { outputs, location, status, ...rest } = body as {
          outputs: { output: number }[];
          location: number;
          status: number;
        };
        for (const { output } of outputs) {
          const item = shop.items.get(output);
          if (item) actions.completeOutput(shop, first(captured), item, location, status);
        }
        return created({ outputs, location, status_custom_key: status, ...rest });
      },
    },
    {
      method: 'POST',
      path: /^\/api\/build\/(\d+)\/consume\/$/,
      handle: ({ captured }) => {
        actions.consume(shop, first(captured));
        return task();
      },
    },
    {
      method: 'POST',
      path: /^\/api\/build\/(\d+)\/finish\/$/,
      handle: ({ body, captured }) => {
        actions.finish(shop, first(captured));
        return created(body);
      },
    },
  ];
}
