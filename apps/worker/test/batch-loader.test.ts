import { setTimeout as sleep } from 'node:timers/promises';
import { createBatchLoader, limitCalls } from '../src/calls/batch-loader';

describe('a batch loader', () => {
  afterEach(() => jest.restoreAllMocks());

  it('makes one call for keys that come within a moment, and gives each caller its own result', async () => {
    // A clock of its own: that of the machine goes on while this process waits for its turn.
    let now = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const batches: number[][] = [];
    const loader = createBatchLoader<number, number>({
      maxBatchSize: () => 100,
      quietMs: () => 10,
      run: keys => {
        batches.push([...keys]);
        return Promise.resolve(keys.map(key => (key === 3 ? new Error('three') : key * 2)));
      },
    });
    const answers = [1, 2, 3].map(key => loader.load(key));
    now = 6;
    await sleep(30);
    answers.push(loader.load(4));
    now = 15;
    await sleep(30);
    expect(batches).toEqual([]);
    now = 16;
    expect(await Promise.allSettled(answers)).toMatchObject([
      { value: 2 },
      { value: 4 },
      { reason: new Error('three') },
      { value: 8 },
    ]);
    expect(batches).toEqual([[1, 2, 3, 4]]);
  });

  it('makes an own call for a key that is loaded alone', async () => {
    const batches: number[][] = [];
    const loader = createBatchLoader<number, number>({
      maxBatchSize: () => 100,
      limit: limitCalls(1),
      run: keys => {
        batches.push([...keys]);
        return Promise.resolve(keys.map(key => (key === 3 ? new Error('three') : key * 2)));
      },
    });
    expect(
      await Promise.allSettled([loader.load(1), loader.load(2, true), loader.load(3, true), loader.load(4)]),
    ).toMatchObject([{ value: 2 }, { value: 4 }, { reason: new Error('three') }, { value: 8 }]);
    expect(batches).toHaveLength(3);
    expect(batches).toEqual(expect.arrayContaining([[2], [3], [1, 4]]));
  });

  it('never sends a batch before its first key, however short the moment', async () => {
    const loader = createBatchLoader<number, number>({
      maxBatchSize: () => 100,
      quietMs: () => 0,
      run: keys => Promise.resolve([...keys]),
    });
    for (let key = 0; key < 50; key++) expect(await loader.load(key)).toBe(key);
  });

  it('rejects every caller of a failed batch, and works again afterwards', async () => {
    let fails = true;
    const loader = createBatchLoader<number, number>({
      maxBatchSize: () => 100,
      run: keys => (fails ? Promise.reject(new Error('no')) : Promise.resolve([...keys])),
    });
    expect(await Promise.allSettled([loader.load(1), loader.load(2)])).toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    fails = false;
    expect(await loader.load(3)).toBe(3);
  });

  it('adds keys to the next batch while every slot is taken, and never exceeds the slots', async () => {
    const sizes: number[] = [];
    let underWay = 0;
    let most = 0;
    const loader = createBatchLoader<number, number>({
      maxBatchSize: () => 100,
      limit: limitCalls(2),
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
      answers.push(loader.load(key));
      await sleep(5);
    }
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 30 }, (_, key) => key));
    expect(most).toBe(2);
    expect(sizes.length).toBeLessThan(12);
  });

  it('sends a full batch at once, while keys keep coming, and never exceeds the slots', async () => {
    const sizes: number[] = [];
    let underWay = 0;
    let most = 0;
    let firstAt = 0;
    const loader = createBatchLoader<number, number>({
      maxBatchSize: () => 10,
      quietMs: () => 50,
      limit: limitCalls(2),
      run: async keys => {
        firstAt ||= Date.now();
        sizes.push(keys.length);
        most = Math.max(most, ++underWay);
        await sleep(30);
        underWay--;
        return [...keys];
      },
    });
    const answers: Promise<number>[] = [];
    for (let key = 0; key < 95; key++) {
      answers.push(loader.load(key));
      if (key % 10 === 0) await sleep(6);
    }
    const lastAt = Date.now();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 95 }, (_, key) => key));
    expect(sizes).toEqual([...Array.from({ length: 9 }, () => 10), 5]);
    expect(most).toBe(2);
    expect(firstAt).toBeLessThan(lastAt);
  });

  it('takes as many keys as wait when a slot is free, and says how many are left', async () => {
    const batches: { size: number; others: number }[] = [];
    let mayEnd = false;
    const loader = createBatchLoader<number, number>({
      maxBatchSize: () => 10,
      limit: limitCalls(1),
      run: async (keys, others) => {
        batches.push({ size: keys.length, others });
        while (!mayEnd) await sleep(1);
        return [...keys];
      },
    });
    const answers = [loader.load(0)];
    while (batches.length === 0) await sleep(1);
    // The first four wait for the slot that the first batch has; the others come while they wait.
    for (let key = 1; key < 5; key++) answers.push(loader.load(key));
    await sleep(10);
    for (let key = 5; key < 14; key++) answers.push(loader.load(key));
    mayEnd = true;
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 14 }, (_, key) => key));
    expect(batches).toEqual([
      { size: 1, others: 0 },
      { size: 10, others: 3 },
      { size: 3, others: 0 },
    ]);
  });

  it('leaves no key behind where batches become smaller while they wait for a slot', async () => {
    const sizes: number[] = [];
    let mayEnd = false;
    let most = 10;
    const loader = createBatchLoader<number, number>({
      maxBatchSize: () => most,
      limit: limitCalls(1),
      run: async keys => {
        sizes.push(keys.length);
        while (!mayEnd) await sleep(1);
        most = 2;
        return [...keys];
      },
    });
    const first = loader.load(0);
    while (sizes.length === 0) await sleep(1);
    const answers = [1, 2, 3, 4, 5].map(key => loader.load(key));
    await sleep(20);
    mayEnd = true;
    expect(await Promise.all([first, ...answers])).toEqual([0, 1, 2, 3, 4, 5]);
    expect(sizes).toEqual([1, 2, 2, 1]);
  });

  it('sends a batch all the same where the limit itself fails', async () => {
    const loader = createBatchLoader<number, number>({
      maxBatchSize: () => 100,
      limit: () => Promise.reject(new Error('Redis')),
      run: keys => Promise.resolve([...keys]),
    });
    expect(await loader.load(1)).toBe(1);
  });
});
