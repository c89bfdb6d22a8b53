import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MUTANTS, PATIENCE_SECONDS, RULE_MUTANTS, runOrderDay, runSeed, scheduleOf } from '../src';

it('a seed does the same every time, and another seed something else', () => {
  expect(scheduleOf(7)).toEqual(scheduleOf(7));
  expect(scheduleOf(7)).not.toEqual(scheduleOf(8));
});

it.each([...MUTANTS, ...RULE_MUTANTS])('the mutant "$name" can be applied', ({ edits }) => {
  for (const { file, find } of edits) {
    const text = readFileSync(join(__dirname, '../../../..', file), 'utf8');
    expect({ file, find, times: text.split(find).length - 1 }).toEqual({ file, find, times: 1 });
  }
});

// One by events alone and one with sweep and reconcile; `npm run chaos` runs as many as one likes.
it.each([4, 8])(
  'after what seed %i does, everything is right',
  async seed => {
    const redisProgram = process.env.REDIS_PROGRAM;
    if (!redisProgram) throw new Error('REDIS_PROGRAM is not set: run the tests by `npm test`');
    const { problems, story } = await runSeed(seed, { redisProgram, patienceSeconds: PATIENCE_SECONDS });
    if (problems.length > 0) throw new Error([...problems, ...story.slice(-200)].join('\n'));
  },
  200_000,
);

describe('a day of orders', () => {
  const play = (seed: number, isNaive: boolean) => {
    const redisProgram = process.env.REDIS_PROGRAM;
    if (!redisProgram) throw new Error('REDIS_PROGRAM is not set: run the tests by `npm test`');
    return runOrderDay(seed, { redisProgram, orders: 20, isNaive, patienceSeconds: PATIENCE_SECONDS });
  };

  it('ends right at each quiet moment', async () => {
    const { problems, looks, story } = await play(2, false);
    if (problems.length > 0) throw new Error([...problems, ...story.slice(-300)].join('\n'));
    expect(looks).toBe(6);
  }, 200_000);

  it('is wrong with a bridge that ignores orders', async () => {
    const { tooMany, tooFew } = await play(2, true);
    expect(tooMany + tooFew).toBeGreaterThan(0);
  }, 200_000);
});
