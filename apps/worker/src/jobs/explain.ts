import { explainStock, formatStoreStock, targetQuantities, type Offer } from '@stock-sync/domain';
import { errorMessage } from '@stock-sync/service';
import { openExplanations, type Explanation, type JobOf, type Parts, type RedisConnection } from '@stock-sync/state';
import type { PartReads } from '../calls/part-reads';
import type { SkuLookups } from '../calls/sku-lookups';
import type { StoreReads } from '../calls/store-reads';
import type { Connections } from '../connections';
import { WrongParameterError } from './job-errors';
import type { OrderStock } from './order-changes';

/**
 * The handler of `explain`: reads a part, or the parts with a SKU, and what the store shows now, and says how the
 * quantity is made up. It changes nothing.
 */
export function createExplain(deps: {
  connections: Pick<Connections, 'inventree' | 'offerRules'>;
  connection: RedisConnection;
  partReads: PartReads;
  skuLookups: SkuLookups;
  storeReads: StoreReads;
  parts: Parts;
  /** Undefined where orders are off. */
  orders: Pick<OrderStock, 'unbooked'> | undefined;
}) {
  const { offerRules, inventree } = deps.connections;

  return {
    async run({ subject, report }: JobOf<'explain'>): Promise<void> {
      const answer = openExplanations(deps.connection, report);
      try {
        const ids = await partsOf(subject);
        if (ids.length === 0) {
          await answer.send({ failure: `No part has SKU, id, name or IPN '${subject}'` });
          return;
        }
        await answer.send({ explanations: (await Promise.all(ids.map(explain))).flat() });
      } catch (error) {
        // Not repeated: the operator is watching.
        await answer.send({ failure: errorMessage(error) });
      }
    },
  };

  /** A number may be the id of a part or a SKU. Where neither is known, it may be a name or an IPN. */
  async function partsOf(subject: string): Promise<number[]> {
    const withSku = await deps.skuLookups.find(subject);
    if (withSku.length > 0) return withSku;
    const id = Number(subject);
    if (Number.isSafeInteger(id) && id > 0 && (await inventree.hasPart(id))) return [id];
    const named = await Promise.all([inventree.partsNamed('name', [subject]), inventree.partsNamed('IPN', [subject])]);
    return [...new Set(named.flat().map(({ pk }) => pk))];
  }

  async function explain(id: number): Promise<Explanation[]> {
    const part = await deps.partReads.load(id, true);
    if (!part) return [];
    const offer = await offerRules.offerOf(part);
    const [before] = await deps.parts.get([id]);
    const skus = 'skus' in offer ? offer.skus : [];
    return [
      {
        part: id,
        name: part.name,
        skus: [...skus],
        quantity: quantityOf(id, offer),
        ...(offer.kind === 'offered' && { target: targetQuantities(offer.stock.target) }),
        store: await Promise.all(skus.map(storeOf)),
        ...(before && { lastSync: { outcome: before.outcome, at: before.at } }),
      },
    ];
  }

  async function storeOf(sku: string): Promise<Explanation['store'][number]> {
    const [parts, unbooked] = await Promise.all([deps.skuLookups.find(sku), deps.orders?.unbooked()]);
    const known = {
      sku,
      parts,
      ...(unbooked && Object.keys(unbooked.of(sku)).length > 0 && { unbooked: unbooked.of(sku) }),
    };
    try {
      return { ...known, shows: formatStoreStock(await deps.storeReads.load(sku, true)) };
    } catch (error) {
      return { ...known, shows: `unknown (${errorMessage(error)})` };
    }
  }
}

function quantityOf(part: number, offer: Offer): string {
  if (offer.kind === 'offered') return explainStock(offer.stock);
  if (offer.kind === 'wrong parameter') return new WrongParameterError(part, offer.wrong).message;
  return `not sold online: the part ${offer.reason}`;
}
