import { eventTitle, PART_LISTS, type ListedSku, type PartListName, type WaitingPart } from '../reading/part-lists';
import { Outcome } from './history';
import { partHref, skuHref, Time } from './layout';

/** The most rows of a list. */
export const MOST_ROWS = 200;

/** SKUs in one list, or with a text in their SKU. */
export function PartsPage({
  list,
  search,
  found,
}: {
  list: PartListName | undefined;
  search: string;
  found: readonly ListedSku[];
}) {
  return (
    <>
      <h1>{list ? PART_LISTS[list].title : 'Parts'}</h1>
      <ListNavigation current={list} />
      <form class="filter" action="/parts">
        {list && <input type="hidden" name="list" value={list} />}
        <label>
          SKU contains <input name="search" value={search} />
        </label>
        <button>Filter</button>
      </form>
      {found.length === 0 ? (
        <p>There is none.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Parts">
          <table>
            <thead>
              <tr>
                <th scope="col">SKU</th>
                <th scope="col">Part</th>
                <th scope="col">Last sync</th>
                <th scope="col" class="number">
                  Should show
                </th>
                <th scope="col">Time (UTC)</th>
              </tr>
            </thead>
            <tbody>
              {found.map(({ sku, part, outcome, target, at }) => (
                <tr>
                  <td>
                    <a href={skuHref(sku)}>{sku}</a>
                  </td>
                  <td>{part}</td>
                  <td>
                    <Outcome outcome={outcome} />
                  </td>
                  <td class="number">{target}</td>
                  <td>
                    <Time at={at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.length === MOST_ROWS && <p>These are the first {MOST_ROWS}. Filter to see others.</p>}
    </>
  );
}

/** Parts that wait for their sync. */
export function WaitingPage({ waiting, now }: { waiting: readonly WaitingPart[]; now: number }) {
  return (
    <>
      <h1>Waiting</h1>
      <ListNavigation current="waiting" />
      {waiting.length === 0 ? (
        <p>No part waits.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Part</th>
              <th scope="col">Cause</th>
              <th scope="col" class="number">
                Waits for
              </th>
              <th scope="col" class="number">
                Failed attempts
              </th>
            </tr>
          </thead>
          <tbody>
            {waiting.map(({ part, event, acceptedAt, attempts }) => (
              <tr>
                <td>
                  <a href={partHref(part)}>{part}</a>
                </td>
                <td>{eventTitle(event)}</td>
                <td class="number">{Math.max(0, Math.round((now - acceptedAt) / 1000))} s</td>
                <td class="number">{attempts}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function ListNavigation({ current }: { current: PartListName | 'waiting' | undefined }) {
  const lists = Object.entries(PART_LISTS).map(([name, { title }]) => [name, title] as const);
  return (
    <nav class="lists" aria-label="Lists">
      <a href="/parts" aria-current={current === undefined ? 'page' : undefined}>
        All
      </a>
      {[...lists, ['waiting', 'Waiting'] as const].map(([name, title]) => (
        <a href={`/parts?list=${name}`} aria-current={name === current ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}
