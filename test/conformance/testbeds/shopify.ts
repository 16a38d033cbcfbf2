import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { shopify } from '../../../shared/connectors/shopify/index.ts';
import type { ShopifyCredentials, ShopifySettings } from '../../../shared/connectors/shopify/manifest.ts';
import { startFakeShopify } from '../../fakes/shopify/index.ts';
import type { PushSample, StorefrontTestbed } from '../storefront.suite.ts';

const SHOP = 'acme.myshopify.com';
const ACCESS_TOKEN = 'shpat_conformance_0123456789';
const FOLDER = new URL('../../golden/shopify/orders/', import.meta.url);

/** Payloads made after Shopify's samples, and one of each that carries no order. */
const samples: PushSample[] = [
  ...readdirSync(FOLDER)
    .filter((file) => file.endsWith('.in.json'))
    .map(
      (file): PushSample => ({
        name: file,
        body: readFileSync(new URL(file, FOLDER), 'utf8'),
        becomes: 'order',
      }),
    ),
  ...(
    [
      [
        'orders/edited',
        '{"order_edit":{"id":78912328793123780,"order_id":820982911946154508,"line_items":{}}}',
      ],
      ['orders/delete', '{"id":820982911946154508}'],
      ['refunds/create', '{"id":890088186047892319,"order_id":820982911946154508,"refund_line_items":[]}'],
      [
        'fulfillment_orders/placed_on_hold',
        '{"fulfillment_order":{"id":"gid://shopify/FulfillmentOrder/1"}}',
      ],
      ['app/uninstalled', '{"id":548380009,"name":"Acme"}'],
      [
        'customers/redact',
        '{"shop_id":548380009,"customer":{"id":115310627314723954},"orders_to_redact":[]}',
      ],
    ] as const
  ).map(
    ([topic, body]): PushSample => ({
      name: topic,
      body,
      headers: { 'x-shopify-topic': topic },
      becomes: 'ignored',
    }),
  ),
];

export const shopifyTestbed: StorefrontTestbed<ShopifySettings, ShopifyCredentials> = {
  connector: shopify,
  settings: (url) => ({ shop: SHOP, url }),
  secrets: ['shpss_test_0123456789abcdef', 'shpss_next_0123456789abcdef'],
  credentials: ({ secrets, reading }) => ({
    webhookSecrets: secrets,
    ...(reading && { accessToken: ACCESS_TOKEN }),
  }),
  push: (body, secret) => ({
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-shopify-topic': 'orders/updated',
      'x-shopify-hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
      'x-shopify-shop-domain': SHOP,
      'x-shopify-api-version': '2026-10',
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
      'x-shopify-event-id': '98880550-7158-44d4-b7cd-2c97c8a091b5',
      'x-shopify-triggered-at': '2026-11-20T10:05:00.123456789Z',
    },
    body: Buffer.from(body),
  }),
  signatureHeader: 'x-shopify-hmac-sha256',
  samples,
  start: async (nowMs) => {
    const shop = await startFakeShopify({
      shop: SHOP,
      nowMs,
      clientSecret: 'shpss_test_0123456789abcdef',
      accessToken: ACCESS_TOKEN,
      currency: 'TWD',
      taxesIncluded: true,
      utcOffset: '+08:00',
      taxRates: [{ country: 'TW', title: '營業稅', rate: 0.05 }],
      products: [{ sku: 'TEA-OOL-150', title: '高山烏龍茶 Oolong 150g', price: '420.00', grams: 150 }],
      bucket: { maximum: 10_000, restorePerSecond: 100 },
    });
    return {
      url: shop.url,
      server: shop.server,
      placeOrder: async () => {
        const { id } = await shop.placeOrder({
          lines: [{ sku: 'TEA-OOL-150', quantity: 3 }],
          shipping: { code: 'STD', title: '宅配', price: '60.00' },
          discounts: [{ code: 'welcome10', percent: '10' }],
          presentment: { currency: 'USD', rate: '0.0312' },
          // Its webhook says all there is: transactions would stand in GraphQL only.
          gateway: 'Cash on Delivery (COD)',
          email: 'ming.wang@example.test',
          note: '急件 & gift',
        });
        return id;
      },
      changeOrder: async (id) => void shop.cancel(id),
      unknownId: '987654321',
      subscribe: async (deliveryUrl) => {
        for (const topic of ['orders/create', 'orders/updated', 'orders/cancelled']) {
          shop.registerWebhook({ topic, deliveryUrl });
        }
      },
      settled: () => shop.settled(),
      stop: () => shop.stop(),
    };
  },
};
