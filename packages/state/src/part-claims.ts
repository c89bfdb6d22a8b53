import type { RedisConnection } from './connection';
import { deduplicationId, parseJob, QUEUES, type JobOf, type SyncJob } from './job-catalog';
import { inOneTurn } from './one-turn';

/** A part in a job of several parts. */
interface ClaimedPart {
  /** The id of that job. */
  job: string;
  part: number;
}

/** What the id of a job of several parts begins with. */
export const JOB_OF_SEVERAL = 'parts-';

/** What became of the claim of a part. */
export type Claim = 'ours' | 'told' | 'running';

/**
 * Which parts a job of several parts stands for: their deduplication keys name that job, as if it were a job of each of
 * them. So an event merges into it while it waits, and is remembered while it runs.
 */
export interface PartClaims {
  /**
   * Claims those of these parts that no other job stands for: they are `ours`. `told`: another job has the event; it
   * waits, or it runs and will be followed by a next one. `running`: a job of this part alone runs, and only BullMQ can
   * let a next one follow it. A claim of a job that Redis does not have is void, so claim first, and then add the job.
   */
  claim(job: string, parts: readonly JobOf<'part'>[]): Promise<Claim[]>;
  /**
   * Which of its parts a job stands for when it starts. Its claims were void until Redis had it, so another job may
   * have claimed a part meanwhile: that one reads the part later, and so for this job's event, too. Events that came
   * before the start merge into the job.
   */
  keep(job: string, parts: readonly { part: number }[]): Promise<boolean[]>;
  /** The part is done: from now on an event enqueues it anew. The job to enqueue where an event came meanwhile. */
  release(part: ClaimedPart): Promise<JobOf<'part'> | undefined>;
  /** Whether another event came for any of these parts while its job runs. */
  isAnyTold(parts: readonly { part: number }[]): Promise<boolean>;
  /**
   * Releases the parts of jobs that ended without them, as in a worker of an older version, which cannot read such a
   * job; resolves with these parts.
   */
  releaseLeft(): Promise<number[]>;
  /** The parts of all such jobs that wait or run, and how many jobs these are. */
  count(): Promise<{ jobs: number; parts: number }>;
}

/**
 * KEYS: parts by job, active jobs, then for each part its deduplication key and that of its next job. ARGV: the job,
 * what its key begins with, what the id of a job of several parts begins with, then the next job of each part.
 */
const CLAIM = `
local answers, count = {}, 0
for i = 1, #KEYS / 2 - 1 do
  local claim, following = KEYS[2 * i + 1], KEYS[2 * i + 2]
  local other = redis.call('GET', claim)
  if not other or redis.call('EXISTS', ARGV[2] .. other) == 0 then
    redis.call('SET', claim, ARGV[1])
    redis.call('DEL', following)
    answers[i] = 'ours'
    count = count + 1
  elseif not redis.call('LPOS', KEYS[2], other) then answers[i] = 'told'
  elseif string.sub(other, 1, #ARGV[3]) == ARGV[3] then
    redis.call('HSET', following, 'data', ARGV[i + 3])
    answers[i] = 'told'
  else answers[i] = 'running' end
end
if count > 0 then redis.call('HSET', KEYS[1], ARGV[1], count) end
return answers`;

/** KEYS: parts by job, then for each part as in CLAIM. ARGV: the job, and what its key begins with. */
const KEEP = `
local answers, count = {}, 0
for i = 1, (#KEYS - 1) / 2 do
  local claim, following = KEYS[2 * i], KEYS[2 * i + 1]
  local other = redis.call('GET', claim)
  if other and other ~= ARGV[1] and redis.call('EXISTS', ARGV[2] .. other) == 1 then answers[i] = 0
  else
    redis.call('SET', claim, ARGV[1])
    redis.call('DEL', following)
    answers[i] = 1
    count = count + 1
  end
end
if count > 0 then redis.call('HSET', KEYS[1], ARGV[1], count) else redis.call('HDEL', KEYS[1], ARGV[1]) end
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
  const followingKeyOf = (part: number) => `${prefix}dn:${idOf(part)}`;
  const keysOf = (parts: readonly { part: number }[]) =>
    parts.flatMap(({ part }) => [`${prefix}de:${idOf(part)}`, followingKeyOf(part)]);
  const release = inOneTurn<ClaimedPart, JobOf<'part'> | undefined>(async claimed => {
    const both = keysOf(claimed);
    const jobs = claimed.map(({ job }) => job);
    const answers = (await redis.eval(RELEASE, 1 + both.length, keys.partsInJobs, ...both, ...jobs)) as string[];
    return answers.map(data => (data === '' ? undefined : partJob(parseJob(JSON.parse(data)))));
  });
  return {
    async claim(job, parts) {
      const both = keysOf(parts);
      const next = parts.map(part => JSON.stringify(part));
      const args = [keys.partsInJobs, `${prefix}active`, ...both, job, prefix, JOB_OF_SEVERAL, ...next];
      return (await redis.eval(CLAIM, 2 + both.length, ...args)) as Claim[];
    },
    async keep(job, parts) {
      const both = keysOf(parts);
      const answers = (await redis.eval(KEEP, 1 + both.length, keys.partsInJobs, ...both, job, prefix)) as number[];
      return answers.map(answer => answer === 1);
    },
    release,
    async isAnyTold(parts) {
      return (await redis.exists(parts.map(({ part }) => followingKeyOf(part)))) > 0;
    },
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
