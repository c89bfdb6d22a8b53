import { formatTarget } from '@stock-sync/domain';
import { remedyOf, type DeadLetter, type ExplainAnswer, type Explanation, type HistoryPage } from '@stock-sync/state';
import { HistoryTable } from './history';
import { ActionButton, partHref, Time, type PageFrame } from './layout';

/** What a SKU's page knows without asking a worker. */
export interface SkuData {
  /** The SKU; undefined on the page of a part without one. */
  sku: string | undefined;
  parts: readonly number[];
  /** When it was last synced, and how that ended. */
  lastSync: { at: number; outcome: string; target: string | undefined } | undefined;
  deadLetters: readonly DeadLetter[];
  history: HistoryPage;
  /** The job that is on the way, on the board. */
  jobHref: string | undefined;
}

/** The page of a SKU, or of a part: how its quantity is made up, what both systems show now, and what happened. */
export function SkuPage({ data, frame }: { data: SkuData; frame: PageFrame }) {
  const { sku, parts, lastSync, deadLetters, history, jobHref } = data;
  const subject = sku ?? String(parts[0] ?? '');
  const explanation = `/explanation?of=${encodeURIComponent(subject)}`;
  const mayAct = frame.user.role === 'operator';
  return (
    <>
      <h1>{sku ?? `Part ${subject}`}</h1>
      <p>
        {lastSync ? (
          <>
            Last sync <Time at={lastSync.at} /> UTC: {lastSync.outcome}
            {lastSync.target !== undefined && `, should show ${lastSync.target}`}.
          </>
        ) : (
          'It was never synced.'
        )}
        {jobHref !== undefined && (
          <>
            {' '}
            <a href={jobHref}>A job is on the way.</a>
          </>
        )}
      </p>
      {deadLetters.map(deadLetter => (
        <div class="problem">
          <p>
            <strong>Dead letter:</strong> {deadLetter.reason}
          </p>
          <p>{remedyOf(deadLetter)}</p>
        </div>
      ))}
      <div class="actions">
        {mayAct && parts.length > 0 && (
          <ActionButton action="/actions/sync" csrf={frame.csrf} fields={{ parts: parts.join(','), back: frame.path }}>
            Sync now
          </ActionButton>
        )}
        {mayAct && deadLetters.length > 0 && <DeadLetterActions deadLetters={deadLetters} frame={frame} />}
      </div>
      <section>
        <h2>Now</h2>
        <div id="explanation" hx-get={explanation} hx-trigger="load" aria-live="polite">
          <p>Asking both systems ...</p>
        </div>
        <p>
          <button class="quiet" hx-get={explanation} hx-target="#explanation">
            Check now
          </button>
        </p>
      </section>
      <section>
        <h2>History</h2>
        <HistoryTable page={history} isOfOneSku={sku !== undefined} />
        {history.next !== undefined && sku !== undefined && (
          <p>
            <a href={`/history?sku=${encodeURIComponent(sku)}&before=${history.next}`}>Older entries</a>
          </p>
        )}
      </section>
    </>
  );
}

/** Replay or discard these dead letters. */
export function DeadLetterActions({ deadLetters, frame }: { deadLetters: readonly DeadLetter[]; frame: PageFrame }) {
  const fields = { ids: deadLetters.map(({ id }) => id).join(','), back: frame.path };
  return (
    <>
      <ActionButton action="/actions/replay" csrf={frame.csrf} fields={fields}>
        Replay
      </ActionButton>
      <ActionButton action="/actions/discard" csrf={frame.csrf} fields={fields} isQuiet>
        Discard
      </ActionButton>
    </>
  );
}

/** What a worker says about a SKU now. */
export function ExplanationText({ answer }: { answer: ExplainAnswer }) {
  if ('failure' in answer) return <p class="problem">{answer.failure}.</p>;
  return (
    <>
      {answer.explanations.map(explanation => (
        <PartNow {...explanation} />
      ))}
    </>
  );
}

function PartNow({ part, name, quantity, target, store }: Explanation) {
  const should = target && formatTarget(target);
  return (
    <dl>
      <dt>
        InvenTree, <a href={partHref(part)}>part {part}</a>
      </dt>
      <dd>
        {name}: {quantity}
      </dd>
      {store.map(({ sku, shows, parts }) => (
        <>
          <dt>Magento, {sku}</dt>
          <dd>
            shows {shows}
            {should !== undefined && parts.length < 2 && (shows === should ? ': equal' : `, should show ${should}`)}
          </dd>
        </>
      ))}
    </dl>
  );
}
