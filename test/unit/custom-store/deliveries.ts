import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Delivery, Received } from '../../../shared/connectors/contract.ts';
import { customStore } from '../../../shared/connectors/custom-store/index.ts';
import type { CustomStoreOrder } from '../../../shared/connectors/custom-store/wire.ts';

const FOLDER = new URL('../../golden/custom-store/orders/', import.meta.url);
export const cases = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.in.json'))
  .map((name) => name.replace('.in.json', ''));
const json = (file: string): unknown => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
export const payload = (name: string) => json(`${name}.in.json`) as CustomStoreOrder;
export const expected = (name: string): unknown => json(`${name}.out.json`);

export const NOW_MS = Date.parse('2026-11-21T22:56:12Z');
/** The specification's own secret: 24 bytes, the fewest it allows. */
export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
export const OTHER_SECRET = `whsec_${Buffer.from('another secret of 32 bytes .....').toString('base64')}`;

/** By hand, without the package that verifies: `id.timestamp.body`, HMAC-SHA256, base64. */
export const sign = (
  body: string | Uint8Array,
  { id = 'msg_1', timestampS = Math.floor(NOW_MS / 1000), secret = SECRET } = {},
): string =>
  `v1,${createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
    .update(`${id}.${timestampS}.`)
    .update(body)
    .digest('base64')}`;

/** Signed and sent now; `undefined` takes a header away. */
export const signed = (
  body: string | Uint8Array,
  headers: Readonly<Record<string, string | undefined>> = {},
): Delivery => ({
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(NOW_MS / 1000)),
    'webhook-signature': sign(body),
    ...headers,
  },
  body: Buffer.from(body),
});

export const receive = (
  delivery: Delivery,
  webhookSecrets: readonly string[] = [SECRET],
  nowMs = NOW_MS,
): Received =>
  customStore.receive(delivery, {
    connection: 'acme-store',
    settings: { url: 'https://www.acme.example/api/waybill' },
    credentials: { webhookSecrets: [...webhookSecrets] },
    nowMs: () => nowMs,
  });

export const message = (data: unknown, type = 'order.updated'): string =>
  JSON.stringify({ type, timestamp: '2026-11-21T22:56:11.500Z', data });

/** An order of the golden files, changed, and pushed. */
export const changed = (name: string, change: (order: Record<string, unknown>) => void): Received => {
  const order: Record<string, unknown> = { ...payload(name) };
  change(order);
  return receive(signed(message(order)));
};
