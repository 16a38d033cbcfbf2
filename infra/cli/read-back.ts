import * as z from 'zod';
import { jsonRpcClient } from '../../shared/connectors/odoo/client.ts';
import { manifest as odoo } from '../../shared/connectors/odoo/manifest.ts';
import { wooCommerceClient } from '../../shared/connectors/woocommerce/client.ts';
import { manifest as woocommerce } from '../../shared/connectors/woocommerce/manifest.ts';
import { orderReference } from '../../shared/core/intent-key.ts';
import { type Money, moneyFromDecimal, moneyRounded } from '../../shared/core/money.ts';
import type { CallContext } from '../../shared/core/ports.ts';
import type { Secrets } from '../secrets.ts';
import type { Connection, Settings } from '../settings.ts';
import type { ReadBack } from './report.ts';

/**
 * Ask both peers themselves what they hold for one order.
 * @throws Error the shop does not know the order, or its credentials do not allow reading
 */
export const readBack = async (
  { settings, secrets }: { settings: Settings; secrets: Secrets },
  order: { storefront: string; orderId: string; erp: string },
  call: CallContext,
): Promise<ReadBack> => {
  const shop = settings.connections[order.storefront];
  const erp = settings.connections[order.erp];
  if (!shop || !erp) throw new Error(`${order.storefront} or ${order.erp} is no connection of the settings`);
  const reference = orderReference(order.storefront, order.orderId);
  return {
    ...order,
    shopTotal: await shopTotal(shop, secrets[order.storefront], order.orderId, call),
    documents: await erpDocuments(erp, secrets[order.erp], reference, call),
  };
};

const shopTotal = async (
  shop: Connection,
  secrets: unknown,
  orderId: string,
  call: CallContext,
): Promise<Money> => {
  if (shop.connector !== 'woocommerce') throw new Error(`${shop.connector} is no storefront`);
  const credentials = woocommerce.credentials.parse(secrets);
  const order = await wooCommerceClient({ settings: shop, credentials, nowMs: Date.now }).order(
    orderId,
    call,
  );
  if (order?.total === undefined) throw new Error(`the shop has no order ${orderId}`);
  return moneyFromDecimal(order.total, order.currency);
};

const OrderRow = z.object({
  id: z.int(),
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
  const client = jsonRpcClient({
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
      fields: ['id', 'amount_total', 'currency_id'],
      order: 'id asc',
    },
    OrderRow,
    call,
  );
  return rows.map(({ id, amount_total, currency_id: [, currency] }) => ({
    id: String(id),
    total: moneyRounded(amount_total, currency),
  }));
};
