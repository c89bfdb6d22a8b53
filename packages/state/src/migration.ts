import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { RedisConnection } from './connection';
import { openDeadLetters } from './dead-letters';
import { jobSchema, type SyncJob } from './job-catalog';
import { openJobQueues } from './job-queues';
import { DEFAULT_PREFIX, keysFor } from './keys';
import { openParts, OUTCOMES, type Outcome } from './parts';

/** What a migration moved. */
export interface Migrated {
  jobs: number;
  deadLetters: number;
  parts: number;
}

/** The keys of version 0.1, which had no hash tag. */
const OLD_QUEUES = ['bull:stock-sync', 'bull:stock-sync-lookup'];
const OLD_DEAD_LETTERS = 'bull:stock-sync-dead-letter';
const OLD_PREFIXES = ['stock-sync', ...OLD_QUEUES, OLD_DEAD_LETTERS];
const OLD_STATE = ['stock-sync:parts', ...OLD_QUEUES.map(queue => `${queue}:meta`)];
const LEASE_SECONDS = 60;

const oldPartLine = z.tuple([z.string(), z.string(), z.enum(OUTCOMES), z.number(), z.number(), z.string().optional()]);
const oldDeadLetter = z.object({
  id: z.string(),
  part: z.number().nullable(),
  sku: z.string().nullable(),
  wanted: z.string().nullable(),
  errorKind: z.string(),
  reason: z.string(),
  attempts: z.number(),
  firstFailedAt: z.string(),
  lastFailedAt: z.string(),
  event: z.string(),
  job: z.unknown(),
});

/**
 * Moves the state of version 0.1 to the keys of today: jobs, dead letters, and what is remembered of parts. The rest is
 * deleted, and rebuilt by the first sweep and reconcile. Resolves with undefined where there is none, or where another
 * process is doing it.
 */
export async function migrate(connection: RedisConnection): Promise<Migrated | undefined> {
  const { redis, keys } = connection;
  // Version 0.1 had no prefix and no support for Redis Cluster.
  if (connection.isCluster || keys.migration !== keysFor(DEFAULT_PREFIX).migration) return undefined;
  if ((await redis.exists(...OLD_STATE)) === 0) return undefined;
  if ((await redis.set(keys.migration, process.pid, 'EX', LEASE_SECONDS, 'NX')) !== 'OK') return undefined;

  const queues = openJobQueues(connection);
  const deadLetters = openDeadLetters(connection);
  const parts = openParts(connection);
  try {
    const jobs = await oldJobs(redis);
    await queues.enqueue(jobs);
    const found = await oldDeadLetters(redis);
    for (const deadLetter of found) await deadLetters.add(deadLetter);
    const remembered = await oldParts(redis);
    for (const { part, state } of remembered) await parts.set(part, state, undefined);
    await deleteOldKeys(redis);
    return { jobs: jobs.length, deadLetters: found.length, parts: remembered.length };
  } finally {
    await redis.del(keys.migration);
    await Promise.all([queues.close(), deadLetters.close()]);
  }
}

/** Every job that waits, is delayed, or was running; schedules are created again by the worker. */
async function oldJobs(redis: Redis): Promise<SyncJob[]> {
  const jobs: SyncJob[] = [];
  for (const queue of OLD_QUEUES) {
    const lists = await Promise.all(
      ['wait', 'active', 'paused'].map(state => redis.lrange(`${queue}:${state}`, 0, -1)),
    );
    const ids = [...lists.flat(), ...(await redis.zrange(`${queue}:delayed`, '0', '-1'))];
    for (const id of ids.filter(found => !found.startsWith('repeat:'))) {
      const job = jobFrom(await redis.hget(`${queue}:${id}`, 'data'));
      if (job) jobs.push(job);
    }
  }
  return jobs;
}

function jobFrom(text: string | null): SyncJob | undefined {
  const data = text === null ? undefined : (JSON.parse(text) as Record<string, unknown>);
  const kind = data?.kind === 'look-again' ? 'resync' : data?.kind;
  const parsed = jobSchema.safeParse({ ...data, kind });
  return parsed.success && parsed.data.kind !== 'sweep' && parsed.data.kind !== 'reconcile' ? parsed.data : undefined;
}

async function oldDeadLetters(redis: Redis) {
  const ids = [
    ...(await redis.zrange(`${OLD_DEAD_LETTERS}:failed`, '0', '-1')),
    ...(await redis.lrange(`${OLD_DEAD_LETTERS}:wait`, 0, -1)),
  ];
  const found = await Promise.all(ids.map(id => redis.hget(`${OLD_DEAD_LETTERS}:${id}`, 'data')));
  return found.flatMap(text => {
    const deadLetter = oldDeadLetter.safeParse(text === null ? undefined : JSON.parse(text)).data;
    if (!deadLetter) return [];
    const { wanted, job, errorKind, ...rest } = deadLetter;
    const kind = errorKind === 'wrong-item' ? 'refused' : errorKind;
    const target = wanted === null ? null : (targetFrom(wanted) ?? null);
    return [{ ...rest, errorKind: kind, target, job: jobSchema.safeParse(job).data ?? null }];
  });
}

async function oldParts(redis: Redis) {
  const found = [];
  for (const [part, text] of Object.entries(await redis.hgetall('stock-sync:parts'))) {
    const line = oldPartLine.safeParse(JSON.parse(text)).data;
    if (!line) continue;
    const [sku, confirmed, outcome, at, throttledRuns, seen = confirmed] = line;
    const state = { sku, outcome: outcome satisfies Outcome, at, target: targetFrom(seen), throttledRuns };
    found.push({ part: Number(part), state });
  }
  return found;
}

/** Version 0.1 stored a target as text: "80", or "default: 50, west: 30". */
function targetFrom(text: string): Record<string, string> | undefined {
  if (text === '') return undefined;
  if (!text.includes(': ')) return { default: text };
  return Object.fromEntries(text.split(', ').map(share => share.split(': ') as [string, string]));
}

async function deleteOldKeys(redis: Redis): Promise<void> {
  for (const prefix of OLD_PREFIXES) {
    for await (const found of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
      const names = found as string[];
      if (names.length > 0) await redis.unlink(...names);
    }
  }
}
