import type { ShopOrder } from '@stock-sync/domain';
import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { MagentoClient, OrderOrigin } from '@stock-sync/magento-client';
import type { Semaphore } from '@stock-sync/state';

/** Whose orders count, and to which company they are booked. */
export interface CustomerSettings {
  /** ORDERS_CUSTOMER. */
  customer: string;
  /** ORDERS_CUSTOMER_PER_BUYER. */
  perBuyer: boolean;
  /** ORDERS_STORES; undefined for all. */
  stores: readonly number[] | undefined;
}

/** The companies in InvenTree that orders are booked to. */
export interface OrderCustomers {
  /** The id of the company for an order; undefined where it is of a store that does not count. */
  of(order: ShopOrder): Promise<number | undefined>;
}

/** Who bought something is read only where a setting needs it: it is personal data. */
export function createOrderCustomers(deps: {
  salesOrders: Pick<InvenTreeClient['salesOrders'], 'customerNamed'>;
  magento: Pick<MagentoClient, 'orderOrigin'>;
  /** Two workers must not create a company at the same time. */
  lease: Semaphore;
  settings: CustomerSettings;
}): OrderCustomers {
  const { salesOrders, magento, lease } = deps;
  const { customer, perBuyer, stores } = deps.settings;
  return {
    async of({ id, incrementId, currency }) {
      const origin = perBuyer || stores ? await magento.orderOrigin(id) : undefined;
      if (origin && stores && !stores.includes(origin.store)) return undefined;
      // Without an e-mail address nobody knows whose it is.
      const buyer = perBuyer && origin?.email ? origin : undefined;
      const name = buyer ? companyName(buyer) : customer;
      const address = buyer?.address && { ...buyer.address, title: `Order ${incrementId}` };
      return lease.within(() => salesOrders.customerNamed(name, currency, address));
    },
  };
}

/** InvenTree has companies of at most so many characters. */
const LONGEST_NAME = 100;

/** The e-mail address makes it one company for each buyer. */
function companyName({ name, email }: OrderOrigin): string {
  const room = LONGEST_NAME - email.length - 3;
  return name === '' || room < 1 ? email.slice(0, LONGEST_NAME) : `${name.slice(0, room)} (${email})`;
}
