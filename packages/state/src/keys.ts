/** The prefix of all keys where REDIS_PREFIX is not set. */
export const DEFAULT_PREFIX = 'stock-sync';

/**
 * Every key that we have in Redis; docs/redis.md says what each of them holds. All of them share the prefix as a hash
 * tag (`{stock-sync}:parts`): so one Redis can serve several shops, and Redis Cluster keeps all keys of a shop in one
 * slot.
 */
export function keysFor(prefix: string) {
  const key = (name: string) => `{${prefix}}:${name}`;
  return {
    /** What BullMQ puts before the names of our queues. */
    queuePrefix: key('queue'),
    backingOff: key('backing-off'),
    partsInJobs: key('parts-in-jobs'),
    parts: (bucket: number) => key(`parts:${bucket}`),
    partBuckets: key('part-buckets'),
    skus: (bucket: number) => key(`skus:${bucket}`),
    products: (bucket: number) => key(`products:${bucket}`),
    stockItems: (bucket: number) => key(`stock-items:${bucket}`),
    fencingToken: (part: number) => key(`fencing-token:${part}`),
    skuLock: (sku: string) => key(`sku-lock:${sku}`),
    semaphore: (name: string) => key(`semaphore:${name}`),
    breaker: (name: string) => key(`breaker:${name}`),
    canarySkus: key('canary-skus'),
    cursor: (name: string) => key(`cursor:${name}`),
    lastSweep: key('last-sweep'),
    lastReconcile: key('last-reconcile'),
    report: (id: string) => key(`report:${id}`),
    answer: (id: string) => key(`answer:${id}`),
    alerts: key('alerts'),
    reconcileProgress: key('reconcile-progress'),
    activity: (startMs: number) => key(`activity:${startMs}`),
    session: (id: string) => key(`session:${id}`),
    sessionSecret: key('session-secret'),
    history: key('history'),
    latestHistory: (subject: string) => key(`latest-history:${subject}`),
    settings: key('settings'),
    rules: key('rules'),
    startProblems: key('start-problems'),
    locationsVersion: key('locations-version'),
    instance: key('instance'),
    pluginHeartbeat: key('plugin-heartbeat'),
    webhookId: (id: string) => key(`webhook:${id}`),
    order: (order: number) => key(`order:${order}`),
    orders: key('orders'),
    ordersThisMinute: key('orders-this-minute'),
    salesOrder: (salesOrder: number) => key(`sales-order:${salesOrder}`),
    unbooked: key('unbooked'),
    shortOrders: key('short-orders'),
    migration: key('migration'),
    /** What earlier versions remembered of parts in keys of another kind; a migration moves it. */
    earlier: { parts: key('parts'), products: key('products'), partsWithSku: (sku: string) => key(`sku:${sku}`) },
  };
}

export type Keys = ReturnType<typeof keysFor>;
