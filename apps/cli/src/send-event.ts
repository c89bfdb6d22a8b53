import { randomUUID } from 'node:crypto';
import { errorMessage, readSettings, setting, signedHeaders, type Environment } from '@stock-sync/service';
import { CommandError, UsageError } from './command';

export interface SendEventOptions {
  event: string;
  url: string;
  json?: boolean;
}

const TIMEOUT_MS = 10_000;

/** `stock-sync send-event`: sends an event about a part to ingest, as the plugin would. */
export async function sendEventCommand(
  environment: Environment,
  part: string,
  { event, url, json = false }: SendEventOptions,
): Promise<string> {
  const id = Number(part);
  if (!Number.isSafeInteger(id) || id < 1) throw new UsageError(`part: expected the id of a part, got '${part}'`);
  const { WEBHOOK_SECRET } = readSettings(environment, { WEBHOOK_SECRET: setting.webhookSecrets() });
  const [secret = Buffer.alloc(0)] = WEBHOOK_SECRET;
  const body = JSON.stringify({ event, part: id });
  const webhook = `msg_${randomUUID()}`;
  const { status, text } = await post(new URL('/webhooks/inventree', url), body, signedHeaders(webhook, body, secret));
  if (status !== 202) throw new CommandError(`Ingest answered ${status}: ${text}`);
  return json
    ? JSON.stringify({ status, webhook, answer: JSON.parse(text) as unknown }, undefined, 2)
    : `Ingest accepted ${event} of part ${id} as webhook ${webhook}.`;
}

async function post(
  url: URL,
  body: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    throw new CommandError(
      `Ingest does not answer at ${url.origin}: ${errorMessage(cause ?? error)}. Is it running? Use --url.`,
    );
  }
}
