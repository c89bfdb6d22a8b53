import { errorMessage, type Log } from '@stock-sync/service';
import type { ActiveAlerts, OrderRecord, Semaphore, SyncStatus } from '@stock-sync/state';
import { currentAlerts, type Alert, type AlertSettings } from './alerts';
import type { Channel, Notification } from './channels';

export interface NotifierDeps {
  channels: readonly Channel[];
  settings: AlertSettings;
  readStatus: () => Promise<SyncStatus>;
  /** Orders that only one of the two systems has shipped. */
  readUnbookedOrders: () => Promise<OrderRecord[]>;
  active: ActiveAlerts;
  /** One worker sends. */
  lease: Semaphore;
  shop: string;
  dashboardUrl: string | undefined;
  log: Log;
}

/** Sends one notification of each problem, and one when it is resolved. */
export interface Notifier {
  /** Sends a test through every channel; for each of them, why it failed. */
  test(): Promise<{ channel: string; failure: string | undefined }[]>;
  stop(): void;
}

/** How often the state is checked, in milliseconds. */
const CHECK_MS = 5_000;

/** Starts checking. What a channel does not accept is sent again at the next check, until it does. */
export function startNotifier(deps: NotifierDeps): Notifier {
  const { channels, active, log } = deps;
  const failing = new Set<string>();

  async function check(): Promise<void> {
    const release = await deps.lease.tryAcquire();
    if (!release) return;
    try {
      const [status, orders] = await Promise.all([deps.readStatus(), deps.readUnbookedOrders()]);
      const alerts = currentAlerts(status, orders, deps.settings);
      const before = await active.all();
      for (const alert of alerts) await tell(alert, before.get(alert.key)?.sentTo ?? []);
      for (const [key, { message, sentTo }] of before) {
        if (!alerts.some(alert => alert.key === key)) await resolve(key, message, sentTo);
      }
    } finally {
      await release();
    }
  }

  /** Sends a problem to the channels that do not have it yet. */
  async function tell({ key, message }: Alert, sentTo: readonly string[]): Promise<void> {
    const left = channels.filter(({ name }) => !sentTo.includes(name));
    if (left.length === 0) return;
    const told = await sendTo(left, notification('new', message));
    if (told.length > 0) await active.set(key, { message, sentTo: [...sentTo, ...told] });
  }

  /** Sends the end of a problem to the channels that have it. */
  async function resolve(key: string, message: string, sentTo: readonly string[]): Promise<void> {
    const left = channels.filter(({ name }) => sentTo.includes(name));
    const told = await sendTo(left, notification('resolved', message));
    const still = sentTo.filter(name => !told.includes(name) && channels.some(channel => channel.name === name));
    if (still.length === 0) await active.delete(key);
    else await active.set(key, { message, sentTo: still });
  }

  /** The channels that accepted it. */
  async function sendTo(some: readonly Channel[], what: Notification): Promise<string[]> {
    const results = await Promise.all(some.map(channel => trySending(channel, what)));
    return results.flatMap(({ channel, failure }) => (failure === undefined ? [channel] : []));
  }

  async function trySending({ name, send }: Channel, what: Notification) {
    try {
      await send(what);
      if (failing.delete(name)) log.info(`Notifications by ${name} are accepted again`);
      return { channel: name, failure: undefined };
    } catch (error) {
      const failure = errorMessage(error);
      if (!failing.has(name)) log.error(`A notification by ${name} was not accepted, and is tried again: ${failure}`);
      failing.add(name);
      return { channel: name, failure };
    }
  }

  const notification = (state: Notification['state'], message: string): Notification => {
    return { state, shop: deps.shop, message, link: deps.dashboardUrl };
  };

  let isChecking = false;
  const timer = setInterval(() => {
    if (isChecking || channels.length === 0) return;
    isChecking = true;
    check()
      .catch((error: unknown) => log.debug(`Notifications are not checked: ${errorMessage(error)}`))
      .finally(() => (isChecking = false));
  }, CHECK_MS);
  return {
    test: () => Promise.all(channels.map(channel => trySending(channel, notification('test', 'This is a test.')))),
    stop: () => clearInterval(timer),
  };
}
