import type { InvenTreeClient } from '@stock-sync/inventree-client';
import { createSourceLocations } from '../src/source-locations';

afterEach(() => void jest.useRealTimers());

function treeOf(sourceMap: Record<string, number[]> | undefined) {
  jest.useFakeTimers({ now: 1_000_000 });
  let reads = 0;
  let version = 0;
  const mayHaveChanged = () => {
    version++;
    return Promise.resolve();
  };
  const locations = createSourceLocations({
    inventree: {
      locationParents: () => {
        reads++;
        return Promise.resolve(new Map([[1, null]]));
      },
    } as unknown as InvenTreeClient,
    version: { current: () => Promise.resolve(version), mayHaveChanged },
    sourceMap,
  });
  return { locations, reads: () => reads, mayHaveChanged };
}

it('the tree of locations is read once for many that ask, and again after a while', async () => {
  const { locations, reads } = treeOf({ default: [1] });
  await Promise.all([locations(), locations(), locations()]);
  expect(reads()).toBe(1);
  jest.setSystemTime(1_029_000);
  await locations();
  expect(reads()).toBe(1);
  jest.setSystemTime(1_031_000);
  await locations();
  expect(reads()).toBe(2);
});

it('it is read again when anybody said that it may have changed, or where only a newer one will do', async () => {
  const { locations, reads, mayHaveChanged } = treeOf({ default: [1] });
  await locations();
  await mayHaveChanged();
  await Promise.all([locations(), locations()]);
  expect(reads()).toBe(2);
  jest.setSystemTime(1_000_500);
  await locations(1_000_400);
  await locations(1_000_400);
  expect(reads()).toBe(3);
});

it('nothing is read without a SOURCE_MAP', async () => {
  const { locations, reads } = treeOf(undefined);
  expect(await locations(2_000_000)).toBeUndefined();
  expect(reads()).toBe(0);
});
