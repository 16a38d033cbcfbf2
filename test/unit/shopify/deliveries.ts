import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Delivery, Received } from '../../../shared/connectors/contract.ts';
import { shopify } from '../../../shared/connectors/shopify/index.ts';
import { manifest } from '../../../shared/connectors/shopify/manifest.ts';

const FOLDER = new URL('../../golden/shopify/orders/', import.meta.url);
export const cases = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.in.json'))
  .map((name) => name.replace('.in.json', ''));
/** The text of a payload, with all digits of its ids. */
export const payload = (name: string): string => readFileSync(new URL(`${name}.in.json`, FOLDER), 'utf8');
export const expected = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`${name}.out.json`, FOLDER), 'utf8'));

export const SECRET = 'shpss_test_0123456789abcdef';
export const SHOP = 'acme.myshopify.com';
export const settings = (more: Record<string, unknown> = {}) =>
  manifest.settings.parse({ shop: SHOP, ...more });

export const sign = (body: string | Uint8Array, secret = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('base64');

/** A delivery signed like Shopify's; `undefined` takes a header away. */
export const signed = (
  body: string | Uint8Array,
  headers: Record<string, string | undefined> = {},
  secret = SECRET,
): Delivery => ({
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    'x-shopify-topic': 'orders/updated',
    'x-shopify-hmac-sha256': sign(body, secret),
    'x-shopify-shop-domain': SHOP,
    'x-shopify-api-version': '2026-10',
    'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    'x-shopify-event-id': '98880550-7158-44d4-b7cd-2c97c8a091b5',
    'x-shopify-triggered-at': '2026-11-20T10:05:00.123456789Z',
    ...headers,
  },
  body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
});

export const receive = (
  delivery: Delivery,
  webhookSecrets: string[] = [SECRET],
  more: Record<string, unknown> = {},
): Received =>
  shopify.receive(delivery, {
    connection: 'acme-shopify',
    settings: settings(more),
    credentials: { webhookSecrets },
    nowMs: () => Date.parse('2026-11-20T10:05:01Z'),
  });

/** A payload, changed, and signed anew. */
export const changed = (name: string, change: (order: Record<string, unknown>) => void): Delivery => {
  const order = JSON.parse(payload(name)) as Record<string, unknown>;
  change(order);
  return signed(JSON.stringify(order));
};
