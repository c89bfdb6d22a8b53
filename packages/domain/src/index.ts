export { parseQuantity, sum, formatQuantity, quantityAsNumber, type Quantity } from './quantity';
export {
  skuOf,
  skuKey,
  isSameSku,
  partsThatCount,
  skuParameter,
  formatSkuField,
  type SkuField,
  type SkuFields,
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
  targetStock,
  targetQuantities,
  sameQuantities,
  formatTarget,
  isZero,
  DEFAULT_SOURCE,
  type StockAtLocation,
  type QuantityRules,
  type SourceLocations,
  type SourceQuantity,
  type TargetStock,
  type TargetQuantities,
} from './target-stock';
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
export { sourceLocations, type SourceMap } from './source-map';
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
