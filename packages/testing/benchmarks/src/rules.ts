import { startLargeShop, watched } from './large-shop';

const PARTS = 200_000;

/** Every rule at once, by which these parts have the same quantity as without any. */
const ALL_RULES = {
  SYNC_PARTS: 'salable',
  SYNC_CATEGORIES: '1',
  SYNC_PARAMETER: 'Web shop=yes',
  SOURCE_MAP: '{"default":[1]}',
  EXCLUDE_LOCATIONS: '3',
  COUNT_EXTERNAL: 'false',
  COUNT_EXPIRED: 'false',
  COUNT_STATUSES: 'OK,Returned',
  STOCK_BASIS: 'unallocated',
  COUNT_BUILDABLE: 'true',
  TEMPLATE_TOTAL: 'true',
  SAFETY_STOCK_PARAMETER: 'Safety',
  PACK_SIZE_PARAMETER: 'Pack size',
};

/** What the rules cost: a sweep over a large shop without any rule, and with all of them. */
export async function benchRules(redisUrl: string): Promise<void> {
  const system = await startLargeShop(redisUrl, PARTS, 200);
  const { shop } = system.inventree;
  shop.addLocation('Main', { pk: 1 });
  shop.addLocation('Box', { pk: 2, parent: 1 });
  shop.addLocation('Repair', { pk: 3 });
  shop.categories.set(1, null).set(2, 1);
  const values = { 'Web shop': 'yes', Safety: '0', 'Pack size': '1' };
  for (const [index, name] of Object.keys(values).entries()) shop.templates.set(index, { pk: index, name });
  for (const part of shop.parts.values()) {
    part.category = 2;
    for (const [index, data] of Object.values(values).entries()) {
      shop.parameters.push({ pk: shop.parameters.length + 1, template: index, part: part.pk, data });
    }
  }
  for (const item of shop.items.values()) item.location = 2;

  const took: number[] = [];
  for (const [what, interval, rules] of [
    ['without rules', '3600', {}],
    // Another interval, so that a sweep is due at once.
    ['with all rules', '3601', ALL_RULES],
  ] as const) {
    // Each worker for itself: other settings than the last ones would start a reconcile.
    await system.database.redis.del('{stock-sync}:rules', '{stock-sync}:settings', '{stock-sync}:last-sweep');
    const worker = await system.startWorker({ SWEEP_INTERVAL_SECONDS: interval, ENABLE_SYNC: 'false', ...rules });
    const { seconds, before, most } = await watched(worker, 'stock_sync_sweep_seconds');
    await worker.stop();
    took.push(seconds);
    console.log(
      `sweep of ${PARTS.toLocaleString('en')} parts ${what}: ${seconds.toFixed(1)} s; ` +
        `worker ${before} MiB before, ${most} MiB at most`,
    );
  }
  const [none = 0, all = 0] = took;
  console.log(`sweep with all rules: ${(all / none).toFixed(2)} x the time of one without`);
  await system.stop();
}
