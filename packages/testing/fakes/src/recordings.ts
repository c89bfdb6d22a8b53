import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A recorded call of a real system. */
export interface Recording {
  name: string;
  note: string;
  request: { method: string; path: string; headers: Record<string, string>; body?: unknown };
  response: { status: number; headers: Record<string, string>; body: unknown };
}

/** A call of our clients and the answer of a real system. */
export interface AsSentRecording {
  request: { method: string; path: string; body?: unknown };
  response: { status: number; contentType: string; body: unknown };
}

/** A recorded user action in InvenTree: its calls, and every event it fired. */
export interface ActionRecording {
  action: string;
  before: { name: string; in_stock: number }[];
  calls: { request: { method: string; path: string; body?: unknown }; response: { status: number; body: unknown } }[];
  events: RecordedEvent[];
}

export interface RecordedEvent {
  event: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
}

const folder = join(__dirname, '..', 'recordings');
const MAGENTO = 'magento-2.4.4';
/** What our own clients sent to a real Magento 2.4.7. */
const MAGENTO_AS_SENT = ['magento-2.4.7', 'as-sent'];
const INVENTREE = 'inventree-1.4';

function read<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(folder, ...path), 'utf8')) as T;
}

function names(...path: string[]): string[] {
  return readdirSync(join(folder, ...path))
    .filter(file => file.endsWith('.json'))
    .map(file => file.slice(0, -'.json'.length))
    .sort();
}

/** The systems that were recorded. */
export type RecordedSystem = 'inventree' | 'magento';

const FOLDERS: Readonly<Record<RecordedSystem, readonly string[][]>> = {
  inventree: [[INVENTREE], [INVENTREE, 'as-sent'], [INVENTREE, 'sales-orders']],
  magento: [[MAGENTO], MAGENTO_AS_SENT, ['magento-2.4.7', 'orders']],
};

/** Every recorded call of a system, those of user actions included. */
export function allRecordings(system: RecordedSystem): Pick<Recording, 'request' | 'response'>[] {
  const calls = FOLDERS[system].flatMap(path =>
    names(...path).map(name => read<Pick<Recording, 'request' | 'response'>>(...path, `${name}.json`)),
  );
  if (system === 'magento') return calls;
  const actions = actionRecordings().flatMap(name => actionRecording(name).calls);
  return [...calls, ...(actions as Pick<Recording, 'request' | 'response'>[])];
}

export const magentoRecordings = () => names(MAGENTO);
export const magentoRecording = (name: string) => read<Recording>(MAGENTO, `${name}.json`);
export const orderRecording = (name: string) => read<AsSentRecording>('magento-2.4.7', 'orders', `${name}.json`);
export const asSentRecordings = () => names(...MAGENTO_AS_SENT);
export const asSentRecording = (name: string) => read<AsSentRecording>(...MAGENTO_AS_SENT, `${name}.json`);
export const inventreeRecordings = () => names(INVENTREE);
export const inventreeRecording = (name: string) => read<Recording>(INVENTREE, `${name}.json`);
export const salesOrderRecording = (name: string) => read<AsSentRecording>(INVENTREE, 'sales-orders', `${name}.json`);
export const actionRecordings = () => names(INVENTREE, 'actions');
export const actionRecording = (name: string) => read<ActionRecording>(INVENTREE, 'actions', `${name}.json`);
