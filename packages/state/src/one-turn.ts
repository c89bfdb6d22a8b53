import { chunk } from '@stock-sync/domain';

/** The most items in one command: Redis serves nobody else while it runs. */
const MOST_AT_ONCE = 250;

/**
 * Collects what is requested in the same turn of the event loop, and sends it in as few commands as possible: jobs that
 * share a call go on at the same moment, and each command costs both sides more than what it does.
 * @param send answers all items in their order
 */
export function inOneTurn<Item, Answer>(
  send: (items: readonly Item[]) => Promise<readonly Answer[]>,
): (item: Item) => Promise<Answer> {
  let collected: { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];

  async function sendSome(some: typeof collected): Promise<void> {
    try {
      const answers = await send(some.map(({ item }) => item));
      some.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }

  return item =>
    new Promise((resolve, reject) => {
      if (collected.length === 0) {
        setImmediate(() => {
          const all = collected;
          collected = [];
          for (const some of chunk(all, MOST_AT_ONCE)) void sendSome(some);
        });
      }
      collected.push({ item, resolve, reject });
    });
}
