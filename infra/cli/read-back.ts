import * as z from 'zod';
import { customStoreClient } from '../../shared/connectors/custom-store/client.ts';
import { manifest as customStore } from '../../shared/connectors/custom-store/manifest.ts';
import { odooClient } from '../../shared/connectors/odoo/client.ts';
import { manifest as odoo } from '../../shared/connectors/odoo/manifest.ts';
import { shopifyClient } from '../../shared/connectors/shopify/client.ts';
import { manifest as shopify } from '../../shared/connectors/shopify/manifest.ts';
import { wooCommerceClient } from '../../shared/connectors/woocommerce/client.ts';
import { manifest as woocommerce } from '../../shared/connectors/woocommerce/manifest.ts';
import { orderReference } from '../../shared/core/intent-key.ts';
import { type Money, moneyFromDecimal, moneyRounded } from '../../shared/core/money.ts';
import type { CallContext } from '../../shared/core/ports.ts';
import type { Secrets } from '../secrets.ts';
import type { Connection, Settings } from '../settings.ts';
import type { ReadBack } from './report.ts';

/**
 * Ask both peers themselves what they hold for one order: the shop for its total in the route's currency, the ERP for
 * every document with our reference. No mapper is used, so that an error of one would show.
 * @throws Error the shop does not know the order, or its credentials do not allow reading
 */
export const readBack = async (
  { settings, secrets }: { settings: Settings; secrets: Secrets },
  order: { storefront: string; orderId: string; erp: string },
  call: CallContext,
): Promise<Omit<ReadBack, 'expect'>> => {
  const { storefront, orderId, erp } = order;
  const shop = settings.connections[storefront];
  const destination = settings.connections[erp];
  if (!shop || !destination) throw new Error(`${storefront} or ${erp} is no connection of the settings`);
  const route = settings.orders.find(({ from, to }) => from === storefront && to === erp);
  const reference = orderReference(storefront, orderId);
  return {
    storefront,
    orderId,
    erp,
    shopTotal: await shopTotal(shop, secrets[storefront], orderId, route?.currency ?? 'shop', call),
    documents: await erpDocuments(destination, secrets[erp], reference, call),
  };
};

const shopTotal = async (
  shop: Connection,
  secrets: unknown,
  orderId: string,
  side: 'shop' | 'buyer',
  call: CallContext,
): Promise<Money> => {
  const stated = await statedTotal(shop, secrets, orderId, side, call);
  if (!stated) throw new Error(`the shop has no order ${orderId}, or does not state its total`);
  return moneyFromDecimal(stated.amount, stated.currency);
};

interface Stated {
  readonly amount: string;
  readonly currency: string;
}

/** In the words of each platform. */
const statedTotal = async (
  shop: Connection,
  secrets: unknown,
  orderId: string,
  side: 'shop' | 'buyer',
  call: CallContext,
): Promise<Stated | undefined> => {
  const nowMs = Date.now;
  switch (shop.connector) {
    case 'woocommerce': {
      const credentials = woocommerce.credentials.parse(secrets);
      const order = await wooCommerceClient({ settings: shop, credentials, nowMs }).order(orderId, call);
      return order?.total === undefined ? undefined : { amount: order.total, currency: order.currency };
    }
    case 'custom-store': {
      const credentials = customStore.credentials.parse(secrets);
      const found = await customStoreClient({ settings: shop, credentials, nowMs }).order(orderId, call);
      return found?.kind === 'order'
        ? { amount: found.order.total, currency: found.order.currency }
        : undefined;
    }
    case 'shopify': {
      const credentials = shopify.credentials.parse(secrets);
      const found = await shopifyClient({ settings: shop, credentials, nowMs }).order(orderId, call);
      if (!found) return undefined;
      const { refunds, current_total_price_set: current, total_price_set: all } = found.order;
      // A refund lowers the current total, an edit does as well; only what an edit took off leaves the order.
      const isPaidBack = refunds.some(({ transactions }) => transactions.length > 0);
      const { shop_money, presentment_money } = isPaidBack ? all : current;
      const { amount, currency_code } =
        side === 'buyer' && presentment_money.amount !== undefined ? presentment_money : shop_money;
      return amount === undefined ? undefined : { amount, currency: currency_code };
    }
    default:
      throw new Error(`${shop.connector} is no storefront`);
  }
};

const OrderRow = z.object({
  id: z.int(),
  name: z.string(),
  amount_total: z.number(),
  currency_id: z.tuple([z.int(), z.string()]),
});

const erpDocuments = async (
  erp: Connection,
  secrets: unknown,
  reference: string,
  call: CallContext,
): Promise<ReadBack['documents']> => {
  if (erp.connector !== 'odoo') throw new Error(`${erp.connector} is no ERP`);
  const credentials = odoo.credentials.parse(secrets);
  const { url, database } = erp;
  const client = odooClient({
    connection: 'read-back',
    url,
    database,
    credentials: async () => credentials,
    nowMs: Date.now,
  });
  const rows = await client.searchRead(
    'sale.order',
    {
      domain: [['client_order_ref', '=', reference]],
      fields: ['id', 'name', 'amount_total', 'currency_id'],
      order: 'id asc',
    },
    OrderRow,
    call,
  );
  return rows.map(({ id, name, amount_total, currency_id: [, currency] }) => ({
    id: String(id),
    name,
    total: moneyRounded(amount_total, currency),
  }));
};
