import { CallError, splitBatch } from '../src';

const refusal = new CallError('Magento', 'refused', 'no');

/** A call that fails where one of its items is bad; it records the calls. */
function callWith(bad: readonly number[]) {
  const calls: number[][] = [];
  const call = (items: readonly number[]) => {
    calls.push([...items]);
    return items.some(item => bad.includes(item))
      ? Promise.reject(refusal)
      : Promise.resolve(items.map(item => item * 2));
  };
  return { calls, call };
}

const itemsFault = () => Promise.resolve(true);
const items = [1, 2, 3, 4, 5, 6, 7, 8];

it('makes one call where nothing fails', async () => {
  const { calls, call } = callWith([]);
  expect(await splitBatch(items, call, itemsFault)).toEqual(items.map(item => item * 2));
  expect(calls).toEqual([items]);
});

it.each([[[1]], [[8]], [[3, 6]], [items]])('gives an error to %j alone', async bad => {
  const { call } = callWith(bad);
  const results = await splitBatch(items, call, itemsFault);
  expect(results).toEqual(items.map(item => (bad.includes(item) ? refusal : item * 2)));
});

it('rejects as a whole, and makes no further call, where the items are not at fault', async () => {
  const { calls, call } = callWith([3]);
  await expect(splitBatch(items, call, () => Promise.resolve(false))).rejects.toBe(refusal);
  expect(calls).toHaveLength(1);
});

it('rejects as a whole where the system fails halfway', async () => {
  const { calls, call } = callWith([3]);
  let failures = 0;
  await expect(splitBatch(items, call, () => Promise.resolve(++failures < 2))).rejects.toBe(refusal);
  expect(calls).toEqual([items, [1, 2, 3, 4]]);
});

it('passes on an error of our own', async () => {
  await expect(splitBatch(items, () => Promise.reject(new Error('bug')), itemsFault)).rejects.toThrow('bug');
});
