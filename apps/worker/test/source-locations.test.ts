import type { InvenTreeClient } from '@stock-sync/inventree-client';
import { createLocationTree } from '../src/source-locations';

afterEach(() => void jest.useRealTimers());

function treeFor(sourceMap: Record<string, number[]> | undefined) {
  jest.useFakeTimers({ now: 1_000_000 });
  let reads = 0;
  let version = 0;
  const increase = () => {
    version++;
    return Promise.resolve();
  };
  const tree = createLocationTree({
    inventree: {
      locationParents: () => {
        reads++;
        return Promise.resolve(new Map([[1, null]]));
      },
    } as unknown as InvenTreeClient,
    version: { get: () => Promise.resolve(version), increase },
    sourceMap,
  });
  return { tree, reads: () => reads, increase };
}

it('is read once for many requests, and again after a while', async () => {
  const { tree, reads } = treeFor({ default: [1] });
  await Promise.all([tree.sources(), tree.sources(), tree.sources()]);
  expect(reads()).toBe(1);
  jest.setSystemTime(1_029_000);
  await tree.sources();
  expect(reads()).toBe(1);
  jest.setSystemTime(1_031_000);
  await tree.sources();
  expect(reads()).toBe(2);
});

it('is read again when it may have changed, or where a newer one is required', async () => {
  const { tree, reads, increase } = treeFor({ default: [1] });
  await tree.sources();
  await increase();
  await Promise.all([tree.sources(), tree.sources()]);
  expect(reads()).toBe(2);
  jest.setSystemTime(1_000_500);
  await tree.sources(1_000_400);
  await tree.sources(1_000_400);
  expect(reads()).toBe(3);
});

it('is not read without SOURCE_MAP', async () => {
  const { tree, reads } = treeFor(undefined);
  expect(await tree.sources(2_000_000)).toBeUndefined();
  expect(reads()).toBe(0);
});
