import { setTimeout as sleep } from 'node:timers/promises';
import type { System } from '@stock-sync/end-to-end';
import { orderActions, stockActions, type FakeOrder, type Part, type StockItem } from '@stock-sync/fakes';
import type { PlayedStep } from './screen';

/** A step of the story. */
export interface Step {
  title: string;
  action: string;
  /** Plays the step; returns the parts whose quantities must be equal afterwards. */
  play: () => Promise<Part[]> | Part[];
  /** Whether the part must not appear in the store. */
  notInStore?: boolean;
  /** What must be true of an order, instead of equal quantities, and what to print of both systems. */
  order?: { isRight: () => boolean; inventree: () => string; magento: () => string };
}

const SERIES_PARTS = 50;
const SERIES_EVENTS = 1_000;
const MAINTENANCE_MS = 4_000;
/** How long a step may take until the quantities are equal, in milliseconds. */
const PATIENCE_MS = 40_000;

/** The settings from the first order on. */
const WITH_ORDERS = {
  ORDERS: 'both',
  ORDERS_SINCE: '2026-01-01',
  ORDERS_INTERVAL_SECONDS: '1',
  INVENTREE_TOKEN: 'inv-orders',
};

/** The story of WIDGET-123, and of one order of it. */
export function story(system: System): Step[] {
  const { inventree, magento } = system;
  const { shop } = inventree;
  const main = shop.addLocation('Main shelf');
  const second = shop.addLocation('Second warehouse');
  const widget = shop.addPart({ name: 'WIDGET-123' });
  magento.store.addProduct('WIDGET-123');
  const seriesItems = Array.from({ length: SERIES_PARTS }, (_, n) => {
    const part = shop.addPart({ name: `BOLT-${String(n + 1).padStart(2, '0')}` });
    magento.store.addProduct(part.name, { quantity: 100 });
    return shop.insertItem({ part: part.pk, quantity: 100, location: main.pk });
  });
  const sparePart = shop.addPart({ name: 'SPARE-PART-9' });
  let secondItem: StockItem | undefined;

  return [
    {
      title: 'Goods arrive',
      action: 'InvenTree: 50 WIDGET-123 are put on the main shelf.',
      play: () => {
        stockActions.create(shop, { part: widget.pk, quantity: 50, location: main.pk });
        return [widget];
      },
    },
    {
      title: 'A second location',
      action: 'InvenTree: 30 more at the second warehouse. The store shows the total over all locations.',
      play: () => {
        secondItem = stockActions.create(shop, { part: widget.pk, quantity: 30, location: second.pk });
        return [widget];
      },
    },
    {
      title: 'That item is deleted',
      action: "InvenTree: the 30 are deleted. InvenTree's own event has only the id of an item that no longer exists.",
      play: () => {
        if (secondItem) stockActions.deleteItem(shop, secondItem);
        return [widget];
      },
    },
    {
      title: 'Sold out',
      action: 'InvenTree: the last 50 are removed; InvenTree deletes the empty item. The store shows "out of stock".',
      play: () => {
        for (const item of shop.itemsOf(widget.pk)) stockActions.remove(shop, item, item.quantity);
        return [widget];
      },
    },
    {
      title: 'A purchase order arrives',
      action: 'InvenTree: 25 are received against a purchase order. The store shows "in stock" again.',
      play: () => {
        const order = orderActions.addPurchaseOrder(shop, [{ part: widget.pk, quantity: 25 }]);
        const line = shop.purchaseOrders.get(order)?.lines[0]?.pk ?? 0;
        orderActions.receive(shop, order, [{ line, quantity: 25, location: main.pk }]);
        return [widget];
      },
    },
    {
      title: `${SERIES_EVENTS.toLocaleString('en')} events over ${SERIES_PARTS} parts`,
      action: `InvenTree: ${SERIES_EVENTS.toLocaleString('en')} single removals, as fast as possible.`,
      play: async () => {
        for (let n = 0; n < SERIES_EVENTS; n++) {
          const item = seriesItems[n % SERIES_PARTS];
          if (item) stockActions.remove(shop, item, 1);
          if (n % 100 === 99) await sleep(5);
        }
        return seriesItems.flatMap(item => shop.parts.get(item.part) ?? []);
      },
    },
    {
      title: 'A part that is not sold online',
      action:
        'InvenTree: 7 of a part without a product. Magento would accept its stock without a product, so it is skipped.',
      notInStore: true,
      play: () => {
        stockActions.create(shop, { part: sparePart.pk, quantity: 7, location: main.pk });
        return [sparePart];
      },
    },
    {
      title: 'Its product is created afterwards',
      action: 'Magento: a product SPARE-PART-9 without stock. The next event of the part finds it.',
      play: () => {
        magento.store.addProduct(sparePart.name);
        for (const item of shop.itemsOf(sparePart.pk)) stockActions.add(shop, item, 1);
        return [sparePart];
      },
    },
    {
      title: 'A part is renamed',
      action:
        'InvenTree: SPARE-PART-9 becomes SPARE-PART-10, which Magento sells, too. Nobody has SPARE-PART-9 any more.',
      play: () => {
        magento.store.addProduct('SPARE-PART-10');
        stockActions.renamePart(shop, sparePart.pk, { name: 'SPARE-PART-10' });
        return [sparePart];
      },
    },
    {
      title: `The store is in maintenance for ${MAINTENANCE_MS / 1000} seconds`,
      action: 'InvenTree: 10 more WIDGET-123 meanwhile. Work waits and resumes by itself.',
      play: async () => {
        magento.setMaintenance(true);
        for (const item of shop.itemsOf(widget.pk)) stockActions.add(shop, item, 10);
        await sleep(MAINTENANCE_MS);
        magento.setMaintenance(false);
        return [widget];
      },
    },
    ...storyOfAnOrder(system, widget),
  ];
}

