import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { parseJob, skusIn, type HistoryEntry, type HistoryReader, type Parts } from '@stock-sync/state';
import type { Queue } from 'bullmq';
import ejs from 'ejs';
import type { Express, RequestHandler } from 'express';
import { partHref, skuHref } from './pages/layout';
import { jobName } from './reading/part-lists';

export interface BoardDeps {
  queues: readonly Queue[];
  parts: Parts;
  history: HistoryReader;
  path: string;
}

/** Parts whose SKU is kept to name their jobs. */
const KEPT_SKUS = 5_000;
const LOGGED_ENTRIES = 20;

/** Bull Board, with jobs that say what they are about, and links to the pages of their SKUs. */
export function createBoard({ queues, parts, history, path }: BoardDeps): RequestHandler {
  const skuOf = rememberSkus(parts);
  const adapter = new ExpressAdapter();
  adapter.setBasePath(path);
  createBullBoard({
    queues: queues.map(queue => {
      const board = new BoardQueue(queue, parts, history, skuOf);
      board.setFormatter('name', (job: { data: unknown; name: string }) =>
        queue.name === 'dead-letters' ? job.name : jobName(job.data, skuOf),
      );
      return board;
    }),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'InvenTree Magento Sync', miscLinks: [{ text: 'Overview', url: '/' }] } },
  });
  const board = adapter.getRouter() as Express;
  board.engine('ejs', withoutForeignFonts);
  return board;
}

/** The page asks an outside host for its fonts; a shop's browser need not reach one, nor tell it who works here. */
function withoutForeignFonts(file: string, values: object, done: (error: Error | null, text?: string) => void): void {
  ejs.renderFile(file, values).then(
    text => done(null, text.replace(/<link href="https?:[^>]*>/g, '')),
    (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
  );
}

/**
 * The SKU of a part, for the names of jobs, which are formatted at once: it is not known the first time, and the page
 * asks again after some seconds.
 */
function rememberSkus(parts: Parts): (part: number) => string | undefined {
  const known = new Map<number, string | undefined>();
  return part => {
    const sku = known.get(part);
    if (known.size > KEPT_SKUS) known.clear();
    parts.get([part]).then(
      ([state]) => known.set(part, skusIn(state)[0]),
      () => undefined,
    );
    return sku;
  };
}

/** A queue whose jobs link to the page of their SKU, and whose logs are what the history says of their run. */
class BoardQueue extends BullMQAdapter {
  constructor(
    private readonly source: Queue,
    private readonly partStates: Parts,
    private readonly history: HistoryReader,
    skuOf: (part: number) => string | undefined,
  ) {
    super(source, {
      externalJobUrl: ({ data }) => {
        const part = partIn(data);
        const sku = part === undefined ? undefined : skuOf(part);
        if (part === undefined) return { displayText: 'Overview', href: '/' };
        return { displayText: sku ?? `part ${part}`, href: sku === undefined ? partHref(part) : skuHref(sku) };
      },
    });
  }

  override async getJobLogs(id: string): Promise<string[]> {
    const job = await this.source.getJob(id);
    const part = partIn(job?.data);
    if (!job || part === undefined) return [];
    const [state] = await this.partStates.get([part]);
    const [sku] = skusIn(state);
    const since = job.timestamp;
    const until = job.finishedOn === undefined ? undefined : job.finishedOn + 1_000;
    const { entries } = await this.history.page({ part, sku, since, until }, LOGGED_ENTRIES);
    return entries.reverse().map(logLine);
  }
}

/** The part that a job or a dead letter is about. */
function partIn(data: unknown): number | undefined {
  const job = (data as { job?: unknown } | undefined)?.job ?? data;
  try {
    const parsed = parseJob(job);
    return parsed.kind === 'part' ? parsed.part : undefined;
  } catch {
    return undefined;
  }
}

function logLine({ at, outcome, from, to, cause, note, worker }: HistoryEntry): string {
  const change = from === null && to === null ? '' : ` ${from ?? '?'} → ${to ?? '?'}`;
  const why = note === null ? '' : `: ${note}`;
  return `${new Date(at).toISOString()} ${outcome}${change} (${cause}, ${worker})${why}`;
}
