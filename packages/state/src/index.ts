export { connectToRedis, isRedisUnhealthy, type RedisConnection, type RedisOptions } from './connection';
export { DEFAULT_PREFIX, keysFor, type Keys } from './keys';
export {
  QUEUES,
  catalogEntry,
  deduplicationId,
  jobTitle,
  orderJob,
  parseJob,
  type JobKind,
  type NewJob,
  type JobOf,
  type QueueName,
  type SyncJob,
} from './job-catalog';
export { BACKOFF_TYPE, PARTS_IN_JOB, openJobQueues, type JobQueues, type JobQueuesOptions } from './job-queues';
export { openPartClaims, type PartClaims } from './part-claims';
export {
  openDeadLetters,
  deadLetterId,
  parseDeadLetter,
  remedyOf,
  replayOf,
  type DeadLetter,
  type DeadLetters,
} from './dead-letters';
export {
  openParts,
  hadSku,
  isConfirmed,
  outcomesIn,
  skusIn,
  skuStateIn,
  type Outcome,
  type Parts,
  type PartState,
  type SkuState,
} from './parts';
export { openProducts, type Products, type RememberedProduct } from './products';
export { openStockItems, type StockItems } from './stock-items';
export { openWebhookIds, type WebhookIds } from './webhook-ids';
export { openFencing, type FencedRead, type Fencing, type WritePermission } from './fencing';
export { openHistoryDatabase, withOlderHistory, type HistoryDatabase } from './history-database';
export { openSemaphore, type CallLimit, type Semaphore } from './semaphores';
export {
  BREAKERS,
  openCircuitBreakers,
  type BreakerName,
  type CircuitBreakers,
  type OpenBreaker,
  type Pauses,
} from './circuit-breakers';
export { openCanarySkus, type CanarySkus } from './canary-skus';
export {
  openPluginHeartbeat,
  heartbeatSchema,
  type Heartbeat,
  type LastHeartbeat,
  type PluginHeartbeat,
} from './plugin-heartbeat';
export {
  openLastSweep,
  openLastReconcile,
  type LastReconcile,
  type LastSweep,
  type ReconcileReport,
} from './last-runs';
export { openReconcileReport, type ReconcileReportMessages, type ReportMessage } from './reconcile-reports';
export { openStartProblems, type StartProblems } from './start-problems';
export { findRedisProblems, redisProblems } from './redis-problems';
export { openKnownInstance, type Instance, type KnownInstance } from './instance';
export { areSettingsNew } from './last-settings';
export { isOpenOrder, isUnbooked, orderNext } from './order-status';
export { openOrderRate, type OrderRate } from './order-rate';
export { openShortOrders, type ShortOrders } from './short-orders';
export { openUnbookedStock, type Unbooked, type UnbookedStock } from './unbooked-stock';
export { openOrderLedger, type OrderLedger, type OrderRecord } from './order-ledger';
export { openLocationsVersion, type LocationsVersion } from './locations-version';
export {
  openCursor,
  openOrdersCursor,
  openSourceItemsEnd,
  cursorAt,
  newRows,
  readAfter,
  type Cursor,
  type CursorName,
  type OrdersCursor,
  type SourceItemsEnd,
  type StoredCursor,
} from './cursors';
export { moveEarlierParts } from './earlier-parts';
export type { KnownParts } from './parts-of-skus';
export { migrate, type Migrated } from './migration';
export { openRulesInForce, type RulesInForce } from './rules-in-force';
export { openExplanations, requestExplanation, type Explanation, type ExplainAnswer } from './explanations';
export {
  openHistory,
  HISTORY_OUTCOMES,
  type History,
  type HistoryBounds,
  type HistoryEntry,
  type HistoryFilter,
  type HistoryOutcome,
  type HistoryPage,
  type HistoryReader,
  type NewHistoryEntry,
} from './history';
export {
  openActivity,
  lagQuantile,
  CALLED_SYSTEMS,
  type Activity,
  type ActivityBucket,
  type CalledSystem,
} from './activity';
export { openReconcileProgress, type Progress, type ReconcileProgress } from './reconcile-progress';
export { readStatus, headline, needsAttention, counted, age, PLUGIN_SILENT_MS, type SyncStatus } from './sync-status';
export { openOutcomeCounts, type OutcomeCounts } from './outcome-counts';
export { readPartStatus, type PartStatus, type PartStatusDeps } from './part-status';
export { type Answer } from './answers';
export {
  openActiveAlerts,
  openNotificationAnswer,
  requestNotificationTest,
  type ActiveAlert,
  type ActiveAlerts,
  type NotificationTest,
} from './notifications';
