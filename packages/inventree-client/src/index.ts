export { createInvenTreeClient, type InvenTreeClient } from './reader';
export type { InvenTreeClientOptions, PartStock, PartIdentity, StockAtLocation } from './inventree-client';
