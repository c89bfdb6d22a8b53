import { PATIENCE_SECONDS, runSeed, scheduleOf } from '../src';

it('a seed does the same every time, and another seed something else', () => {
  expect(scheduleOf(7)).toEqual(scheduleOf(7));
  expect(scheduleOf(7)).not.toEqual(scheduleOf(8));
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
