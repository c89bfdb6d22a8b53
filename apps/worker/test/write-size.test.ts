import { createWriteSize } from '../src/calls/write-size';

describe('the size of a write', () => {
  it.each([
    { store: 'Magento 2.4.7', fixedMs: 30, perSkuMs: 1.4, size: 200 },
    { store: 'Magento 2.4.4', fixedMs: 75, perSkuMs: 7, size: 96 },
    { store: 'a store that is very busy', fixedMs: 500, perSkuMs: 40, size: 25 },
  ])('follows the answer times of $store', ({ fixedMs, perSkuMs, size }) => {
    const writeSize = createWriteSize();
    for (let write = 0; write < 10; write++) {
      const skus = writeSize.now();
      writeSize.answered(skus, fixedMs + perSkuMs * skus);
    }
    expect(Math.abs(writeSize.now() - size)).toBeLessThanOrEqual(2);
  });

  it('becomes smaller while the store is busy, and larger again afterwards', () => {
    const writeSize = createWriteSize();
    writeSize.answered(100, 170);
    expect(writeSize.now()).toBe(200);
    writeSize.answered(200, 15_000);
    expect(writeSize.now()).toBe(25);
    writeSize.answered(25, 65);
    expect(writeSize.now()).toBe(200);
  });

  it('learns nothing from a small write, most of whose time does not depend on its SKUs', () => {
    const writeSize = createWriteSize();
    writeSize.answered(1, 400);
    expect(writeSize.now()).toBe(100);
  });
});
