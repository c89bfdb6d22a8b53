export { createInvenTreeClient, type InvenTreeClient } from './reader';
export type { InvenTreeClientOptions, PartStock, PartIdentity } from './inventree-client';
