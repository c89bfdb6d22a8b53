/** The body of an answer: parsed if it is JSON, otherwise as text. */
export async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!(response.headers.get('content-type') ?? '').includes('json')) return text;
  return text === '' ? '' : (JSON.parse(text) as unknown);
}
