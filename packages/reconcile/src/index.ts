export { reconcile, RECONCILE, type Reconcile, type ReconcileOptions, type ReconcileReport } from './reconcile';
export { reportInWords, driftInWords, heldBackInWords, csvLine, CSV_HEAD } from './report';
export { kindOf, showsStock, KINDS, type BothSides, type Finding, type FindingKind } from './findings';
export { createGoneParts } from './gone-parts';
