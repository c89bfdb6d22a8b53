import { setTimeout as sleep } from 'node:timers/promises';
import { batchesAtOnce, createBatchLoader } from '../src/batch-loader';

describe('a batch loader', () => {
  it('takes what comes within a moment into one call, each caller gets its own answer', async () => {
    const batches: number[][] = [];
    const load = createBatchLoader<number, number>({
      most: 100,
      quietMs: 10,
      run: keys => {
        batches.push([...keys]);
        return Promise.resolve(keys.map(key => (key === 3 ? new Error('three') : key * 2)));
      },
    });
    const answers = [1, 2, 3].map(key => load(key));
    await sleep(3);
    answers.push(load(4));
    expect(await Promise.allSettled(answers)).toMatchObject([
      { value: 2 },
      { value: 4 },
      { reason: new Error('three') },
      { value: 8 },
    ]);
    expect(batches).toEqual([[1, 2, 3, 4]]);
  });

  it('takes what is to go alone into a call of its own', async () => {
    const batches: number[][] = [];
    const load = createBatchLoader<number, number>({
      most: 100,
      limit: batchesAtOnce(1),
      run: keys => {
        batches.push([...keys]);
        return Promise.resolve(keys.map(key => (key === 3 ? new Error('three') : key * 2)));
      },
    });
    expect(await Promise.allSettled([load(1), load(2, true), load(3, true), load(4)])).toMatchObject([
      { value: 2 },
      { value: 4 },
      { reason: new Error('three') },
      { value: 8 },
    ]);
    expect(batches).toHaveLength(3);
    expect(batches).toEqual(expect.arrayContaining([[2], [3], [1, 4]]));
  });

  it('never leaves before its first key is in, however short the moment', async () => {
    const load = createBatchLoader<number, number>({ most: 100, quietMs: 0, run: keys => Promise.resolve([...keys]) });
    for (let key = 0; key < 50; key++) expect(await load(key)).toBe(key);
  });

  it('rejects every caller of a batch that fails, and works again afterwards', async () => {
    let fails = true;
    const load = createBatchLoader<number, number>({
      most: 100,
      run: keys => (fails ? Promise.reject(new Error('no')) : Promise.resolve([...keys])),
    });
    expect(await Promise.allSettled([load(1), load(2)])).toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    fails = false;
    expect(await load(3)).toBe(3);
  });

  it('lets what comes while every place is taken join the next batch, and has no more under way than places', async () => {
    const sizes: number[] = [];
    let underWay = 0;
    let most = 0;
    const load = createBatchLoader<number, number>({
      most: 100,
      limit: batchesAtOnce(2),
      run: async keys => {
        sizes.push(keys.length);
        most = Math.max(most, ++underWay);
        await sleep(60);
        underWay--;
        return [...keys];
      },
    });
    const answers: Promise<number>[] = [];
    for (let key = 0; key < 30; key++) {
      answers.push(load(key));
      await sleep(5);
    }
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 30 }, (_, key) => key));
    expect(most).toBe(2);
    expect(sizes.length).toBeLessThan(12);
  });

  it('leaves all the same where the limit itself fails', async () => {
    const load = createBatchLoader<number, number>({
      most: 100,
      limit: () => Promise.reject(new Error('Redis')),
      run: keys => Promise.resolve([...keys]),
    });
    expect(await load(1)).toBe(1);
  });
});
