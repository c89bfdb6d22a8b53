import type { FakeCall, Fault } from '@stock-sync/fakes';
import { connectToRedis, openDeadLetters, type DeadLetter, type NewJob, type RedisConnection } from '@stock-sync/state';
import { enqueueJobs, type System } from '../src';

/** The Redis server that `npm test` provides. */
export function redisServer(): string {
  const url = process.env.TEST_REDIS_URL;
  if (!url) throw new Error('TEST_REDIS_URL is not set: run the tests with `npm test`');
  return url;
}

/** Resolves when the condition holds; rejects after `timeoutMs` with what was expected, and with `log`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
  log: () => readonly string[] = () => [],
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error([`not within ${timeoutMs} ms: ${what}`, ...log()].join('\n'));
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** Until nothing more happens: orders were searched twice more, and the parts of what was found are synced. */
export async function ordersSettled(running: System): Promise<void> {
  const searches = () => running.magento.calls.filter(({ path }) => path === '/rest/V1/orders').length;
  const before = searches();
  await until('orders are searched twice more', () => searches() >= before + 2);
  await running.quiet();
  await new Promise(resolve => setTimeout(resolve, 300));
  await running.quiet();
}

/** A fault that only the first of these calls meets. */
export function faultOnce(fault: Fault, isMeant: (call: FakeCall) => boolean) {
  const lateMs = 'beginAfterMs' in fault ? fault.beginAfterMs : 0;
  let metAt = 0;
  return {
    of(call: FakeCall): Fault | undefined {
      if (metAt > 0 || !isMeant(call)) return undefined;
      metAt = Date.now();
      return fault;
    },
    /** When that call came, in milliseconds since 1970; 0 before. */
    metAt: () => metAt,
    /** Resolves when that call has come into effect. */
    carriedOut: () => until('it is carried out', () => metAt > 0 && Date.now() > metAt + lateMs + 200),
  };
}

/** Enqueues jobs, as a service would. */
export const enqueue = ({ database }: System, jobs: readonly NewJob[]) => enqueueJobs(database.url, jobs);

/** Uses what the services have stored in Redis. */
export async function withConnection<T>(
  { database }: System,
  use: (connection: RedisConnection) => Promise<T>,
): Promise<T> {
  const connection = connectToRedis(database.url, { whileUnreachable: { wait: true } });
  try {
    return await use(connection);
  } finally {
    connection.redis.disconnect();
  }
}

/** The dead letters. */
export function deadLettersOf(system: System): Promise<DeadLetter[]> {
  return withConnection(system, async connection => {
    const deadLetters = openDeadLetters(connection);
    const found = await deadLetters.list();
    await deadLetters.close();
    return found;
  });
}

/** A part with 50 in stock, whose product shows 999. */
export function widget(running: System, name = 'WIDGET-123') {
  const part = running.inventree.shop.addPart({ name });
  running.magento.store.addProduct(name, { quantity: 999 });
  return running.inventree.shop.insertItem({ part: part.pk, quantity: 50 });
}

/** The log of the workers: level and message. */
export const messages = (running: System) => running.workerLog().map(({ level, message }) => `${level} ${message}`);

/** The log lines that say that work waits for a system. */
export const waitLines = (running: System, system: 'InvenTree' | 'Magento') =>
  messages(running).filter(line => line.includes(`${system} `) && line.includes('Work waits and resumes by itself'));

/** Whether work waits, or waited, for a system. */
export const hasWaited = (running: System, system: 'InvenTree' | 'Magento') => waitLines(running, system).length > 0;

/** The quantity that the store shows. */
export const shown = (running: System, sku = 'WIDGET-123') => running.magento.store.shown(sku)?.quantity;

/** Whether a call changes something in Magento: an empty write, by which a right is proved, does not. */
export const isWrite = ({ method, body }: Pick<FakeCall, 'method' | 'body'>) =>
  method === 'POST' && JSON.stringify(body) !== '{"sourceItems":[]}';

/** An answer of Magento's application; without a message, as it answers an unforeseen error. */
export const jsonError = (status: number, message = 'Internal Error. Details are available in Magento log file.') => ({
  answer: { status, headers: { 'content-type': 'application/json' }, body: { message } },
});
