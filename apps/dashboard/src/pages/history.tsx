import { HISTORY_OUTCOMES, type HistoryEntry, type HistoryPage } from '@stock-sync/state';
import { partHref, skuHref, Time } from './layout';

/** The fields of the form, as they were sent. */
export interface HistoryForm {
  sku: string;
  outcome: string;
  cause: string;
  since: string;
  until: string;
}

/** The history of all SKUs, with its filter. */
export function HistoryList({ form, page }: { form: HistoryForm; page: HistoryPage }) {
  const query = (more: Record<string, string>) => {
    const given = Object.entries({ ...form, ...more }).filter(([, value]) => value !== '');
    return new URLSearchParams(given).toString();
  };
  return (
    <>
      <h1>History</h1>
      <form class="filter" action="/history">
        <label>
          SKU <input name="sku" value={form.sku} />
        </label>
        <label>
          Outcome{' '}
          <select name="outcome">
            <option value="">any</option>
            {HISTORY_OUTCOMES.map(outcome => (
              <option selected={outcome === form.outcome}>{outcome}</option>
            ))}
          </select>
        </label>
        <label>
          Cause <input name="cause" value={form.cause} />
        </label>
        <label>
          From (UTC) <input type="datetime-local" name="since" value={form.since} />
        </label>
        <label>
          To (UTC) <input type="datetime-local" name="until" value={form.until} />
        </label>
        <button>Filter</button>
        <a href={`/history.csv?${query({})}`}>Export CSV</a>
      </form>
      <HistoryTable page={page} />
      {page.next !== undefined && (
        <p>
          <a href={`/history?${query({ before: page.next })}`}>Older entries</a>
        </p>
      )}
    </>
  );
}

/** Entries of the history, the latest first, and why older ones are missing. */
export function HistoryTable({ page, isOfOneSku = false }: { page: HistoryPage; isOfOneSku?: boolean }) {
  return (
    <>
      {page.missing !== undefined && (
        <p class="notice" role="status">
          {page.missing}
        </p>
      )}
      {page.entries.length === 0 ? (
        <p>There is no such entry.</p>
      ) : (
        <Entries entries={page.entries} isOfOneSku={isOfOneSku} />
      )}
    </>
  );
}

function Entries({ entries, isOfOneSku }: { entries: HistoryEntry[]; isOfOneSku: boolean }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Entries">
      <table>
        <thead>
          <tr>
            <th scope="col">Time (UTC)</th>
            {!isOfOneSku && <th scope="col">SKU</th>}
            <th scope="col">Outcome</th>
            <th scope="col">Old</th>
            <th scope="col">New</th>
            <th scope="col">Cause and reason</th>
            <th scope="col">Steps</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(entry => (
            <tr>
              <td>
                <Time at={entry.at} />
              </td>
              {!isOfOneSku && (
                <td>
                  <Subject {...entry} />
                </td>
              )}
              <td>
                <Outcome outcome={entry.outcome} />
              </td>
              <td class="number">{entry.from}</td>
              <td class="number">{entry.to}</td>
              <td>
                {entry.cause}
                {entry.note !== null && <small>{entry.note}</small>}
              </td>
              <td>
                <small>{stepsOf(entry)}</small>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A link to what an entry or a dead letter is about. */
export function Subject({ sku, part }: { sku: string | null; part: number | null }) {
  if (sku !== null) return <a href={skuHref(sku)}>{sku}</a>;
  return part === null ? null : <a href={partHref(part)}>part {part}</a>;
}

/** An outcome, with a mark that does not depend on colour alone. */
export function Outcome({ outcome }: { outcome: string }) {
  return <span class={`outcome ${outcome.replaceAll(' ', '-')}`}>{outcome}</span>;
}

/** "event, 210 ms later read, 90 ms later written, by shop:17" */
function stepsOf({ outcome, waitedMs, tookMs, worker, webhook }: HistoryEntry): string {
  const end = outcome === 'updated' ? 'written' : 'decided';
  const steps = waitedMs === null || tookMs === null ? [] : [`read after ${waitedMs} ms`, `${end} ${tookMs} ms later`];
  return [...steps, `by ${worker}`, ...(webhook === null ? [] : [`webhook ${webhook}`])].join(', ');
}
