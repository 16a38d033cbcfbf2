import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Delivery, Received } from '../../../shared/connectors/contract.ts';
import { woocommerce } from '../../../shared/connectors/woocommerce/index.ts';
import { manifest } from '../../../shared/connectors/woocommerce/manifest.ts';

export interface Capture {
  readonly secret: string;
  readonly headers: Record<string, string | undefined>;
  /** Raw text as it was signed. */
  readonly body: string;
}

const FOLDER = new URL('../../fixtures/woocommerce/deliveries/', import.meta.url);
export const captureNames = readdirSync(FOLDER).map((name) => name.replace('.json', ''));
export const capture = (name: string): Capture =>
  JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as Capture;

export const SECRET = 'lab-whsec-7Qm2x9Vd4kT1';

export const sign = (body: string | Uint8Array, secret = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('base64');

/** A delivery signed like WooCommerce's; `undefined` takes a header away. */
export const signed = (
  body: string | Uint8Array,
  headers: Record<string, string | undefined> = {},
  secret = SECRET,
): Delivery => ({
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    'x-wc-webhook-topic': 'order.updated',
    'x-wc-webhook-resource': 'order',
    'x-wc-webhook-event': 'updated',
    'x-wc-webhook-signature': sign(body, secret),
    'x-wc-webhook-delivery-id': 'd-1',
    ...headers,
  },
  body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
});

export const receive = (
  delivery: Delivery,
  webhookSecrets: string[] = [SECRET],
  settings: Partial<ReturnType<typeof manifest.settings.parse>> = {},
  keys: { consumerKey?: string; consumerSecret?: string } = {},
): Received =>
  woocommerce.receive(delivery, {
    connection: 'acme-woo',
    settings: { ...manifest.settings.parse({ url: 'https://shop.acme.example' }), ...settings },
    credentials: { webhookSecrets, ...keys },
    nowMs: Date.now,
  });

/** The body of a capture, changed, and signed anew. */
export const changed = (name: string, change: (order: Record<string, unknown>) => void): Delivery => {
  const order = JSON.parse(capture(name).body) as Record<string, unknown>;
  change(order);
  return signed(JSON.stringify(order));
};
