import type { Parts } from '@stock-sync/state';
import type { RequestHandler } from 'express';
import { partHref, skuHref } from '../pages/layout';
import type { PartLists } from '../reading/part-lists';
import { field } from './page-frame';

/** GET /search: the page of a SKU or a part, or the list of SKUs that contain the text. */
export function findSku({ parts, partLists }: { parts: Parts; partLists: PartLists }): RequestHandler {
  return async (request, response) => {
    const text = field(request.query, 'q');
    const [withSku = []] = await parts.withSkus([text]);
    if (withSku.length > 0) {
      response.redirect(skuHref(text));
      return;
    }
    if (/^[1-9]\d{0,9}$/.test(text)) {
      response.redirect(partHref(Number(text)));
      return;
    }
    const some = await partLists.list(undefined, text, 1);
    // A worker also finds a part by its name or its IPN.
    response.redirect(some.length > 0 ? `/parts?search=${encodeURIComponent(text)}` : skuHref(text));
  };
}
