import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Route, FakeAnswer, FakeCall } from '../fake-http-server';
import { badRequest } from './lists';
import { isExpired } from './rows';
import { rounded, type FiredEvent, type InvenTreeShop, type Part, type Signals } from './shop';

/** The bulk reads of our plugin, as its own tests describe them. */
export function pluginRoutes(shop: InvenTreeShop): Route[] {
  const path = /^\/plugin\/magento-sync\/stock\/$/;
  return [
    {
      method: 'POST',
      path,
      handle: call => {
        const { parts, parameters = [], wanted = [] } = (call.body ?? {}) as Wishes & { parts?: unknown };
        if (!Array.isArray(parts) || parts.length > 1000)
          return badRequest({ parts: ['expected a list of at most 1000 ids'] });
        const unknown = unknownTemplate(shop, parameters);
        if (unknown) return unknown;
        const found = (parts as number[]).flatMap(pk => shop.parts.get(pk) ?? []);
        const missing = (parts as number[]).filter(pk => !shop.parts.has(pk));
        const rows = found.map(part => pluginPart(shop, part, { parameters, wanted }));
        return { status: 200, body: { parts: rows, missing } };
      },
    },
    { method: 'GET', path, handle: call => walk(shop, call) },
    {
      method: 'GET',
      path: /^\/plugin\/magento-sync\/categories\/$/,
      handle: () => ({
        status: 200,
        body: { categories: [...shop.categories].map(([pk, parent]) => ({ pk, parent })) },
      }),
    },
  ];
}

interface Wishes {
  parameters?: string[];
  wanted?: string[];
}

function walk(shop: InvenTreeShop, call: FakeCall): FakeAnswer {
  const after = Number(call.query.get('after') ?? 0);
  const limit = Number(call.query.get('limit') ?? 1000);
  if (!Number.isInteger(after)) return badRequest({ after: ['expected a whole number'] });
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) return badRequest({ limit: ['expected 1 to 1000'] });
  const unknown = unknownTemplate(shop, call.query.getAll('parameters'));
  if (unknown) return unknown;
  const keys = [...shop.parts.keys()].filter(pk => pk > after).sort((a, b) => a - b);
  const page = keys.slice(0, limit);
  const wishes = { parameters: call.query.getAll('parameters'), wanted: call.query.getAll('wanted') };
  const parts = page.flatMap(pk => shop.parts.get(pk) ?? []).map(part => pluginPart(shop, part, wishes));
  return { status: 200, body: { parts, next: keys.length > limit ? (page.at(-1) ?? null) : null } };
}

function unknownTemplate(shop: InvenTreeShop, names: readonly string[]): FakeAnswer | undefined {
  const known = [...shop.templates.values()].map(({ name }) => name);
  const unknown = names.find(name => !known.includes(name));
  if (unknown === undefined || shop.parts.size === 0) return undefined;
  return badRequest({ parameters: [`expected names of parameter templates, got '${unknown}'`] });
}

function pluginPart(shop: InvenTreeShop, part: Part, { parameters = [], wanted = [] }: Wishes) {
  const details = wanted.includes('details');
  const family = [part.pk, ...(wanted.includes('variants') && part.isTemplate ? shop.variantsOf(part.pk) : [])];
  const groups = new Map<string, { group: object; inStock: number; allocated: number }>();
  for (const item of family.flatMap(pk => shop.itemsOf(pk))) {
    if (!shop.isInStock(item)) continue;
    const status = { status: item.customStatus ?? item.status, expired: isExpired(item) };
    const group = { location: item.location, ...(details && status) };
    const key = JSON.stringify([group, item.part]);
    const at = groups.get(key) ?? { group, inStock: 0, allocated: 0 };
    at.inStock = rounded(at.inStock + item.quantity);
    at.allocated = rounded(at.allocated + shop.allocated(item.pk));
    groups.set(key, at);
  }
  const rows = [...groups.values()].map(({ group, inStock, allocated }) => ({
    ...group,
    in_stock: inStock.toFixed(5),
    allocated: allocated.toFixed(5),
  }));
  return {
    pk: part.pk,
    name: part.name,
    IPN: part.IPN,
    active: part.active,
    salable: part.salable,
    virtual: part.virtual,
    is_template: part.isTemplate,
    variant_of: part.variantOf,
    ...(details && { revision: part.revision, category: part.category }),
    ...(parameters.length > 0 && { parameters: Object.fromEntries(parameters.map(name => [name, valueOf(name)])) }),
    ...(wanted.includes('buildable') && {
      buildable: (part.assembly ? shop.buildable(part.pk) : 0).toFixed(5),
    }),
    in_stock: family.reduce((total, pk) => rounded(total + shop.inStock(pk)), 0).toFixed(5),
    [details ? 'stock' : 'locations']: rows,
  };

  function valueOf(name: string): string | null {
    const template = [...shop.templates.values()].find(t => t.name === name)?.pk;
    return shop.parametersOf(part.pk).find(p => p.template === template)?.data ?? null;
  }
}

