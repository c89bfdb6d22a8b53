import type { FakeAnswer, FakeCall } from '../fake-http-server';

const ok = (body: unknown): FakeAnswer => ({ status: 200, body });

/** A list as InvenTree returns it: an array without a limit, otherwise a page; past the end, an empty page. */
export function listAnswer(call: FakeCall, rows: readonly unknown[], row: (entry: never) => unknown): FakeAnswer {
  const limit = Number(call.query.get('limit') ?? 0);
  const offset = Number(call.query.get('offset') ?? 0);
  if (!limit) return ok(rows.map(entry => row(entry as never)));
  const link = (at: number) => {
    const query = new URLSearchParams(call.query);
    if (at > 0) query.set('offset', String(at));
    else query.delete('offset');
    query.sort();
    return `http://${call.headers.host ?? ''}${call.path}?${query.toString()}`;
  };
  return ok({
    count: rows.length,
    next: offset + limit < rows.length ? link(offset + limit) : null,
    previous: offset > 0 ? link(offset - limit) : null,
    results: rows.slice(offset, offset + limit).map(entry => row(entry as never)),
  });
}

/** The value of a filter; if it occurs twice, the last one [recording stock-by-two-parts]. */
export function filterValue(call: FakeCall, name: string): string | undefined {
  return call.query.getAll(name).at(-1);
}

export const isTrue = (value: string | undefined) => value?.toLowerCase() === 'true';
export const isFalse = (value: string | undefined) => value?.toLowerCase() === 'false';

export const badRequest = (body: unknown): FakeAnswer => ({ status: 400, body });
export const notFound = (model: string): FakeAnswer => ({
  status: 404,
  body: { detail: `No ${model} matches the given query.` },
});
export const NOT_A_CHOICE = 'Select a valid choice. That choice is not one of the available choices.';

/** A regular expression for PostgreSQL's iregex; undefined for an invalid one, which InvenTree answers with 500. */
export function caseless(expression: string): RegExp | undefined {
  try {
    return new RegExp(expression, 'i');
  } catch {
    return undefined;
  }
}

export function dataError(call: FakeCall): FakeAnswer {
  return serverError(call, 'DataError');
}

export function serverError(call: FakeCall, error: string): FakeAnswer {
  return {
    status: 500,
    body: {
      error,
      error_class: `<class 'django.db.utils.${error}'>`,
      detail: 'Error details can be found in the admin panel',
      path: call.path,
      status_code: 500,
    },
  };
}
