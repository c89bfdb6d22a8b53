import type { PickableItem } from '@stock-sync/domain';
import type { StockRow } from '@stock-sync/inventree-client';
import type { PartReads } from '../calls/part-reads';
import type { Connections } from '../connections';

/** The stock items of a part that count as for sale, by its id. Rejects with a CallError. */
export type PickableStock = (part: number) => Promise<PickableItem[]>;

export function createPickableStock(deps: { connections: Connections; partReads: PartReads }): PickableStock {
  const { inventree, offerRules } = deps.connections;
  return async id => {
    const [part, stock] = await Promise.all([deps.partReads.load(id), inventree.salesOrders.stockOf(id)]);
    if (!part) return [];
    const found = await Promise.all(
      stock.map(async (row): Promise<PickableItem[]> => {
        const offer = await offerRules.offerOf({ ...part, stock: [stockAlone(row)] });
        if (offer.kind !== 'offered' || offer.stock.leftOut.size > 0) return [];
        const sources = offer.stock.target.filter(({ quantity }) => quantity > 0n).map(({ sourceCode }) => sourceCode);
        return [{ id: row.id, available: row.quantity - row.allocated, expiresOn: row.expiresOn, sources }];
      }),
    );
    return found.flat();
  };
}

function stockAlone({ location, quantity, status, isExpired }: StockRow) {
  return { location, inStock: String(quantity), allocated: '0', status, isExpired };
}
