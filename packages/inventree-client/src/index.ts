export { createInvenTreeClient, type InvenTreeClient, type StockPage, type TrackedChange } from './inventree-client';
export { PLUGIN_BATCH } from './plugin-reads';
export type { InvenTreeClientOptions } from './connection';
export type { PartStock, PartIdentity } from './part-stock';
