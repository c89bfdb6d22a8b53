import { setImmediate as endOfTurn, setTimeout as sleep } from 'node:timers/promises';
import { createGathering } from '../src/calls/gathering';
import { createPartJobsUnderWay } from '../src/calls/part-jobs-under-way';

describe('how long a call waits for the keys of other jobs', () => {
  const jobs = createPartJobsUnderWay();
  const waits = () => Promise.resolve([jobs.quietMs(), jobs.quietAfterCallMs()] as const);

  it('is not at all in the only job, whose part changed alone', async () => {
    expect(await jobs.during({}, waits)).toEqual([0, 0]);
  });

  it('is longest while a job runs whose part changed together with others', async () => {
    const [among] = await jobs.during({}, () => jobs.during({}, waits));
    const [together, afterCall] = await jobs.during({ together: true }, waits);
    expect(among).toBeGreaterThan(0);
    expect(together).toBeGreaterThan(among);
    expect(afterCall).toBeGreaterThan(0);
  });

  it('forgets a job that ended, or failed', async () => {
    await expect(jobs.during({ together: true }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await jobs.during({}, waits)).toEqual([0, 0]);
  });

  it('is the usual time where no job of a part runs, as for a reconcile', () => {
    expect(jobs.quietMs()).toBeGreaterThan(0);
  });
});

describe('a gathering', () => {
  it('lets all go on at the same moment, when nobody came for a while', async () => {
    const gathering = createGathering(10_000);
    const wentOnAt: number[] = [];
    const goOn = () => gathering.join(60).then(() => wentOnAt.push(performance.now()));
    const startedAt = performance.now();
    const all = [goOn()];
    await sleep(30);
    all.push(goOn());
    await all[0];
    await endOfTurn();
    expect(wentOnAt).toHaveLength(2);
    expect(Math.min(...wentOnAt) - startedAt).toBeGreaterThan(80);
  });

  it('never waits longer than it may, however many come', async () => {
    const gathering = createGathering(100);
    const startedAt = performance.now();
    const joining = setInterval(() => void gathering.join(50), 5);
    await gathering.join(50);
    clearInterval(joining);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  });
});
