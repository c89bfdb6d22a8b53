import { chunk } from '@stock-sync/domain';
import type { Cluster, Redis } from 'ioredis';
import type { RedisConnection } from './connection';
import { openParts, stateFrom } from './parts';

/** Fields or keys in one answer of Redis. */
const SCAN_COUNT = 1_000;
const DAY_SECONDS = 24 * 60 * 60;

/**
 * Moves what earlier versions remembered of parts: they kept one large hash, and a key for each SKU. What was
 * remembered since is newer, and stays. Several workers may do this at once, also beside a worker of an earlier
 * version, which knows the parts of a SKU for one more day. Products are asked for again, and stock items are forgotten
 * after their 90 days.
 * @returns the number of parts moved
 */
export async function moveEarlierParts(connection: RedisConnection): Promise<number> {
  const { redis } = connection;
  const { earlier } = connection.keys;
  if ((await redis.exists(earlier.parts)) === 0) return 0;
  const parts = openParts(connection);
  let moved = 0;
  for await (const pairs of redis.hscanStream(earlier.parts, { count: SCAN_COUNT })) {
    // Redis may answer with more than was asked for.
    for (const some of chunk(linesIn(pairs as string[]), SCAN_COUNT)) {
      const known = await parts.get(some.map(({ part }) => part));
      const left = some.flatMap(({ part, line }, index) => {
        const state = known[index] ? undefined : stateFrom(line);
        return state ? [{ part, state }] : [];
      });
      await Promise.all(left.map(({ part, state }) => parts.set(part, state, undefined)));
      moved += left.length;
      await redis.hdel(earlier.parts, ...some.map(({ part }) => String(part)));
    }
  }
  await redis.unlink(earlier.products);
  for (const node of nodesOf(connection)) {
    for await (const found of node.scanStream({ match: earlier.partsWithSku('*'), count: SCAN_COUNT })) {
      const names = found as string[];
      await Promise.all(names.map(name => redis.expire(name, DAY_SECONDS)));
    }
  }
  return moved;
}

function linesIn(pairs: readonly string[]): { part: number; line: string }[] {
  return chunk(pairs, 2).flatMap(([part, line]) => (part && line ? [{ part: Number(part), line }] : []));
}

/** Only the nodes themselves can be scanned. */
function nodesOf({ redis, isCluster }: RedisConnection): Redis[] {
  return isCluster ? (redis as unknown as Cluster).nodes('master') : [redis];
}
