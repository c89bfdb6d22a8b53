import type { Mutant } from './mutants';

/** A deliberate fault in a rule that chaos does not reach, and the test that must catch it. */
export interface RuleMutant extends Mutant {
  /** A file of tests, as Jest finds it; `plugin` for the tests of the InvenTree plugin. */
  test: string;
}

const RUN_TOGETHER = 'apps/worker/src/jobs/run-together.ts';
const START_CHECKS = 'apps/worker/src/start-checks.ts';
const SYNC_SKU = 'apps/worker/src/jobs/sync-sku.ts';
const COMPARE = 'apps/worker/src/jobs/compare-systems.ts';
const DIFFERENCE = 'packages/domain/src/stock-difference.ts';
const IMPORT_ORDER = 'apps/worker/src/jobs/import-order.ts';
const RECORD_SHIPPED = 'apps/worker/src/jobs/record-shipped.ts';
const ALLOCATE = 'apps/worker/src/jobs/allocate-stock.ts';
const SALES_ORDER = 'packages/domain/src/sales-order.ts';
const UNBOOKED = 'packages/domain/src/unbooked.ts';
const ORDER_CHANGES = 'apps/worker/src/jobs/order-changes.ts';
const BOOK = 'apps/worker/src/jobs/book-shipments.ts';
const STOCK_WRITES = 'apps/worker/src/calls/stock-writes.ts';
const PASS_ON = 'apps/worker/src/jobs/pass-on-shipments.ts';
const RECEIVERS = 'packages/inventree-plugin/inventree_magento_sync/receivers.py';

