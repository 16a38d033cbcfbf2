import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { woocommerce } from '../../../shared/connectors/woocommerce/index.ts';
import type {
  WooCommerceCredentials,
  WooCommerceSettings,
} from '../../../shared/connectors/woocommerce/manifest.ts';
import { startFakeWooCommerce } from '../../fakes/woocommerce.ts';
import type { PushSample, StorefrontTestbed } from '../storefront.suite.ts';

const KEYS = { consumerKey: 'ck_conformance', consumerSecret: 'cs_conformance' };
const FOLDER = new URL('../../fixtures/woocommerce/deliveries/', import.meta.url);

const HEADERS = ['x-wc-webhook-topic', 'x-wc-webhook-resource', 'x-wc-webhook-event'];

/** Every delivery of a running shop that carries JSON. */
const samples = readdirSync(FOLDER)
  .filter((file) => !file.includes('ping'))
  .map((file): PushSample => {
    const { body, headers } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as {
      body: string;
      headers: Record<string, string>;
    };
    const [, topic = ''] = /--(\w+)-/.exec(file) ?? [];
    const { status, refunds } = JSON.parse(body) as { status?: string; refunds?: unknown[] };
    const isOrder = topic === 'order' && status !== undefined && status !== 'checkout-draft';
    return {
      name: file,
      body,
      headers: Object.fromEntries(HEADERS.map((name) => [name, headers[name] ?? ''])),
      // What refunds are for has to be asked for.
      becomes: !isOrder ? 'ignored' : refunds?.length ? 'notified' : 'order',
    };
  });

export const woocommerceTestbed: StorefrontTestbed<WooCommerceSettings, WooCommerceCredentials> = {
  connector: woocommerce,
  settings: (url) => ({ url }),
  secrets: ['lab-whsec-7Qm2x9Vd4kT1', 'another-whsec-0123456789'],
  credentials: ({ secrets, reading }) => ({ webhookSecrets: secrets, ...(reading && KEYS) }),
  push: (body, secret) => ({
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-wc-webhook-topic': 'order.updated',
      'x-wc-webhook-resource': 'order',
      'x-wc-webhook-event': 'updated',
      'x-wc-webhook-signature': createHmac('sha256', secret).update(body).digest('base64'),
      'x-wc-webhook-delivery-id': 'd-1',
    },
    body: Buffer.from(body),
  }),
  signatureHeader: 'x-wc-webhook-signature',
  samples,
  ping: {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from('webhook_id=17'),
  },
  start: async (nowMs) => {
    const shop = await startFakeWooCommerce({
      ...KEYS,
      nowMs,
      currency: 'TWD',
      taxRates: [{ country: 'TW', percent: '5', name: '營業稅' }],
      products: [{ sku: 'TEA-OOL-150', name: '高山烏龍茶 Oolong 150g', price: '420.00', stock: 50 }],
      coupons: [{ code: 'welcome10', type: 'percent', amount: '10' }],
    });
    return {
      url: shop.url,
      server: shop.server,
      placeOrder: async () => {
        const { id } = await shop.placeOrder({
          lines: [{ sku: 'TEA-OOL-150', quantity: 3 }],
          shipping: { method: 'flat_rate', title: '宅配', total: '60.00' },
          coupons: ['welcome10'],
          paid: true,
          billing: {
            first_name: '小明',
            last_name: '王',
            address_1: '測試路一段 1 號',
            city: '台北市',
            postcode: '100',
            country: 'TW',
            email: 'ming.wang@example.test',
            phone: '+886 2 5550 0000',
          },
        });
        return String(id);
      },
      changeOrder: async (id) => void shop.updateOrder(Number(id), { status: 'cancelled' }),
      unknownId: '987654321',
      subscribe: async (deliveryUrl, secret) => {
        for (const topic of ['order.created', 'order.updated']) {
          await shop.registerWebhook({ topic, deliveryUrl, secret });
        }
      },
      settled: () => shop.settled(),
      stop: () => shop.stop(),
    };
  },
};
