export {
  SYNC_QUEUE,
  LOOKUP_QUEUE,
  DEAD_LETTER_QUEUE,
  queueOf,
  parseSyncJob,
  deduplicationId,
  optionsOf,
  type SyncJob,
} from './jobs';
export { connectToRedis, isRedisUnwell, type RedisOptions } from './redis';
export { openSyncQueue, type SyncQueue, type SyncQueueOptions, type QueueName } from './sync-queue';
export {
  openDeadLetters,
  letterId,
  parseDeadLetter,
  replayOf,
  type DeadLetters,
  type DeadLetter,
} from './dead-letters';
export { openKnownParts, bears, type KnownParts, type KnownPart, type KnownProduct, type Outcome } from './known-parts';
export { openWebhookIds, type WebhookIds } from './webhook-ids';
export { openWriteGuard, type WriteGuard, type ReadPart, type Permission } from './write-guard';
export { openCallPlaces, openReconcileTurn, type CallPlaces, type CallLimit } from './call-limit';
export { openOutages, SYSTEMS, type Outages, type Outage, type SystemName } from './outage';
export { openBridge, heartbeatSchema, type Bridge, type Heartbeat, type LastHeartbeat } from './bridge';
export { openLastSweep, openLastReconcile, type LastSweep, type LastReconcile } from './last-runs';
export { openLocationsVersion, type LocationsVersion } from './locations-version';
export { openGoodSkus, type GoodSkus } from './good-skus';
export {
  openCursor,
  openNewestSourceItems,
  cursorAt,
  freshRows,
  readAfter,
  type Cursor,
  type NewestSourceItems,
  type StoredCursor,
} from './cursor';
