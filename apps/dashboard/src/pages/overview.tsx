import { age, PLUGIN_SILENT_MS, type Outcome, type SyncStatus } from '@stock-sync/state';
import { CHART_HOURS, type OverviewData } from '../reading/overview';
import { CallTable, LagChart } from './charts';
import { ActionButton, Time, type PageFrame } from './layout';

/** The overview: is the store right now, and if not, why? */
export function Overview({ data, frame }: { data: OverviewData; frame: PageFrame }) {
  const { status, activity } = data;
  return (
    <>
      <div role="status">
        <h1 class={data.needsAttention ? 'headline attention' : 'headline'}>{data.headline}</h1>
      </div>
      {status.problems.map(problem => (
        <p class="problem">{problem}</p>
      ))}
      {status.reconcile && <Progress {...status.reconcile} now={status.now} />}
      <Tiles data={data} />
      <section>
        <h2>From an event to the store, last {CHART_HOURS} hours</h2>
        <LagChart activity={activity} />
      </section>
      <div class="columns">
        <section>
          <h2>Calls, last {CHART_HOURS} hours</h2>
          <CallTable activity={activity} />
        </section>
        <section>
          <h2>State</h2>
          <States status={status} />
          {frame.user.role === 'operator' && (
            <div class="actions">
              <ActionButton action="/actions/reconcile" csrf={frame.csrf} fields={{}}>
                Reconcile now
              </ActionButton>
              <ActionButton action="/actions/test-notification" csrf={frame.csrf} fields={{}} isQuiet>
                Send a test notification
              </ActionButton>
            </div>
          )}
        </section>
      </div>
    </>
  );
}

function Tiles({ data: { counts, status, ambiguous } }: { data: OverviewData }) {
  const sum = (...outcomes: Outcome[]) => outcomes.reduce((total, one) => total + (counts.get(one) ?? 0), 0);
  const tiles: [string, number, string][] = [
    ['In sync', sum('updated', 'unchanged'), '/parts?list=in-sync'],
    ['Waiting', status.parts, '/parts?list=waiting'],
    ['Failing', status.deadLetters, '/dead-letters'],
    ['Not sold online', sum('skipped'), '/parts?list=not-sold-online'],
    ['Ambiguous', ambiguous, '/dead-letters?kind=ambiguous-sku'],
  ];
  const rare: [string, number, string][] = [
    ['Left as they are', sum('left'), '/parts?list=left'],
    ['Would be updated', sum('dry run'), '/parts?list=dry-run'],
  ];
  return (
    <ul class="tiles">
      {[...tiles, ...rare.filter(([, count]) => count > 0)].map(([name, count, href]) => (
        <li>
          <a href={href}>
            <strong>{count.toLocaleString('en')}</strong> <span>{name}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Progress({ event, parts, about, startedAt, now }: NonNullable<SyncStatus['reconcile']> & { now: number }) {
  const of = Math.max(about, parts, 1);
  const far = `${parts.toLocaleString('en')} of about ${of.toLocaleString('en')} parts`;
  return (
    <section class="progress">
      <label for="reconcile">
        Reconcile ({event}), {age(now - startedAt)}: {far}
      </label>
      <progress id="reconcile" max={of} value={parts} />
    </section>
  );
}

function States({ status }: { status: SyncStatus }) {
  const { lastReconcile, lastHeartbeat, waitsFor, heldBack, now } = status;
  return (
    <dl>
      <dt>Plugin</dt>
      <dd>{pluginState(lastHeartbeat, now)}</dd>
      <dt>Circuit breakers</dt>
      <dd>
        {waitsFor.length === 0
          ? 'closed: both systems can be reached'
          : waitsFor.map(({ name, reason, since, probeAt }) => (
              <p>
                {name} open since <Time at={since} />, next probe in {age(probeAt - now)}: {reason}
              </p>
            ))}
      </dd>
      <dt>Mass-zero guard</dt>
      <dd>{heldBack > 0 ? `holds back ${heldBack} parts` : 'holds nothing back'}</dd>
      <dt>Last reconcile</dt>
      <dd>
        {lastReconcile ? (
          <>
            <Time at={lastReconcile.at} />: {foundText(lastReconcile.counts)}
          </>
        ) : (
          'none yet'
        )}
      </dd>
    </dl>
  );
}

function pluginState(heartbeat: SyncStatus['lastHeartbeat'], now: number): string {
  if (!heartbeat) return 'no heartbeat yet: changes are found by the sweep';
  const when = `last heartbeat ${age(now - heartbeat.at)} ago`;
  const isSilent = now - heartbeat.at > PLUGIN_SILENT_MS;
  return isSilent ? `silent: ${when}` : `alive: ${when}, version ${heartbeat.plugin}, InvenTree ${heartbeat.inventree}`;
}

function foundText(counts: Readonly<Partial<Record<string, number>>>): string {
  const found = Object.entries(counts).flatMap(([kind, count = 0]) => (count > 0 ? [`${count} ${kind}`] : []));
  return found.join(', ') || 'no SKU';
}
