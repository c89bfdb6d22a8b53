import { formatTarget, isSameSku } from '@stock-sync/domain';
import {
  QUEUES,
  skusIn,
  skuStateIn,
  type DeadLetters,
  type HistoryReader,
  type JobQueues,
  type Parts,
} from '@stock-sync/state';
import type { RequestHandler } from 'express';
import { renderPage } from '../pages/layout';
import { SkuPage, type SkuData } from '../pages/sku';
import { field, pageFrame } from './page-frame';

export interface ShowSkuDeps {
  parts: Parts;
  deadLetters: DeadLetters;
  history: HistoryReader;
  queues: JobQueues;
  boardPath: string;
}

/** Entries of the history on the page. */
const ENTRIES = 50;

/** GET /sku?sku=WIDGET-123 and GET /part?id=45 */
export function showSku(deps: ShowSkuDeps): RequestHandler {
  return async (request, response) => {
    const frame = pageFrame(request, response);
    const sku = field(request.query, 'sku');
    const id = Number(field(request.query, 'id'));
    if (sku === '' && !(Number.isSafeInteger(id) && id > 0)) {
      response.status(400).type('text/plain').send('sku: expected a SKU, or id: the id of a part');
      return;
    }
    const data = await (sku === '' ? dataOfPart(id) : dataOfSku(sku));
    response.send(renderPage(data.sku ?? `Part ${id}`, frame, <SkuPage data={data} frame={frame} />));
  };

  async function dataOfPart(part: number): Promise<SkuData> {
    const [state] = await deps.parts.get([part]);
    const [sku, ...others] = skusIn(state);
    if (sku !== undefined && others.length === 0) return dataOfSku(sku);
    return read(undefined, [part], { part });
  }

  async function dataOfSku(sku: string): Promise<SkuData> {
    const [parts = []] = await deps.parts.withSkus([sku]);
    return read(sku, parts, { sku });
  }

  async function read(
    sku: string | undefined,
    parts: readonly number[],
    filter: { sku: string } | { part: number },
  ): Promise<SkuData> {
    const [states, allDeadLetters, history, jobHref] = await Promise.all([
      deps.parts.get(parts),
      deps.deadLetters.list(),
      deps.history.page(filter, ENTRIES),
      hrefOfJob(parts[0]),
    ]);
    const [state] = states;
    return {
      sku,
      parts,
      lastSync: state && {
        at: state.at,
        outcome: (sku === undefined ? undefined : skuStateIn(state, sku)?.outcome) ?? state.outcome,
        target: state.target && formatTarget(state.target),
      },
      deadLetters: allDeadLetters.filter(found => {
        const isOfPart = found.part !== null && parts.includes(found.part);
        return isOfPart || (sku !== undefined && found.sku !== null && isSameSku(found.sku, sku));
      }),
      history,
      jobHref,
    };
  }

  /** The job of a part that waits or runs, on the board. */
  async function hrefOfJob(part: number | undefined): Promise<string | undefined> {
    if (part === undefined) return undefined;
    const id = await deps.queues.jobOfPart(part);
    return id && `${deps.boardPath}/queue/${QUEUES.parts}/${id}`;
  }
}
