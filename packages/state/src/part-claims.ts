import type { RedisConnection } from './connection';
import { deduplicationId, parseJob, QUEUES, type JobOf, type SyncJob } from './job-catalog';
import { inOneTurn } from './one-turn';

/** A part in a job of several parts. */
interface ClaimedPart {
  /** The id of that job. */
  job: string;
  part: number;
}

/** Which job stands for a part. */
export type Claim = 'ours' | 'waiting' | 'running';

/**
 * Which parts a job of several parts stands for: their deduplication keys name that job, as if it were a job of each of
 * them. So BullMQ merges an event into it while it waits, and remembers the event while it runs.
 */
export interface PartClaims {
  /**
   * Claims those of these parts that no other job stands for: they are `ours`. `waiting`: the other job waits, so the
   * event merges into it. `running`: it runs, so the part must be synced once more. A claim of a job that Redis does
   * not have is void, so claim first, and then add the job.
   */
  claim(job: string, parts: readonly number[]): Promise<Claim[]>;
  /** The part is done: from now on an event enqueues it anew. The job to enqueue where an event came meanwhile. */
  release(part: ClaimedPart): Promise<JobOf<'part'> | undefined>;
  /**
   * Releases the parts of jobs that ended without them, as in a worker of an older version, which cannot read such a
   * job; resolves with these parts.
   */
  releaseLeft(): Promise<number[]>;
  /** The parts of all such jobs that wait or run, and how many jobs these are. */
  count(): Promise<{ jobs: number; parts: number }>;
}

/** KEYS: parts by job, active jobs, then a deduplication key for each part. ARGV: the job, what its key begins with. */
const CLAIM = `
local answers, count = {}, 0
for i = 3, #KEYS do
  local other = redis.call('GET', KEYS[i])
  if not other or redis.call('EXISTS', ARGV[2] .. other) == 0 then
    redis.call('SET', KEYS[i], ARGV[1])
    answers[i - 2] = 'ours'
    count = count + 1
  elseif redis.call('LPOS', KEYS[2], other) then answers[i - 2] = 'running'
  else answers[i - 2] = 'waiting' end
end
if count > 0 then redis.call('HSET', KEYS[1], ARGV[1], count) end
return answers`;

/** KEYS: parts by job, then for each part its deduplication key and that of its next job. ARGV: a job for each part. */
const RELEASE = `
local answers = {}
for i = 1, #ARGV do
  local claim, following = KEYS[2 * i], KEYS[2 * i + 1]
  answers[i] = ''
  if redis.call('GET', claim) == ARGV[i] then
    answers[i] = redis.call('HGET', following, 'data') or ''
    redis.call('DEL', claim, following)
  end
  if redis.call('HINCRBY', KEYS[1], ARGV[i], -1) < 1 then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return answers`;

/** KEYS: parts by job. ARGV: what the key of a job begins with, and the id of a part without its number. */
const RELEASE_LEFT = `
local left = {}
for _, job in ipairs(redis.call('HKEYS', KEYS[1])) do
  if redis.call('HEXISTS', ARGV[1] .. job, 'finishedOn') == 1 then
    redis.call('HDEL', KEYS[1], job)
    for _, one in ipairs(cjson.decode(redis.call('HGET', ARGV[1] .. job, 'data')).parts or {}) do
      local id = ARGV[2] .. string.format('%d', one.part)
      if redis.call('GET', ARGV[1] .. 'de:' .. id) == job then
        redis.call('DEL', ARGV[1] .. 'de:' .. id, ARGV[1] .. 'dn:' .. id)
        left[#left + 1] = one.part
      end
    end
  end
end
return left`;

/** KEYS: parts by job. ARGV: what the key of a job begins with. */
const COUNT = `
local jobs, parts = 0, 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if redis.call('EXISTS', ARGV[1] .. all[i]) == 0 then redis.call('HDEL', KEYS[1], all[i])
  else
    jobs = jobs + 1
    parts = parts + all[i + 1]
  end
end
return { jobs, parts }`;

/** Opens the claims. */
export function openPartClaims({ redis, keys }: Pick<RedisConnection, 'redis' | 'keys'>): PartClaims {
  const prefix = `${keys.queuePrefix}:${QUEUES.parts}:`;
  const idOf = (part: number) => deduplicationId({ kind: 'part', part, event: '' });
  const release = inOneTurn<ClaimedPart, JobOf<'part'> | undefined>(async claimed => {
    const both = claimed.flatMap(({ part }) => [`${prefix}de:${idOf(part)}`, `${prefix}dn:${idOf(part)}`]);
    const jobs = claimed.map(({ job }) => job);
    const answers = (await redis.eval(RELEASE, 1 + both.length, keys.partsInJobs, ...both, ...jobs)) as string[];
    return answers.map(data => (data === '' ? undefined : partJob(parseJob(JSON.parse(data)))));
  });
  return {
    async claim(job, parts) {
      const claims = parts.map(part => `${prefix}de:${idOf(part)}`);
      const args = [keys.partsInJobs, `${prefix}active`, ...claims, job, prefix];
      return (await redis.eval(CLAIM, 2 + claims.length, ...args)) as Claim[];
    },
    release,
    async releaseLeft() {
      const idWithoutNumber = idOf(0).slice(0, -1);
      return (await redis.eval(RELEASE_LEFT, 1, keys.partsInJobs, prefix, idWithoutNumber)) as number[];
    },
    async count() {
      const [jobs = 0, parts = 0] = (await redis.eval(COUNT, 1, keys.partsInJobs, prefix)) as number[];
      return { jobs, parts };
    },
  };
}

function partJob(job: SyncJob): JobOf<'part'> | undefined {
  return job.kind === 'part' ? job : undefined;
}
