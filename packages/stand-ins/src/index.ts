export { startMagento, type MagentoStandIn, type MagentoStandInOptions } from './magento';
export { MagentoStore } from './magento/store';
export { startInvenTree, type InvenTreeStandIn, type InvenTreeStandInOptions } from './inventree';
export { InvenTreeShop, type StockItem, type Part, type FiredEvent } from './inventree/shop';
export * as stockActions from './inventree/stock-actions';
export * as orderActions from './inventree/order-actions';
export { post as postWebhook, signatureOf, type WebhookTarget } from './inventree/plugin';
export * as recordings from './recordings';
export type { Fault, StandInCall, HttpStandIn } from './http-stand-in';
