export {
  createInvenTreeClient,
  type AboutInvenTree,
  type InvenTreeClient,
  type StockPage,
  type TrackedChange,
} from './inventree-client';
export type {
  CustomerAddress,
  NewSalesOrder,
  SalesAllocation,
  SalesOrder,
  SalesOrders,
  SalesShipment,
  StockRow,
} from './sales-orders';
export { PLUGIN_BATCH } from './plugin-reads';
export type { InvenTreeClientOptions } from './connection';
export { STOCK_ALONE, type PartStock, type PartIdentity, type Wanted } from './part-stock';
