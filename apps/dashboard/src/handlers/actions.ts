import { hostname } from 'node:os';
import type { Log } from '@stock-sync/service';
import {
  counted,
  replayOf,
  skusIn,
  type DeadLetter,
  type DeadLetters,
  type History,
  type HistoryOutcome,
  requestNotificationTest,
  type JobQueues,
  type Parts,
  type RedisConnection,
} from '@stock-sync/state';
import type { Request, RequestHandler, Response } from 'express';
import { userOf } from '../login/sessions';
import { field, fields } from './page-frame';

export interface ActionDeps {
  connection: RedisConnection;
  parts: Parts;
  queues: JobQueues;
  deadLetters: DeadLetters;
  recordHistory: History['record'];
  /** Each action leaves one line: who did what. */
  log: Log;
}

const NOTHING_CHOSEN = 'Nothing was done: choose at least one dead letter that is still there.';

/** What operators can do. Each action leaves a line in the log, and an entry in the history of each part. */
export function createActions(deps: ActionDeps) {
  const { parts, queues, deadLetters, recordHistory, log } = deps;
  return { sync, replay, discard, reconcile, 'test-notification': testNotification } satisfies Record<
    string,
    RequestHandler
  >;

  /** POST /actions/sync: sync these parts now. */
  async function sync(request: Request, response: Response): Promise<void> {
    const ids = field(request.body, 'parts').split(',').map(Number);
    if (ids.some(id => !Number.isSafeInteger(id) || id < 1)) {
      response.status(400).type('text/plain').send('parts: expected ids of parts, separated by commas');
      return;
    }
    const by = userOf(response.locals).name;
    await queues.enqueue(ids.map(part => ({ kind: 'part', part, event: `sync by ${by}` })));
    const states = await parts.get(ids);
    const about = ids.flatMap((part, index) => {
      const skus: (string | null)[] = skusIn(states[index]);
      return (skus.length > 0 ? skus : [null]).map(sku => ({ part, sku }));
    });
    await record(response, 'requested', 'sync', about);
    done(request, response, `${counted(ids.length, 'part')} will be synced.`);
  }

  /** POST /actions/replay: run the jobs of dead letters again. */
  async function replay(request: Request, response: Response): Promise<void> {
    const chosen = await selected(request);
    if (chosen.length === 0) return done(request, response, NOTHING_CHOSEN);
    await queues.enqueue(chosen.flatMap(one => replayOf(one) ?? []));
    await record(response, 'requested', 'replay', chosen);
    done(request, response, `${counted(chosen.length, 'dead letter')} replayed. It goes when its part is in sync.`);
  }

  /** POST /actions/discard: remove dead letters; the next event of a part syncs it all the same. */
  async function discard(request: Request, response: Response): Promise<void> {
    const chosen = await selected(request);
    if (chosen.length === 0) return done(request, response, NOTHING_CHOSEN);
    for (const { id } of chosen) await deadLetters.remove(id);
    await record(response, 'discarded', 'discard', chosen);
    done(request, response, `${counted(chosen.length, 'dead letter')} discarded.`);
  }

  /** POST /actions/reconcile: compare both systems now. */
  async function reconcile(request: Request, response: Response): Promise<void> {
    await queues.enqueue([{ kind: 'reconcile', event: `reconcile by ${userOf(response.locals).name}` }]);
    await record(response, 'requested', 'reconcile', []);
    done(request, response, 'A reconcile will start.');
  }

  /** POST /actions/test-notification: send a test through every channel. */
  async function testNotification(request: Request, response: Response): Promise<void> {
    await record(response, 'requested', 'test of the notifications', []);
    const { lines } = await requestNotificationTest(deps.connection, queues);
    done(request, response, `Test of the notifications. ${lines.join(' ')}`);
  }

  /** The dead letters that the form names: by id, or all of one kind. */
  async function selected(request: Request): Promise<DeadLetter[]> {
    const ids = fields(request.body, 'ids').flatMap(text => text.split(','));
    const kind = field(request.body, 'kind');
    const all = await deadLetters.list();
    return all.filter(({ id, errorKind }) => (kind === '' ? ids.includes(id) : errorKind === kind));
  }

  async function record(
    response: Response,
    outcome: HistoryOutcome,
    action: string,
    about: readonly { part: number | null; sku: string | null }[],
  ): Promise<void> {
    const { name, role } = userOf(response.locals);
    const subjects = about.map(({ sku, part }) => sku ?? `part ${part}`);
    const what = subjects.length === 0 ? '' : `: ${subjects.slice(0, 20).join(', ')}`;
    log.info(`Audit: ${name} requested ${action}${what}`, { user: name, role, action, subjects });
    const common = { cause: `${action} by ${name}`, from: null, to: null, note: null, waitedMs: null, tookMs: null };
    const worker = `dashboard ${hostname()}`;
    await recordHistory(about.map(({ part, sku }) => ({ ...common, part, sku, outcome, worker, webhook: null })));
  }

  /** Back to the page of the form, which says what was done. */
  function done(request: Request, response: Response, notice: string): void {
    const back = field(request.body, 'back');
    request.session.notice = notice;
    response.redirect(303, /^\/(?![/\\])/.test(back) ? back : '/');
  }
}
