import {
  CredentialsError,
  TryLaterError,
  WrongItemError,
  excerpt,
  type Answer,
  type Call,
  type CallError,
} from '@stock-sync/http-client';
import { z } from 'zod';

/** How Magento writes an error: a template and what goes into it, as a list (%1) or by name (%fieldName). */
const errorBody = z.object({
  message: z.string(),
  parameters: z
    .union([z.array(z.unknown()), z.record(z.string(), z.unknown())])
    .optional()
    .catch(undefined),
});

export type MagentoErrorBody = z.infer<typeof errorBody>;

/** Magento's message with its parameters filled in. */
export function filledMessage({ message, parameters }: MagentoErrorBody): string {
  if (!parameters) return message;
  return message.replace(/%(\w+)/g, (placeholder, name: string) => {
    const value = Array.isArray(parameters) ? parameters[Number(name) - 1] : parameters[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : placeholder;
  });
}

/** The error in an answer's body; undefined where the body is a page or a bare text. */
export function errorBodyOf(answer: Answer): MagentoErrorBody | undefined {
  const parsed = errorBody.safeParse(answer.body);
  return answer.isJson && parsed.success ? parsed.data : undefined;
}

/** A whole request was larger than the store's input limits allow [recordings limit-array-21, limit-page-size-301]. */
export class MagentoLimitError extends WrongItemError {
  constructor(
    message: string,
    /** The most that the store takes. */
    readonly limit: number,
  ) {
    super('Magento', message, { status: 400 });
  }
}

const NO_ROUTE = 'Request does not match any route.';

/** What an answer of status 300 and above means for whoever made the call. */
export function errorFrom(answer: Answer, { path, isWrite = false }: Call): CallError {
  const details = { status: answer.status, duringWrite: isWrite };
  const { status } = answer;
  const body = errorBodyOf(answer);
  const said = body ? filledMessage(body) : excerpt(answer.body);

  // Every refusal is a 401, whether the token is wrong or lacks a resource [recordings auth-none, auth-oauth1-missing-acl].
  if (status === 401 || status === 403) {
    return new CredentialsError('Magento', `Magento refused the credentials: ${said}`, details);
  }
  if (body && status === 400 && body.message.startsWith('Signature method')) {
    return new CredentialsError('Magento', `Magento refused the signature: ${said}`, details);
  }
  if (body && status === 404 && body.message === NO_ROUTE) {
    return new CredentialsError(
      'Magento',
      `Magento does not know ${pathOnly(path)} (${said}) Check MAGENTO_URL, and that the module is enabled.`,
      details,
    );
  }
  const limit = body && limitIn(body);
  if (limit !== undefined) return new MagentoLimitError(`Magento: ${said}`, limit);
  // Only an application that is up answers with JSON; an address that is too long is the request's fault too. A 500 in any
  // shape may be one SKU's alone [recording msi-salable-missing]: whoever called weighs it.
  if (status === 413 || status === 414 || status === 500 || (body && [400, 404, 422].includes(status))) {
    return new WrongItemError('Magento', `Magento answered ${status}: ${said}`, details);
  }
  if (status >= 300 && status < 400) {
    const to = answer.location ?? 'another address';
    return new TryLaterError('Magento', `Magento redirects to ${to}: check MAGENTO_URL`, details);
  }
  return new TryLaterError('Magento', `Magento answered ${status}: ${said}`, {
    ...details,
    retryAfterMs: answer.retryAfterMs,
  });
}

function limitIn({ message, parameters }: MagentoErrorBody): number | undefined {
  if (!message.startsWith('Maximum ') || !parameters || Array.isArray(parameters)) return undefined;
  const { max } = parameters;
  return typeof max === 'number' && max > 0 ? max : undefined;
}

function pathOnly(path: string): string {
  return path.replace(/\?.*$/s, '');
}
