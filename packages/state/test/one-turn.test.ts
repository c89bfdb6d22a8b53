import { inOneTurn } from '../src/one-turn';

describe('what is requested in one turn of the event loop', () => {
  it('is sent together, and each caller gets its own answer', async () => {
    const sent: number[][] = [];
    const double = inOneTurn<number, number>(items => {
      sent.push([...items]);
      return Promise.resolve(items.map(item => item * 2));
    });
    const later = Promise.resolve().then(() => double(3));
    expect(await Promise.all([double(1), double(2), later])).toEqual([2, 4, 6]);
    expect(await double(4)).toBe(8);
    expect(sent).toEqual([[1, 2, 3], [4]]);
  });

  it('is sent in several commands where it is much, so that Redis can serve others between them', async () => {
    const sizes: number[] = [];
    const echo = inOneTurn<number, number>(items => {
      sizes.push(items.length);
      return Promise.resolve(items);
    });
    const all = Array.from({ length: 600 }, (_, n) => n);
    expect(await Promise.all(all.map(echo))).toEqual(all);
    expect(sizes).toEqual([250, 250, 100]);
  });

  it('fails for all of them where the command fails, and works again afterwards', async () => {
    let fails = true;
    const echo = inOneTurn<number, number>(items =>
      fails ? Promise.reject(new Error('Redis')) : Promise.resolve(items),
    );
    const settled = await Promise.allSettled([echo(1), echo(2)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await echo(3)).toBe(3);
  });
});
