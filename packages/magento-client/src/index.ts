export {
  createMagentoClient,
  PROBE_SKU,
  SALES_DOCUMENTS,
  PRODUCTS_PER_READ,
  SKUS_PER_READ,
  SKUS_PER_WRITE,
  type MagentoClient,
  type MagentoClientOptions,
  type OrderChange,
  type OrderOrigin,
  type OrderShipment,
  type PostalAddress,
  type Product,
  type SalesDocument,
  type SalesDocumentKind,
  type Source,
  type SourceItem,
  type SourceItemsPage,
  type StockItem,
  type StockItemWithRules,
  type WebsiteStock,
} from './magento-client';
export { detectStockApi, openStockApi, type SkuStock, type StockApi, type StockApiKind } from './stock-api';
export { oauthHeader, signatureBase, type OAuthCredentials } from './oauth';
export type { MagentoCredentials } from './signed-calls';
