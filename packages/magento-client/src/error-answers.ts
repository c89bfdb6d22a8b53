import { CallError, excerpt, failureKindOf, type Answer, type Call } from '@stock-sync/http-client';
import { z } from 'zod';

/** How Magento writes an error: a template and its parameters, as a list (%1) or by name (%fieldName). */
const errorBody = z.object({
  message: z.string(),
  parameters: z
    .union([z.array(z.unknown()), z.record(z.string(), z.unknown())])
    .optional()
    .catch(undefined),
});

export type MagentoErrorBody = z.infer<typeof errorBody>;

/** Magento's message with its parameters filled in. */
function fillMessage({ message, parameters }: MagentoErrorBody): string {
  if (!parameters) return message;
  return message.replace(/%(\w+)/g, (placeholder, name: string) => {
    const value = Array.isArray(parameters) ? parameters[Number(name) - 1] : parameters[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : placeholder;
  });
}

/** The error in the body of an answer; undefined where the body is a page or plain text. */
export function errorBodyOf(answer: Answer): MagentoErrorBody | undefined {
  const parsed = errorBody.safeParse(answer.body);
  return answer.isJson && parsed.success ? parsed.data : undefined;
}

/** A request was larger than the store's input limits allow (docs/facts/magento.md, "Inventory source items"). */
export class MagentoLimitError extends CallError {
  constructor(
    message: string,
    /** The most that the store accepts. */
    readonly limit: number,
  ) {
    super('Magento', 'refused', message, { status: 400 });
  }
}

const NO_ROUTE = 'Request does not match any route.';

/**
 * The error that an answer of status 300 and above amounts to (docs/facts/magento.md, "Authentication" and "Errors").
 */
export function errorFrom(answer: Answer, { path, direction = 'read' }: Call): CallError {
  const { status, retryAfterMs } = answer;
  const details = { status, direction, retryAfterMs };
  const body = errorBodyOf(answer);
  const reason = body ? fillMessage(body) : excerpt(answer.body);

  // Every refusal is 401, whether the token is wrong or lacks a right.
  if (status === 401 || status === 403) {
    return new CallError('Magento', 'credentials', `Magento refused the credentials: ${reason}`, details);
  }
  if (status === 400 && body?.message.startsWith('Signature method')) {
    return new CallError('Magento', 'credentials', `Magento refused the signature: ${reason}`, details);
  }
  if (status === 404 && body?.message === NO_ROUTE) {
    const remedy = 'Check MAGENTO_URL, and that the module is enabled.';
    const message = `Magento does not know ${pathOnly(path)} (${reason}) ${remedy}`;
    return new CallError('Magento', 'credentials', message, details);
  }
  const limit = body && limitIn(body);
  if (limit !== undefined) return new MagentoLimitError(`Magento: ${reason}`, limit);
  // Only a running application answers with JSON; a URL or a body that is too long is the fault of the request.
  if (status === 413 || status === 414 || status === 500 || (body && [400, 404, 422].includes(status))) {
    return new CallError('Magento', 'refused', `Magento answered ${status}: ${reason}`, details);
  }
  if (status >= 300 && status < 400) {
    const to = answer.location ?? 'another address';
    return new CallError('Magento', 'unavailable', `Magento redirects to ${to}: check MAGENTO_URL`, details);
  }
  return new CallError(
    'Magento',
    failureKindOf(status, retryAfterMs),
    `Magento answered ${status}: ${reason}`,
    details,
  );
}

function limitIn({ message, parameters }: MagentoErrorBody): number | undefined {
  if (!message.startsWith('Maximum ') || !parameters || Array.isArray(parameters)) return undefined;
  const { max } = parameters;
  return typeof max === 'number' && max > 0 ? max : undefined;
}

function pathOnly(path: string): string {
  return path.replace(/\?.*$/s, '');
}
