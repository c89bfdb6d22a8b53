export {
  createMagentoClient,
  DEDUCTIONS,
  type DeductionKind,
  type MagentoClient,
  type MagentoClientOptions,
  type MagentoCredentials,
  type Product,
  type SourceItem,
  type SourceItemsPage,
  type StockItem,
  type StockApi,
} from './magento-client';
export { stockAccess, type StockAccess, type SkuChanges } from './stock-access';
export { filledMessage, MagentoLimitError } from './magento-errors';
export { oauthHeader, signatureBase, type OAuthCredentials } from './oauth';
