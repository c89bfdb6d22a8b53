export { SYNC_QUEUE, DEAD_LETTER_QUEUE, parseSyncJob, deduplicationId, optionsOf, type SyncJob } from './jobs';
export { connectToRedis, type RedisOptions } from './redis';
export { openSyncQueue, type SyncQueue, type SyncQueueOptions } from './sync-queue';
export { openDeadLetters, type DeadLetters, type DeadLetter } from './dead-letters';
export { openKnownParts, type KnownParts, type KnownPart, type KnownProduct, type Outcome } from './known-parts';
export { openWebhookIds, type WebhookIds } from './webhook-ids';
export { openWriteGuard, type WriteGuard, type ReadPart, type Permission } from './write-guard';
export { openCallPlaces, type CallPlaces, type CallLimit } from './call-limit';
export { openOutages, type Outages, type Outage } from './outage';
