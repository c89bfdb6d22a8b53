export { chunk } from './chunk';
export {
  parseQuantity,
  sum,
  formatQuantity,
  quantityAsNumber,
  roundedNumber,
  wholeUnits,
  type Quantity,
} from './quantity';
export {
  skusOf,
  skuKey,
  isSameSku,
  partsThatCount,
  formatSkuField,
  templateProblem,
  type SkuField,
  type SkuFields,
  type SkuRules,
} from './sku';
export {
  HEARTBEAT,
  interpretEvent,
  isEventName,
  type Change,
  type InvenTreeEvent,
  type EventTargets,
  type IgnoredEvent,
  type MalformedEvent,
} from './events';
export {
  targetQuantities,
  sameQuantities,
  sumOfTargets,
  formatTarget,
  isZero,
  DEFAULT_SOURCE,
  type SourceQuantity,
  type TargetStock,
  type TargetQuantities,
} from './target-stock';
export {
  createStockCounter,
  NO_SAFETY_STOCK,
  explainStock,
  safetyStockFrom,
  statusKeys,
  type QuantityRules,
  type SafetyStock,
  type StockAtLocation,
  type StockForSale,
  type StockStatus,
  type StockStatuses,
  type WrongParameter,
} from './stock-for-sale';
export {
  createOffers,
  neededParameters,
  type Offer,
  type Offers,
  type PartRules,
  type RuledPart,
  type ShopRules,
  type ShopSetup,
  type WantedCategories,
} from './offer';
export { locationRoles, type Location, type Locations, type SourceMap } from './location-roles';
export {
  stockChanges,
  sellsOut,
  USUAL_SELLING,
  showsStock,
  hasOwnStock,
  formatStoreStock,
  type StoreStock,
  type StockChange,
  type SellingRules,
} from './stock-difference';
export { isUndone, sameWrites, type WrittenDifference } from './repeated-writes';
export { isMassZero, showingRequired } from './mass-zero-guard';
export { throttleRun, type LastWrite, type Throttle } from './write-throttle';
export {
  compareSides,
  fallsToZero,
  needsProduct,
  driftLine,
  FINDING_KINDS,
  type BothSides,
  type Finding,
  type FindingKind,
} from './comparison';
export {
  isOpenSalesOrder,
  orderLines,
  parseReferencePattern,
  SALES_ORDER_STATUS,
  salesOrderSteps,
  type OrderItem,
  type OrderLine,
  type ReferencePattern,
  type SalesOrderLine,
  type SalesOrderStep,
  type ShopOrder,
  type WantedLine,
} from './sales-order';
export {
  shipmentItems,
  shippedUnits,
  sumOfUnits,
  totalUnits,
  unbookedUnits,
  unitsBySource,
  unitsOfProduct,
  withUnbooked,
  type ShipmentItem,
  type ShippedUnits,
  type UnitsBySource,
} from './unbooked';
export {
  allocationPlan,
  stockLeftBy,
  stockPicks,
  type AllocationPlan,
  type NeededStock,
  type PickableItem,
  type StockPick,
} from './stock-picks';
