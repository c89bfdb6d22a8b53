import type { Route, FakeAnswer, FakeCall } from '../fake-http-server';
import { badRequest, caseless, dataError, filterValue, isFalse, isTrue, listAnswer, notFound } from './lists';
import { partRow, writtenPartRow } from './rows';
import type { InvenTreeShop, Part } from './shop';
import { deletePart, renamePart } from './stock-actions';

const byName = (a: Part, b: Part) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.pk - b.pk);

/** The routes of parts and their parameters. */
export function partRoutes(shop: InvenTreeShop): Route[] {
  const withPart = (call: FakeCall, answer: (part: Part) => FakeAnswer) => {
    const part = shop.parts.get(Number(call.captured[0]));
    return part ? answer(part) : notFound('Part');
  };
  const detail = (part: Part) => ({ status: 200, body: partRow(shop, part, { detail: true, pricing: true }) });

  return [
    { method: 'GET', path: /^\/api\/part\/$/, handle: call => partList(shop, call) },
    { method: 'GET', path: /^\/api\/part\/(\d+)\/$/, handle: call => withPart(call, detail) },
    {
      method: 'PATCH',
      path: /^\/api\/part\/(\d+)\/$/,
      handle: call =>
        withPart(call, part => {
          renamePart(shop, part.pk, call.body as { name?: string });
          return { status: 200, body: writtenPartRow(shop, part) };
        }),
    },
    {
      method: 'DELETE',
      path: /^\/api\/part\/(\d+)\/$/,
      handle: call =>
        withPart(call, part => {
          deletePart(shop, part.pk);
          return { status: 204 };
        }),
    },
    {
      method: 'GET',
      path: /^\/api\/part\/(\d+)\/requirements\/$/,
      handle: call => withPart(call, part => ({ status: 200, body: requirements(shop, part) })),
    },
    {
      method: 'GET',
      path: /^\/api\/parameter\/template\/$/,
      handle: call =>
        listAnswer(call, [...shop.templates.values()], ({ pk, name }: { pk: number; name: string }) =>
          templateRow(pk, name),
        ),
    },
    {
      method: 'GET',
      path: /^\/api\/parameter\/$/,
      handle: call => {
        const template = filterValue(call, 'template');
        const rows = shop.parameters.filter(p => template === undefined || p.template === Number(template));
        return listAnswer(call, rows, (row: (typeof rows)[number]) => ({
          pk: row.pk,
          template: row.template,
          model_type: 'part.part',
          model_id: row.part,
          data: row.data,
          data_numeric: null,
          note: '',
          updated: '2026-11-23 15:19',
          updated_by: 1,
          template_detail: templateRow(row.template, shop.templates.get(row.template)?.name ?? ''),
          updated_by_detail: { pk: 1, username: 'admin', first_name: '', last_name: '', email: 'admin@example.com' },
        }));
      },
    },
  ];
}

function templateRow(pk: number, name: string) {
  return {
    pk,
    name,
    units: '',
    description: 'sku in the store',
    model_type: null,
    checkbox: false,
    choices: '',
    selectionlist: null,
    enabled: true,
  };
}

function requirements(shop: InvenTreeShop, part: Part) {
  const row = partRow(shop, part, { detail: true, pricing: false });
  return {
    total_stock: row.total_in_stock,
    unallocated_stock: row.unallocated_stock,
    can_build: part.assembly ? shop.buildable(part.pk) : 0,
    ordering: 0,
    building: row.building,
    scheduled_to_build: 0,
    required_for_build_orders: row.required_for_build_orders,
    allocated_to_build_orders: row.allocated_to_build_orders,
    required_for_sales_orders: row.required_for_sales_orders,
    allocated_to_sales_orders: row.allocated_to_sales_orders,
  };
}

/** Unknown filters are ignored [recording part-list-unknown-filter], and so is a deleted category. */
function partList(shop: InvenTreeShop, call: FakeCall): FakeAnswer {
  let parts = [...shop.parts.values()];
  const category = filterValue(call, 'category');
  if (category !== undefined) {
    if (!/^\d+$/.test(category)) return badRequest({ category: ['Enter a number.'] });
    const below = new Set(shop.categoriesBelow(Number(category)));
    const exists = shop.categories.has(Number(category)) || parts.some(part => part.category === Number(category));
    if (exists) parts = parts.filter(part => part.category !== null && below.has(part.category));
  }
  for (const field of ['active', 'salable'] as const) {
    const value = filterValue(call, field);
    if (isTrue(value)) parts = parts.filter(part => part[field]);
    if (isFalse(value)) parts = parts.filter(part => !part[field]);
  }
  const ancestor = filterValue(call, 'ancestor');
  if (ancestor !== undefined) {
    const below = new Set(shop.variantsOf(Number(ancestor)));
    parts = parts.filter(part => below.has(part.pk));
  }
  const ipn = filterValue(call, 'IPN');
  if (ipn !== undefined) parts = parts.filter(part => part.IPN.toLowerCase() === ipn.toLowerCase());
  for (const [name, field] of [
    ['IPN_regex', 'IPN'],
    ['name_regex', 'name'],
  ] as const) {
    const expression = filterValue(call, name);
    if (expression === undefined) continue;
    const regex = caseless(expression);
    if (!regex) return dataError(call);
    parts = parts.filter(part => regex.test(part[field]));
  }
  for (const [name, value] of call.query) {
    const template = /^parameter_(\d+)$/.exec(name)?.[1];
    if (template === undefined) continue;
    const bearers = new Set(
      shop.parameters.filter(p => p.template === Number(template) && p.data === value).map(p => p.part),
    );
    parts = parts.filter(part => bearers.has(part.pk));
  }
  const pricing = !isFalse(filterValue(call, 'pricing'));
  return listAnswer(call, parts.sort(byName), (part: Part) => partRow(shop, part, { detail: false, pricing }));
}