/** Where and how to send webhooks. */
export interface WebhookTarget {
  url: string;
  /** `whsec_...` */
  secret: string;
  /**
   * `plugin`: as our plugin sends events, with parts. `bare`: each event of InvenTree alone, as another sender might.
   */
  sends: 'plugin' | 'bare';
  /** Milliseconds after which each webhook is sent again with the same id. */
  againAfterMs?: number;
  /** What happens to a webhook on its way. */
  fate?: () => { lost?: boolean; delayMs?: number; againAfterMs?: number };
  /** Receives every accepted webhook: its body, its id, and when it was sent. */
  onAccepted?: (body: unknown, id: string, sentAt: number) => void;
}

/** Sends a webhook until it is accepted, as InvenTree's task queue does. */
export interface WebhookSender {
  committed(signals: Signals): void;
  fired(event: FiredEvent): void;
  /** Resolves when all webhooks are accepted. */
  idle(): Promise<void>;
  stop(): void;
}

/** The pause before a webhook that was not accepted is sent again, in milliseconds. */
const AGAIN_MS = 300;

export function createWebhookSender(target: WebhookTarget): WebhookSender {
  let stopped = false;
  const underWay = new Set<Promise<void>>();

  async function deliver(body: string, id: string): Promise<void> {
    while (!stopped) {
      const sentAt = Date.now();
      const status = await post(target, body, id).catch(() => 0);
      if (status === 202) target.onAccepted?.(JSON.parse(body), id, sentAt);
      if (status === 202 || (status >= 400 && status < 500 && status !== 429)) return;
      await sleep(AGAIN_MS);
    }
  }

  function send(content: unknown): void {
    const body = JSON.stringify(content);
    const id = `msg_${randomUUID()}`;
    const { lost = false, delayMs = 0, againAfterMs = target.againAfterMs } = target.fate?.() ?? {};
    if (lost) return;
    const delivery = sleep(delayMs).then(() => deliver(body, id));
    underWay.add(delivery);
    void delivery.finally(() => underWay.delete(delivery));
    if (againAfterMs !== undefined)
      void sleep(delayMs + againAfterMs).then(() => (stopped ? undefined : deliver(body, id)));
  }

  return {
    committed(signals) {
      if (target.sends !== 'plugin') return;
      const events = eventsOf(signals);
      for (let start = 0; start < events.length; start += 1000) send({ events: events.slice(start, start + 1000) });
    },
    fired({ event, kwargs }) {
      if (target.sends === 'bare') send({ event, ...kwargs });
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    stop: () => void (stopped = true),
  };
}

/** The events of a transaction as our plugin sends them: one per kind, each with all of its parts. */
function eventsOf(signals: Signals): Record<string, unknown>[] {
  const withParts = (event: string, parts: Set<number>) => (parts.size > 0 ? [{ event, parts: [...parts] }] : []);
  return [
    ...withParts('stock_stockitem.created', signals.created),
    ...withParts('stock_stockitem.saved', signals.saved),
    ...withParts('stock_stockitem.deleted', signals.deleted),
    ...withParts('part_part.saved', signals.partsSaved),
    ...withParts('part_part.deleted', signals.partsDeleted),
    ...withParts('stock_sync.parts_changed', signals.touched),
    ...(signals.everything ? [{ event: 'stock_sync.everything_changed' }] : []),
  ];
}

/** Posts a webhook, signed by the Standard Webhooks specification; resolves with the status of the answer. */
export async function post(
  { url, secret }: Pick<WebhookTarget, 'url' | 'secret'>,
  body: string,
  id: string,
): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const response = await fetch(`${url}/webhooks/inventree`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatureOf(secret, id, timestamp, body),
    },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}

/** The signature header of a webhook. */
export function signatureOf(secret: string, id: string, timestamp: string, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
