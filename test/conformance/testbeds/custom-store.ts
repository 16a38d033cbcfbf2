import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { customStore } from '../../../shared/connectors/custom-store/index.ts';
import type {
  CustomStoreCredentials,
  CustomStoreSettings,
} from '../../../shared/connectors/custom-store/manifest.ts';
import { startFakeCustomStore } from '../../fakes/custom-store.ts';
import type { PushSample, StorefrontTestbed } from '../storefront.suite.ts';

const API_TOKEN = 'conformance-token-0123';
const FOLDER = new URL('../../golden/custom-store/orders/', import.meta.url);
const message = (type: string, data: unknown): string =>
  JSON.stringify({ type, timestamp: '2026-11-21T22:55:57.000Z', data });
const secret = (text: string): string => `whsec_${Buffer.from(text.padEnd(32, '.')).toString('base64')}`;

const orders = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.in.json'))
  .map((file): PushSample => {
    const data: unknown = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
    return { name: file, body: message('order.updated', data), becomes: 'order' };
  });

const signed = (body: string | Uint8Array, key: string, nowMs: number) => {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signature = createHmac('sha256', Buffer.from(key.replace('whsec_', ''), 'base64'))
    .update(`msg_1.${timestamp}.`)
    .update(body)
    .digest('base64');
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': 'msg_1',
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
    body: Buffer.from(body),
  };
};
const SECRETS = [secret('first'), secret('second')] as const;
const START_MS = Date.parse('2026-11-21T22:55:57Z');

export const customStoreTestbed: StorefrontTestbed<CustomStoreSettings, CustomStoreCredentials> = {
  connector: customStore,
  settings: (url) => ({ url }),
  secrets: SECRETS,
  credentials: ({ secrets, reading }) => ({
    webhookSecrets: secrets,
    ...(reading && { apiToken: API_TOKEN }),
  }),
  push: signed,
  signatureHeader: 'webhook-signature',
  samples: [
    ...orders,
    { name: 'stock', body: message('inventory.updated', {}), becomes: 'ignored' },
    { name: 'a customer', body: message('customer.created', {}), becomes: 'ignored' },
  ],
  ping: signed(message('ping', {}), SECRETS[0], START_MS),
  start: async (nowMs) => {
    const store = await startFakeCustomStore({
      nowMs,
      currency: 'TWD',
      apiToken: API_TOKEN,
      taxes: [{ key: 'vat', title: '營業稅', percent: '5' }],
      products: [{ sku: 'TEA-OOL-150', title: '高山烏龍茶 Oolong 150g', price: '420.00' }],
    });
    return {
      url: store.url,
      server: store.server,
      placeOrder: async () =>
        store.placeOrder({
          lines: [{ sku: 'TEA-OOL-150', quantity: 3, discount: '60.00' }],
          shipping: { method: 'post', title: '宅配', total: '60.00' },
        }).id,
      changeOrder: async (id) => void store.updateOrder(id, { status: 'cancelled' }),
      unknownId: 'ord_000000000000',
      subscribe: async (deliveryUrl, key) => void store.registerWebhook({ deliveryUrl, secret: key }),
      settled: () => store.settled(),
      stop: () => store.stop(),
    };
  },
};
