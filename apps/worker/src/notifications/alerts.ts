import {
  age,
  counted,
  isUnbooked,
  orderNext,
  PLUGIN_SILENT_MS,
  type OrderRecord,
  type SyncStatus,
} from '@stock-sync/state';

/** Something that somebody must know of. */
export interface Alert {
  /** The same while it is about the same: one message when it begins, and one when it is resolved. */
  key: string;
  /** What is wrong, and what to do. */
  message: string;
}

export interface AlertSettings {
  /** How long a system may be unreachable before a notification is sent, in milliseconds. */
  outageMs: number;
  /** How long an order may be shipped in one system only, in milliseconds. */
  stuckOrderMs: number;
  /** When the InvenTree token expires, in milliseconds since 1970. */
  tokenExpiresAt: number | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** How long before the token expires a notification is sent. */
const EXPIRES_SOON_MS = 14 * DAY_MS;

const SYSTEMS = { 'inventree-read': 'InvenTree', 'magento-read': 'Magento', 'magento-write': 'Magento' } as const;

/** Everything that somebody must know of now. Times are those of Redis. */
export function currentAlerts(
  status: SyncStatus,
  orders: readonly OrderRecord[],
  { outageMs, stuckOrderMs, tokenExpiresAt }: AlertSettings,
): Alert[] {
  const { now, waitsFor, deadLetters, problems, heldBack, lastHeartbeat } = status;
  const alerts: Alert[] = [];
  for (const system of ['InvenTree', 'Magento'] as const) {
    const open = waitsFor.filter(({ name, since }) => SYSTEMS[name] === system && now - since >= outageMs);
    const [first] = open.sort((a, b) => a.since - b.since);
    if (!first) continue;
    const message = `${system} cannot be reached for ${age(now - first.since)}: ${first.reason}. Work waits.`;
    alerts.push({ key: system, message });
  }
  if (heldBack > 0) {
    const what = `The mass-zero guard holds back ${counted(heldBack, 'part')} that would fall to zero at once.`;
    const remedy = 'If the shelves really are empty: stock-sync reconcile --force';
    alerts.push({ key: 'mass-zero guard', message: `${what} ${remedy}` });
  }
  if (deadLetters > 0) {
    const message = `${counted(deadLetters, 'part')} cannot be synced: stock-sync dead-letters list`;
    alerts.push({ key: 'dead letters', message });
  }
  if (lastHeartbeat && now - lastHeartbeat.at > PLUGIN_SILENT_MS) {
    const remedy = "check InvenTree's background worker. Until then changes are found by the sweep";
    const message = `The InvenTree plugin is silent for ${age(now - lastHeartbeat.at)}: ${remedy}.`;
    alerts.push({ key: 'plugin', message });
  }
  for (const record of orders) {
    if (!isUnbooked(record) || now - (record.booked?.at ?? now) < stuckOrderMs) continue;
    const { order, incrementId } = record;
    alerts.push({ key: `order ${order}`, message: `Order ${incrementId} is stuck: ${orderNext(record)}.` });
  }
  for (const problem of problems) alerts.push({ key: `problem ${problem}`, message: problem });
  if (tokenExpiresAt !== undefined && tokenExpiresAt - now < EXPIRES_SOON_MS) {
    const left = tokenExpiresAt - now;
    const when = left > 0 ? `expires in ${age(left)}` : 'has expired';
    const message = `The InvenTree token ${when}: create a new one, and set INVENTREE_TOKEN and its date.`;
    alerts.push({ key: 'InvenTree token', message });
  }
  return alerts;
}
