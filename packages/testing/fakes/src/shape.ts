/** Fields whose content depends on what a row is about. */
const FREE_FORM: ReadonlySet<string> = new Set(['deltas']);
/** Maps whose keys are names that a shop may add to: the statuses of stock. */
const BY_NAME: ReadonlySet<string> = new Set(['values']);

/** How a value differs from a recorded one in shape (keys, types). null is accepted for any type, and lists
 * are compared by their first entries. Undefined if the shapes are equal. */
export function shapeDifference(actual: unknown, recorded: unknown, at = 'body'): string | undefined {
  if (actual === null || recorded === null) return undefined;
  if (Array.isArray(recorded)) {
    if (!Array.isArray(actual)) return `${at}: expected a list, got ${typeof actual}`;
    if (recorded.length === 0 || actual.length === 0) return undefined;
    return shapeDifference(actual[0], recorded[0], `${at}[0]`);
  }
  if (typeof recorded !== typeof actual) return `${at}: expected ${typeof recorded}, got ${typeof actual}`;
  if (typeof recorded !== 'object') return undefined;
  const keys = (value: object) => Object.keys(value).sort().join(', ');
  if (keys(recorded) !== keys(actual as object)) {
    const missing = Object.keys(recorded).filter(key => !(key in (actual as object)));
    const extra = Object.keys(actual as object).filter(key => !(key in recorded));
    return `${at}: missing [${missing.join(', ')}], extra [${extra.join(', ')}]`;
  }
  for (const [key, value] of Object.entries(recorded)) {
    if (FREE_FORM.has(key)) continue;
    const own = (actual as Record<string, unknown>)[key];
    const [mine, theirs] = BY_NAME.has(key) ? [own, value].map(entriesOf) : [own, value];
    const difference = shapeDifference(mine, theirs, `${at}.${key}`);
    if (difference) return difference;
  }
  return undefined;
}

function entriesOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Object.values(value) : value;
}
