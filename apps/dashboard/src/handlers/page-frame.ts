import type { Request, Response } from 'express';
import { csrfToken, userOf } from '../login/sessions';
import type { PageFrame } from '../pages/layout';

/** What the page of this request has besides its content; a notice is shown once. */
export function pageFrame(request: Request, response: Response): PageFrame {
  const { notice } = request.session;
  delete request.session.notice;
  return { user: userOf(response.locals), csrf: csrfToken(request), notice, path: request.originalUrl };
}

/** A field that a form may have several times, such as a check box. */
export function fields(values: unknown, name: string): string[] {
  const value = (values as Record<string, unknown> | undefined)?.[name];
  const all: unknown[] = Array.isArray(value) ? value : [value];
  return all.filter(one => typeof one === 'string');
}

/** A field of the query or of a form, as text. */
export function field(values: unknown, name: string): string {
  const value = (values as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value.trim() : '';
}