/** One order: placed, shipped in part by the store, and the rest by InvenTree. */
function storyOfAnOrder({ inventree, magento, workers, startWorker }: System, widget: Part): Step[] {
  const { shop } = inventree;
  const { store } = magento;
  let placed: FakeOrder | undefined;
  const salesOrder = () => [...shop.salesOrders.values()].at(-1);
  const allocated = () => shop.salesAllocations.reduce((total, { quantity }) => total + quantity, 0);
  const shelves = () => shop.inStock(widget.pk);
  const shown = () => store.shown(widget.name)?.quantity ?? 0;
  const numbersOf = (isRight: () => boolean) => ({
    isRight,
    inventree: () => `${shelves()}, ${allocated()} of them allocated to ${salesOrder()?.reference ?? 'nothing'}`,
    magento: () => `${shown()}, ${store.salable(widget.name) ?? 0} can be bought`,
  });

  return [
    {
      title: 'An order comes in (from here on with ORDERS=both)',
      action: 'Magento: a customer orders 3 WIDGET-123. InvenTree gets a sales order, to which stock is allocated.',
      order: numbersOf(() => salesOrder()?.status === 15 && allocated() === 3 && shown() === 35),
      play: async () => {
        const before = workers.splice(0);
        await Promise.all(before.map(worker => worker.stop()));
        await Promise.all(before.map(() => startWorker(WITH_ORDERS)));
        placed = store.placeOrder(widget.name, 3);
        return [widget];
      },
    },
    {
      title: 'The store ships one of them',
      action: 'Magento ships 1, and InvenTree, which has not booked it, gets 10 more: the 1 is not put back for sale.',
      order: numbersOf(() => shelves() === 45 && shown() === 44 && store.salable(widget.name) === 42),
      play: () => {
        const [row] = placed?.rows ?? [];
        if (placed && row) store.ship(placed, [{ order_item_id: row.item_id, qty: 1 }]);
        for (const item of shop.itemsOf(widget.pk)) stockActions.add(shop, item, 10);
        return [widget];
      },
    },
    {
      title: 'InvenTree sends the parcel',
      action: 'InvenTree sends all 3. Magento ships the 2 that it lacks: sold once, counted once.',
      order: numbersOf(() => store.shipments.length === 2 && shelves() === 42 && store.salable(widget.name) === 42),
      play: () => {
        const open = [...shop.shipments.values()].find(({ sentOn }) => sentOn === null);
        if (open) orderActions.ship(shop, open.pk, '1Z999');
        return [widget];
      },
    },
  ];
}

/** Plays a step and waits until the quantities are equal, within a limit. */
export async function playStep(system: System, step: Step): Promise<PlayedStep> {
  const { inventree, magento } = system;
  inventree.resetCounts();
  magento.resetCounts();
  const before = new Map(system.workers.map(worker => [worker, worker.log.length]));
  const startedAt = Date.now();
  const parts = await step.play();
  const agree = () => step.order?.isRight() ?? parts.every(part => agrees(system, part, step));
  while (!agree() && Date.now() - startedAt < PATIENCE_MS) await sleep(5);
  const seconds = (Date.now() - startedAt) / 1000;
  await system.quiet();
  const log = system.workers.flatMap(worker => worker.log.slice(before.get(worker) ?? 0).map(line => line.message));
  const { reads, writes } = magento.counts();
  return {
    title: step.title,
    action: step.action,
    log: worthPrinting(step.order ? log.filter(line => /Order|SKU/.test(line)) : log),
    isOrder: step.order !== undefined,
    ...(step.order ? { inventree: step.order.inventree(), magento: step.order.magento() } : numbers(system, parts)),
    agreed: agree(),
    seconds,
    calls: { inventree: inventree.reads(), reads, writes },
  };
}

function agrees({ inventree, magento, workers }: System, part: Part, step: Step): boolean {
  if (step.notInStore) {
    const skipped = workers.some(worker => worker.log.some(line => line.message.includes(`'${part.name}' skipped`)));
    return skipped && magento.store.sourceItem(part.name) === undefined;
  }
  const shown = magento.store.shown(part.name);
  const inStock = inventree.shop.inStock(part.pk);
  return shown?.quantity === inStock && shown.inStock === inStock > 0;
}

function numbers({ inventree, magento }: System, parts: readonly Part[]): { inventree: string; magento: string } {
  const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + amount, 0);
  const [only] = parts;
  const shelf = sum(parts.map(part => inventree.shop.inStock(part.pk)));
  if (!only || parts.length > 1) {
    const store = sum(parts.map(part => magento.store.shown(part.name)?.quantity ?? 0));
    return { inventree: `${shelf} in all`, magento: `${store} in all` };
  }
  const shown = magento.store.shown(only.name);
  return {
    inventree: String(shelf),
    magento: shown ? `${shown.quantity} (${shown.inStock ? 'in stock' : 'out of stock'})` : 'has no such product',
  };
}

const MAX_LINES = 4;

/** The lines that matter; of many similar ones, the first. */
function worthPrinting(lines: readonly string[]): string[] {
  const matter = lines.filter(line => !line.includes('already shows'));
  if (matter.length <= MAX_LINES) return matter;
  return [...matter.slice(0, MAX_LINES - 1), `... and ${matter.length - MAX_LINES + 1} more lines like these`];
}