/** One for each rule of a real shop. */
export const RULE_MUTANTS: readonly RuleMutant[] = [
  {
    name: 'several parts: an event during their job is forgotten',
    test: 'run-together',
    edits: [
      {
        file: RUN_TOGETHER,
        find: 'else if (following) await queues.enqueueAgain([following]);',
        replace: 'else if (following) log.debug(following.event);',
      },
    ],
  },
  {
    name: 'several parts: one that fails is dropped',
    test: 'run-together',
    edits: [
      {
        file: RUN_TOGETHER,
        find: "if (!isSynced) await queues.enqueue([{ kind: 'part', alone: true, ...one }]);",
        replace: 'if (!isSynced) log.debug(one.event);',
      },
    ],
  },
  {
    name: 'several parts: those that are done are synced again with those that wait',
    test: 'run-together',
    edits: [
      {
        file: RUN_TOGETHER,
        find: "const left = parts.filter((_, index) => ended[index]?.status === 'rejected');",
        replace: 'const left = parts.filter((_, index) => ended[index] !== undefined);',
      },
    ],
  },
  {
    name: 'several parts: a job that Redis lost still stands for them',
    test: 'deduplication',
    edits: [
      {
        file: 'packages/state/src/part-claims.ts',
        find: "if not other or redis.call('EXISTS', ARGV[2] .. other) == 0 then",
        replace: 'if not other then',
      },
    ],
  },
  {
    name: 'several parts: an event for one that is being synced merges into its job',
    test: 'deduplication',
    edits: [
      {
        file: 'packages/state/src/part-claims.ts',
        find: "redis.call('HSET', following, 'data', ARGV[i + 3])",
        replace: '',
      },
    ],
  },
  {
    name: 'several parts: what another job claimed is synced twice at the same time',
    test: 'run-together',
    edits: [
      {
        file: RUN_TOGETHER,
        find: 'const parts = claimed.filter((_, index) => isOurs[index]);',
        replace: 'const parts = claimed.filter((_, index) => isOurs[index] !== undefined);',
      },
    ],
  },
  {
    name: 'rights: the right to write is not proved at start-up',
    test: 'start-checks',
    edits: [
      {
        file: START_CHECKS,
        find: 'missingRights.push(...(await failureOf(magento.probeEmptyWrite)));',
        replace: '',
      },
    ],
  },
  {
    name: 'signatures: every store signs the path as it is sent',
    test: 'magento-client.test',
    edits: [
      {
        file: 'packages/magento-client/src/signed-calls.ts',
        find: 'if (isBadSignature(answer)) continue;',
        replace: '',
      },
    ],
  },
  {
    name: 'refusals: a read that one node refuses is not repeated',
    test: 'store-refusals',
    edits: [
      {
        file: 'packages/http-client/src/http-client.ts',
        find: '(answer.status !== 401 && answer.status !== 403) || isFinal(answer)',
        replace: 'answer.status > 0 || isFinal(answer)',
      },
    ],
  },
  {
    name: 'refusals: a wrong clock is the fault of one SKU',
    test: 'magento-client.test',
    edits: [
      {
        file: 'packages/magento-client/src/error-answers.ts',
        find: 'if (isClockRefused(status, body)) {',
        replace: 'if (isClockRefused(status, body) && status < 0) {',
      },
    ],
  },
  {
    name: 'backorders: quantity 0 ends the sale',
    test: 'store-rules',
    edits: [
      { file: DIFFERENCE, find: 'quantity > 0n || backorders }', replace: 'quantity > 0n || (backorders && false) }' },
    ],
  },
  {
    name: 'backorders: a product whose stock Magento does not manage is written',
    test: 'store-rules',
    edits: [
      { file: SYNC_SKU, find: 'if (!rules.managesStock) return', replace: 'if (!rules.managesStock && !rules) return' },
    ],
  },
  {
    name: 'undone writes: the same quantity is written for ever',
    test: 'store-rules',
    edits: [
      {
        file: 'packages/domain/src/repeated-writes.ts',
        find: 'return writes >= MAX_SAME_WRITES;',
        replace: 'return writes > 1000 * MAX_SAME_WRITES;',
      },
    ],
  },
  {
    name: 'sources: a website that sells from other sources is not named',
    test: 'start-checks',
    edits: [
      {
        file: START_CHECKS,
        find: 'return [...disabled, ...unfed];',
        replace: 'return [...disabled, ...unfed.slice(9)];',
      },
    ],
  },
  {
    name: 'sources: a disabled source is not named',
    test: 'start-checks',
    edits: [
      {
        file: START_CHECKS,
        find: 'return [...disabled, ...unfed];',
        replace: 'return [...disabled.slice(9), ...unfed];',
      },
    ],
  },
  {
    name: 'rows: a source that never had the product gets a row of 0',
    test: 'store-rules',
    edits: [{ file: DIFFERENCE, find: 'if (!now && quantity === 0n) return [];', replace: '' }],
  },
  {
    name: 'bundles: the children of a shipped bundle are forgotten',
    test: 'by-other-hands',
    edits: [
      {
        file: 'apps/worker/src/jobs/sales-documents.ts',
        find: ', ...(await childSkus(fresh))])];',
        replace: ', ...(await childSkus([]))])];',
      },
    ],
  },
  {
    name: 'products: a remembered one is trusted where the store has no row',
    test: 'changed-products',
    edits: [
      {
        file: SYNC_SKU,
        find: "store.length > 0 ? 'recent presence' : 'nothing';",
        replace: "store.length > 0 ? 'recent presence' : 'presence';",
      },
    ],
  },
  {
    name: 'products: a SKU in another case is another SKU',
    test: 'skus.test',
    edits: [
      {
        file: 'packages/domain/src/sku.ts',
        find: "replace(/ +$/, '').toLowerCase();",
        replace: "replace(/ +$/, '');",
      },
    ],
  },
  {
    name: 'shared SKUs: one more part of a SKU replaces the others',
    test: 'packages/state/test/parts',
    edits: [
      {
        file: 'packages/state/src/parts-of-skus.ts',
        find: "redis.call('HSET', bucket, sku, parts .. part .. checked)",
        replace: "redis.call('HSET', bucket, sku, part .. checked)",
      },
    ],
  },
  {
    name: 'upgrade: what an earlier version remembered replaces what is newer',
    test: 'packages/state/test/parts',
    edits: [
      {
        file: 'packages/state/src/earlier-parts.ts',
        find: 'known[index] ? undefined',
        replace: 'known[index] && index < 0 ? undefined',
      },
    ],
  },
  {
    name: 'not sold online: it is said at every event',
    test: 'store-rules',
    edits: [
      {
        file: SYNC_SKU,
        find: "const level = known?.outcome === 'skipped' ? 'debug' : levelOf(job);",
        replace: 'const level = levelOf(job);',
      },
    ],
  },
  {
    name: 'lists: a list shorter than its own count is the truth',
    test: 'inventree-client.test',
    edits: [
      {
        file: 'packages/inventree-client/src/connection.ts',
        find: 'isWhole: new Set(counts).size === 1 && rows.size === count,',
        replace: 'isWhole: rows.size >= 0,',
      },
    ],
  },
  {
    name: 'lists: one that changes while it is paged is an outage',
    test: 'inventree-client.test',
    edits: [
      {
        file: 'packages/inventree-client/src/connection.ts',
        find: 'const READINGS = 3;',
        replace: 'const READINGS = 1;',
      },
    ],
  },
  {
    name: 'revisions: several parts with one SKU are always ambiguous',
    test: 'gone-parts',
    edits: [
      {
        file: 'packages/domain/src/sku.ts',
        find: 'return active.length > 0 ? active : [...parts];',
        replace: 'return active.length > 1_000 ? active : [...parts];',
      },
    ],
  },
  {
    name: 'gone parts: the store goes on selling what was deleted',
    test: 'gone-parts',
    edits: [
      {
        file: 'apps/worker/src/jobs/leave-sku.ts',
        find: "if (deps.onPartGone === 'keep') return",
        replace: 'if (deps.onPartGone.length > 0) return',
      },
    ],
  },
  {
    name: 'gone parts: many may fall to zero at once',
    test: 'gone-parts',
    edits: [
      {
        file: 'packages/domain/src/mass-zero-guard.ts',
        find: 'return falling > ALWAYS_ALLOWED && falling',
        replace: 'return falling > 1_000_000 && falling',
      },
    ],
  },
  {
    name: 'locations: an unknown location counts as empty',
    test: 'start-checks',
    edits: [
      {
        file: 'apps/worker/src/offer-rules.ts',
        find: 'if (unknown.length === 0) return;',
        replace: 'if (unknown.length >= 0) return;',
      },
    ],
  },
  {
    name: 'the plugin: its failure for another host name is an outage of one part',
    test: 'inventree-client.test',
    edits: [
      {
        file: 'packages/inventree-client/src/plugin-reads.ts',
        find: "body.includes('INVE-E7')",
        replace: "body.includes('INVE-E7!')",
      },
    ],
  },
  {
    name: 'instances: webhooks of a copy of InvenTree are accepted',
    test: 'webhook.test',
    edits: [
      {
        file: 'apps/ingest/src/handlers/receive-webhook.ts',
        find: 'if (known.id === instance.id) return undefined;',
        replace: 'if (known.id.length > 0) return undefined;',
      },
    ],
  },
  {
    name: 'given up: it is tried again at every reconcile',
    test: 'store-rules',
    edits: [{ file: COMPARE, find: 'return !isGivenUp || ', replace: 'return isGivenUp || !isGivenUp || ' }],
  },
  {
    name: 'bounds: a reconcile enqueues whatever it finds',
    test: 'compare-systems',
    edits: [
      {
        file: COMPARE,
        find: 'const now = differing.slice(0, Math.max(0, MAX_ENQUEUED - enqueued));',
        replace: 'const now = differing.slice(0, Math.max(0, 100 * MAX_ENQUEUED - enqueued));',
      },
    ],
  },
  {
    name: 'bounds: "everything changed" compares both systems',
    test: 'webhook.test',
    edits: [
      {
        file: 'apps/ingest/src/event-jobs.ts',
        find: "return [{ kind: 'sweep', event, webhook, everything: true }];",
        replace: "return [{ kind: 'reconcile', event, webhook }];",
      },
    ],
  },
  {
    name: 'safety stock: a fraction is left over',
    test: 'decisions',
    edits: [
      {
        file: 'packages/domain/src/stock-for-sale.ts',
        find: 'rules.allowDecimals ? toMagentoPlaces(packs) : wholeUnits(packs)',
        replace: 'toMagentoPlaces(packs)',
      },
    ],
  },
  {
    name: 'monitoring: it waits for Redis',
    test: 'redis-frozen',
    edits: [
      {
        file: 'packages/service/src/http-server.ts',
        find: 'const PATIENCE_MS = 800;',
        replace: 'const PATIENCE_MS = 800_000;',
      },
    ],
  },
  {
    name: 'ports: the status is on the webhook port',
    test: 'webhook.test',
    edits: [
      {
        file: 'apps/ingest/src/routes.ts',
        find: "application.all('/webhooks/inventree', answerMethod('POST'));",
        replace: `application.all('/webhooks/inventree', answerMethod('POST'));
  application.get('/status', (_request, response) => void response.json({}));`,
      },
    ],
  },
  {
    name: 'secrets: the one of the example is accepted',
    test: 'deployment',
    edits: [
      {
        file: 'packages/service/src/settings.ts',
        find: '!text.includes(EXAMPLE_SECRET)',
        replace: 'text.length > 0 || !text.includes(EXAMPLE_SECRET)',
      },
    ],
  },
  {
    name: 'Redis: that it evicts keys is not named',
    test: 'redis-problems',
    edits: [
      {
        file: 'packages/state/src/redis-problems.ts',
        find: "found.policy !== 'noeviction'",
        replace: "found.policy === ''",
      },
    ],
  },
  {
    name: 'retries: a write is repeated without permission',
    test: 'http-client.test',
    edits: [
      {
        file: 'packages/http-client/src/http-client.ts',
        find: "...(direction === 'write' && { 'axios-retry': { retries: 0 } }),",
        replace: '',
      },
    ],
  },
  {
    name: 'clocks: times of two machines are compared',
    test: 'clocks',
    edits: [
      {
        file: 'packages/state/src/connection.ts',
        find: 'Math.round(Date.now() + differenceMs)',
        replace: 'Math.round(Date.now() + 0 * differenceMs)',
      },
    ],
  },
  {
    name: 'the plugin: a transaction on a second connection ends the first',
    test: 'plugin',
    edits: [
      {
        file: RECEIVERS,
        find: '    return _Transaction()\n',
        replace: '    _pending.only = _pending.__dict__.get("only") or _Transaction()\n    return _pending.only\n',
      },
    ],
  },
  {
    name: 'the plugin: a lock stays held after a fork',
    test: 'plugin',
    edits: [
      {
        file: 'packages/inventree-plugin/inventree_magento_sync/sending.py',
        find: 'os.register_at_fork(after_in_child=at_once.__init__)\n',
        replace: '',
      },
    ],
  },
  {
    name: 'rules: a part that is not sold online any more stays for sale',
    test: 'shop-rules',
    edits: [
      {
        file: 'apps/worker/src/jobs/sync-part.ts',
        find: "const skus = offer && 'skus' in offer ? offer.skus : [];",
        replace: "const skus = offer && 'skus' in offer ? offer.skus : skusIn(before);",
      },
    ],
  },
  {
    name: 'rules: each part writes its own share of a sum',
    test: 'shop-rules',
    edits: [
      {
        file: SYNC_SKU,
        find: 'const forSale = first?.pk === id ? sumOfTargets(counting.map(one => one.target)) : own;',
        replace: 'const forSale = first?.pk === -id ? sumOfTargets(counting.map(one => one.target)) : own;',
      },
    ],
  },
  {
    name: 'rules: other ones are not announced',
    test: 'shop-rules',
    edits: [
      {
        file: 'apps/worker/src/jobs/reconcile.ts',
        find: 'for (const line of changes.lines(report)) log.warn(line);',
        replace: 'for (const line of changes.lines(report)) log.debug(line);',
      },
    ],
  },
  {
    name: 'rules: what is below an excluded location counts',
    test: 'rules-property',
    edits: [
      {
        file: 'packages/domain/src/location-roles.ts',
        find: 'if (path.some(at => excluded.has(at)))',
        replace: 'if (excluded.has(id))',
      },
    ],
  },
  {
    name: 'rules: an older plugin is believed',
    test: 'inventree-client.test',
    edits: [
      {
        file: 'packages/inventree-client/src/plugin-reads.ts',
        find: 'if (!isOld) return;',
        replace: 'if (!isOld || isOld) return;',
      },
    ],
  },
  {
    name: 'orders: sales orders are not searched where the ledger is lost',
    test: 'orders.test',
    edits: [
      {
        file: IMPORT_ORDER,
        find: '.find(one => one.customer === customer);',
        replace: '.find(() => customer === -1);',
      },
    ],
  },
  {
    name: 'orders: the number of another customer is taken for the own one',
    test: 'orders.test',
    edits: [
      {
        file: IMPORT_ORDER,
        find: '.find(one => one.customer === customer);',
        replace: '.find(() => customer !== -1);',
      },
    ],
  },
  {
    name: 'orders: an extra line is sent again after a call without an answer',
    test: 'orders.test',
    edits: [{ file: 'apps/worker/src/jobs/extra-lines.ts', find: "extraLines[key] = 'sent';", replace: '' }],
  },
  {
    name: 'orders: one from before the first day is imported',
    test: 'orders.test',
    edits: [
      {
        file: IMPORT_ORDER,
        find: 'before.isLeft : order.createdAt < since',
        replace: 'before.isLeft : order.createdAt < since && false',
      },
    ],
  },
  {
    name: 'orders: one that changed twice in a second is looked at once',
    test: 'orders.test',
    edits: [
      {
        file: RECORD_SHIPPED,
        find: 'readAt - firstAt >= SECOND_LOOK_MS',
        replace: 'readAt - firstAt >= 0 * SECOND_LOOK_MS',
      },
    ],
  },
  {
    name: 'orders: a line is added although there is one',
    test: 'sales-order',
    edits: [{ file: SALES_ORDER, find: 'if (!found && quantity > 0)', replace: 'if (quantity > 0)' }],
  },
  {
    name: 'orders: a bundle has a line of its own',
    test: 'sales-order',
    edits: [{ file: SALES_ORDER, find: "return productType !== 'bundle';", replace: "return productType !== '';" }],
  },
  {
    name: 'orders: what InvenTree has shipped is cancelled',
    test: 'sales-order',
    edits: [
      { file: SALES_ORDER, find: "shippedAlready.length > 0 ? [] : [{ do: 'cancel' }]", replace: "[{ do: 'cancel' }]" },
    ],
  },
  {
    name: 'orders: what Magento has shipped is put back',
    test: 'order-stock',
    edits: [{ file: UNBOOKED, find: 'return isCancelled ? 0 : ahead;', replace: 'return isCancelled ? 0 : 0;' }],
  },
  {
    name: 'orders: what Magento still reserves is forgotten',
    test: 'order-stock',
    edits: [{ file: UNBOOKED, find: 'return Math.min(ahead, toShip);', replace: 'return Math.min(0, toShip);' }],
  },
  {
    name: 'orders: what InvenTree has shipped counts on after the order is cancelled',
    test: 'order-stock',
    edits: [{ file: UNBOOKED, find: 'return Math.min(ahead, toShip);', replace: 'return Math.max(ahead, toShip);' }],
  },
  {
    name: 'orders: stock is written without a look at the orders',
    test: 'order-stock',
    edits: [
      {
        file: STOCK_WRITES,
        find: 'unbooked === undefined ? undefined',
        replace: "unbooked === undefined || sku !== '' ? undefined",
      },
    ],
  },
  {
    name: 'orders: stock is written before the orders are known again',
    test: 'order-stock',
    edits: [{ file: ORDER_CHANGES, find: 'before !== undefined && state', replace: 'state' }],
  },
  {
    name: 'orders: an order is shipped once more for each shipment of before',
    test: 'order-stock',
    edits: [
      { file: PASS_ON, find: '(sent.get(item) ?? 0) - shipped)', replace: '(sent.get(item) ?? 0) - 0 * shipped)' },
    ],
  },
  {
    name: 'orders: a shipment without an answer is repeated at once',
    test: 'order-stock',
    edits: [
      { file: PASS_ON, find: 'if (begun && now() - begun.at < deps.carriedOutMs)', replace: 'if (begun && false)' },
    ],
  },
  {
    name: 'orders: what InvenTree has shipped is booked once more',
    test: 'order-stock',
    edits: [{ file: BOOK, find: ' * packSize - (booked.get(item) ?? 0)]', replace: ' * packSize]' }],
  },
  {
    name: 'orders: an allocation without an answer is repeated at once',
    test: 'order-stock',
    edits: [{ file: BOOK, find: 'if (before !== undefined && ', replace: 'if (before === -1 && ' }],
  },
  {
    name: 'orders: stock is allocated once more at each look',
    test: 'order-allocation',
    edits: [
      {
        file: ALLOCATE,
        find: 'Math.max(shipped, allocatedTo(line, allocations))',
        replace: 'Math.max(shipped, 0 * allocatedTo(line, allocations))',
      },
    ],
  },
  {
    name: 'orders: an allocation to a sales order without an answer is repeated at once',
    test: 'order-allocation',
    edits: [{ file: ALLOCATE, find: 'if (begunAt !== undefined && ', replace: 'if (begunAt === -1 && ' }],
  },
  {
    name: 'orders: stock that comes is not allocated to those that wait',
    test: 'order-allocation',
    edits: [
      {
        file: ALLOCATE,
        find: 'units.set(part, (units.get(part) ?? 0) + quantity);',
        replace: 'units.set(part, 0 * quantity);',
      },
    ],
  },
  {
    name: 'orders: stock that comes is allocated to whoever is ready first',
    test: 'order-allocation',
    edits: [{ file: ALLOCATE, find: '.filter(id => id < order)', replace: '.filter(id => id < 0 * order)' }],
  },
  {
    name: 'orders: stock is kept for an order that the store has no longer',
    test: 'order-allocation',
    edits: [
      { file: 'apps/worker/src/jobs/import-order.ts', find: 'await deps.allocateStock?.forget(id);', replace: '' },
    ],
  },
  {
    name: 'orders: stock is kept for a dead letter',
    test: 'order-allocation',
    edits: [{ file: ALLOCATE, find: 'return isDeadLetter ? 0', replace: 'return isDeadLetter && id < 0 ? 0' }],
  },
  {
    name: 'orders: stock is kept for an order on hold',
    test: 'order-allocation',
    edits: [
      {
        file: ALLOCATE,
        find: 'await forget(order.id);',
        replace: '',
      },
    ],
  },
  {
    name: 'orders: stock is allocated from any source',
    test: 'order-allocation',
    edits: [
      {
        file: 'packages/domain/src/stock-picks.ts',
        find: '.find(({ missing }) => missing.length === 0);',
        replace: '.find(({ missing }) => missing.length < 0);',
      },
    ],
  },
  {
    name: 'orders: what is unbooked counts at the first source',
    test: 'order-allocation',
    edits: [{ file: UNBOOKED, find: 'const taken = Math.min(rest, ', replace: 'const taken = Math.min(0 * rest, ' }],
  },
  {
    name: 'orders: a shipment is deducted at another source than it came from',
    test: 'order-allocation',
    edits: [
      { file: PASS_ON, find: 'const only = now() - since < ENOUGH_MS / 2', replace: 'const only = now() - since < 0' },
    ],
  },
  {
    name: 'orders: what expires last is sent first',
    test: 'unbooked',
    edits: [
      {
        file: 'packages/domain/src/stock-picks.ts',
        find: '(first.expiresOn ?? NEVER).localeCompare(second.expiresOn ?? NEVER)',
        replace: '(second.expiresOn ?? NEVER).localeCompare(first.expiresOn ?? NEVER)',
      },
    ],
  },
  {
    name: 'orders: a source that has too little is not raised before the shipment',
    test: 'order-stock',
    edits: [
      {
        file: PASS_ON,
        find: 'return [...sources].find(source =>',
        replace: 'return [...sources].find(source => source !== "" ||',
      },
    ],
  },
];
