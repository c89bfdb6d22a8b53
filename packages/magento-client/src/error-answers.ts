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

/** Whether the store refused a call because it computed another signature. */
export function isBadSignature(answer: Answer): boolean {
  return answer.status === 401 && (errorBodyOf(answer)?.message.startsWith('The signature is invalid') ?? false);
}

/** Where Magento's administration has the rights that we need, under the integration's _API_. */
const RIGHTS: Readonly<Record<string, string>> = {
  'Magento_Catalog::products': 'Catalog > Inventory > Products',
  'Magento_CatalogInventory::cataloginventory': 'Catalog > Inventory > Catalog inventory',
  'Magento_InventoryApi::source': 'Stores > Inventory > Sources',
  'Magento_InventoryApi::stock': 'Stores > Inventory > Stocks',
  'Magento_InventoryApi::stock_source_item_assign': 'Stores > Inventory > Stocks > Source Item Assigning',
  'Magento_Backend::store': 'Stores > Settings > All Stores',
  'Magento_InventoryApi::stock_source_link': 'Stores > Inventory > Stocks > Source Link',
  'Magento_Sales::sales': 'Sales > Operations',
  'Magento_Sales::shipment': 'Sales > Operations > Shipments',
  'Magento_Sales::sales_creditmemo': 'Sales > Operations > Credit Memos',
  'Magento_Sales::actions_view': 'Sales > Operations > Orders > Actions > View',
};

const NO_ROUTE = 'Request does not match any route.';

/**
 * The error that an answer of status 300 and above amounts to (docs/facts/magento.md, "Authentication" and "Errors").
 */
export function errorFrom(answer: Answer, { path, direction = 'read' }: Call): CallError {
  const { status, retryAfterMs } = answer;
  const details = { status, direction, retryAfterMs };
  const body = errorBodyOf(answer);
  const reason = body ? fillMessage(body) : excerpt(answer.body);

  if (isClockRefused(status, body)) {
    const message = `Magento refused the time of the signature: ${reason}. ${clockDifference(answer)}`;
    return new CallError('Magento', 'credentials', message, details);
  }
  // Magento's own refusals are 401, whether the token is wrong or lacks a right; a page comes from something before it.
  if ((status === 401 || status === 403) && !body) {
    const message = `Magento, or a firewall before it, refused ${pathOnly(path)} with ${status}: ${reason}`;
    return new CallError('Magento', 'credentials', message, details);
  }
  if (status === 401 || status === 403) {
    const message = `Magento refused the credentials: ${reason}${remedyFor(body)}`;
    return new CallError('Magento', 'credentials', message, details);
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

/** The box to tick, where the refusal names a right that we know. */
function remedyFor(body: MagentoErrorBody | undefined): string {
  const { parameters } = body ?? {};
  const resources = parameters && !Array.isArray(parameters) ? parameters.resources : undefined;
  const right = typeof resources === 'string' ? RIGHTS[resources] : undefined;
  return right ? ` Allow ${right} for the integration, save, and activate it again` : '';
}

function isClockRefused(status: number, body: MagentoErrorBody | undefined): boolean {
  return (status === 400 || status === 401) && /timestamp/i.test(body?.message ?? '');
}

function clockDifference({ dateMs }: Answer): string {
  if (dateMs === undefined) return 'Set the clock of this machine';
  const seconds = Math.round((Date.now() - dateMs) / 1000);
  return `The clock of this machine is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} that of the store`;
}

function limitIn({ message, parameters }: MagentoErrorBody): number | undefined {
  if (!message.startsWith('Maximum ') || !parameters || Array.isArray(parameters)) return undefined;
  const { max } = parameters;
  return typeof max === 'number' && max > 0 ? max : undefined;
}

function pathOnly(path: string): string {
  return path.replace(/\?.*$/s, '');
}
