import { NotYetError } from '../src/jobs/job-errors';
import { createTimeLimit } from '../src/jobs/time-limit';

const never = () => new Promise<never>(() => undefined);
const timers = () => process.getActiveResourcesInfo().filter(resource => resource === 'Timeout').length;

let stopping: AbortController;
beforeEach(() => (stopping = new AbortController()));

it('work that ends in time ends as it would alone', async () => {
  const { withinTime } = createTimeLimit(stopping.signal);
  expect(await withinTime(Promise.resolve('done'), 1_000)).toBe('done');
  await expect(withinTime(Promise.reject(new Error('refused')), 1_000)).rejects.toThrow('refused');
});

it('work that never ends fails when its time is over', async () => {
  const { withinTime } = createTimeLimit(stopping.signal);
  await expect(withinTime(never(), 20)).rejects.toThrow('not finished after 0.02 s');
});

it('work under way when the worker stops, or begun after that, is to be done later', async () => {
  const { withinTime } = createTimeLimit(stopping.signal);
  const underWay = withinTime(never(), 1_000);
  stopping.abort();
  await expect(underWay).rejects.toThrow(NotYetError);
  await expect(withinTime(never(), 1_000)).rejects.toThrow(NotYetError);
});

it('no timer is left of work that ended, failed or was given up', async () => {
  const { withinTime } = createTimeLimit(stopping.signal);
  const before = timers();
  const works = [Promise.resolve(), Promise.reject(new Error('refused')), never()];
  const ends = works.map(work => withinTime(work, 60_000));
  expect(timers()).toBe(before + works.length);
  await Promise.allSettled(ends.slice(0, 2));
  expect(timers()).toBe(before + 1);
  stopping.abort();
  await expect(ends[2]).rejects.toThrow(NotYetError);
  expect(timers()).toBe(before);
});
