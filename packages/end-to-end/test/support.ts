import { connectToRedis, openDeadLetters, type DeadLetter } from '@stock-sync/queue';
import type { StandInCall } from '@stock-sync/stand-ins';
import type { System } from '../src';

/** The Redis server that `npm test` provides. */
export function redisServer(): string {
  const url = process.env.TEST_REDIS_URL;
  if (!url) throw new Error('TEST_REDIS_URL is not set: run the tests by `npm test`');
  return url;
}

/** Resolves when the condition holds; rejects after `timeoutMs` with what was waited for, and what `log` tells then. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
  log: () => readonly string[] = () => [],
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error([`waited ${timeoutMs} ms in vain: ${what}`, ...log()].join('\n'));
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** The dead letters that lie there now. */
export async function lettersOf({ database }: System): Promise<DeadLetter[]> {
  const redis = connectToRedis(database.url, { whileAway: { wait: true } });
  const deadLetters = openDeadLetters(redis);
  const letters = await deadLetters.list();
  await deadLetters.close();
  redis.disconnect();
  return letters;
}

/** A part with 50 in stock, whose product shows 999. */
export function widget(running: System, name = 'WIDGET-123') {
  const part = running.inventree.shop.addPart({ name });
  running.magento.store.addProduct(name, { quantity: 999 });
  return running.inventree.shop.insertItem({ part: part.pk, quantity: 50 });
}

/** What the workers said so far. */
export const messages = (running: System) => running.workerLog().map(({ level, message }) => `${level} ${message}`);

/** What the store shows now. */
export const shown = (running: System, sku = 'WIDGET-123') => running.magento.store.shown(sku)?.quantity;

/** Whether Magento is called to change something. */
export const isWrite = ({ method }: Pick<StandInCall, 'method'>) => method === 'POST';

/** An answer of Magento's application itself; without a message as it answers what it did not foresee. */
export const jsonError = (status: number, message = 'Internal Error. Details are available in Magento log file.') => ({
  answer: { status, headers: { 'content-type': 'application/json' }, body: { message } },
});
