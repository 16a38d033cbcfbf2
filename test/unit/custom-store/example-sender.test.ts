import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../../../shared/connectors/contract.ts';
import {
  decimal,
  exampleOrder,
  outboxRow,
  RETRY_AFTER_S,
  send,
} from '../../../shared/connectors/custom-store/example-sender.ts';
import { customStore } from '../../../shared/connectors/custom-store/index.ts';
import { acceptWebhook, type QuarantinedDelivery } from '../../../shared/core/accept-webhook.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { type PeerServer, startPeerServer } from '../../fakes/peer-server.ts';
import { OTHER_SECRET, payload, SECRET } from './deliveries.ts';

const SENDER = fileURLToPath(
  new URL('../../../shared/connectors/custom-store/example-sender.ts', import.meta.url),
);

/** Waybill's own intake behind a real HTTP server, on the real clock. */
let waybill: PeerServer;
let url: string;
const published: OrderChangedV1[] = [];
const quarantined: QuarantinedDelivery[] = [];
const messageIds: (string | undefined)[] = [];

beforeEach(async () => {
  published.length = 0;
  quarantined.length = 0;
  messageIds.length = 0;
  const connection = 'acme-store';
  const settings = { url: 'https://www.acme.example/api/waybill' };
  waybill = await startPeerServer((app) => {
    app.post('/webhooks/acme-store', async (request, reply) => {
      const headers = request.headers as Delivery['headers'];
      messageIds.push(headers['webhook-id']);
      const { statusCode, body } = await acceptWebhook(
        {
          connector: customStore,
          connection,
          maxBodyBytes: 700_000,
          nowMs: Date.now,
          newId: () => 'event-1',
          line: () => undefined,
          context: async () => ({
            connection,
            settings,
            credentials: { webhookSecrets: [SECRET] },
            nowMs: Date.now,
          }),
          publish: async (_name, { data }) => void published.push(data as OrderChangedV1),
          quarantine: async (delivery) => void quarantined.push(delivery),
        },
        { method: 'POST', headers, body: request.body as Buffer },
      );
      return reply.code(statusCode).send(body);
    });
  });
  url = `${waybill.url}/webhooks/acme-store`;
});
afterEach(() => waybill.stop());

/** As its user does: `node example-sender.ts …`, in a process of its own. */
const run = (...given: string[]) =>
  new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SENDER, ...given]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: output.trim() }));
  });

describe('from the command line', () => {
  it('an invented order is taken, and is marked as a test', async () => {
    expect(await run(url, SECRET)).toEqual({ code: 0, output: 'accepted' });
    expect(published).toMatchObject([
      {
        source: 'acme-store',
        test: true,
        status: 'open',
        total: { minor: 2856, currency: 'EUR' },
        tax: { minor: 456 },
        rounding: { minor: 0 },
        lines: [{ sku: 'MUG-01', quantity: 2, total: { minor: 2000 }, taxes: [{ amount: { minor: 380 } }] }],
        charges: [{ method: 'standard', total: { minor: 400 }, taxes: [{ amount: { minor: 76 } }] }],
      },
    ]);
  });

  describe('an order of your own', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'waybill-sender-'));
    });
    afterEach(() => rm(folder, { recursive: true }));
    const file = async (order: unknown) => {
      const at = path.join(folder, 'order.json');
      await writeFile(at, JSON.stringify(order));
      return at;
    };

    it('is taken', async () => {
      const order = await file(payload('twd-prices-with-tax-discount-free-shipping'));
      expect(await run(url, SECRET, order)).toEqual({ code: 0, output: 'accepted' });
      expect(published).toMatchObject([{ total: { minor: 95000, currency: 'TWD' } }]);
    });

    it('that does not add up is kept, and the sender hears why', async () => {
      const order = await file({ ...payload('usd-several-taxes-discount'), total: '90.00' });
      expect(await run(url, SECRET, order)).toEqual({
        code: 2,
        output:
          'quarantined: data.total: The shop says the order costs 90.00 USD, but its lines, shipping, fees and taxes make 96.53 USD: -6.53 USD are unexplained.',
      });
      expect([published.length, quarantined.length]).toEqual([0, 1]);
    });
  });

  it('another secret is refused, once', async () => {
    expect(await run(url, OTHER_SECRET)).toEqual({
      code: 1,
      output: 'rejected: the signature does not match',
    });
    expect(messageIds).toHaveLength(1);
  });

  it('what was not stored is sent again, the same message, when Waybill says', async () => {
    waybill.fault({ effect: { kind: 'answer', status: 503, headers: { 'retry-after': '1' } } });
    expect(await run(url, SECRET)).toEqual({ code: 0, output: 'HTTP 503\nagain in 1 s\naccepted' });
    expect(messageIds).toHaveLength(1);
    expect(waybill.requests).toHaveLength(2);
  });

  it('without an address it says how it is used', async () => {
    expect(await run()).toEqual({
      code: 1,
      output: 'usage: node example-sender.ts URL SECRET [order.json]',
    });
  });
});

describe('as a module', () => {
  const row = () => outboxRow('order.created', exampleOrder());

  it('every message has an id of its own, kept for all of its attempts', async () => {
    const [one, two] = [row(), row()];
    expect(one.id).not.toBe(two.id);
    expect(one.id).not.toContain('.');
    await send(url, SECRET, one);
    await send(url, SECRET, one);
    expect(messageIds).toEqual([one.id, one.id]);
  });

  it.each<[string, number, Record<string, string>, unknown]>([
    ['408', 408, {}, { outcome: 'later', status: 'HTTP 408' }],
    ['425', 425, {}, { outcome: 'later' }],
    ['429 with a hint', 429, { 'retry-after': '30' }, { outcome: 'later', retryAfterS: 30 }],
    [
      '429 with a date',
      429,
      { 'retry-after': 'Mon, 23 Nov 2026 12:00:00 GMT' },
      { outcome: 'later', retryAfterS: undefined },
    ],
    ['500', 500, {}, { outcome: 'later' }],
    ['504', 504, {}, { outcome: 'later' }],
    ['400', 400, {}, { outcome: 'refused' }],
    ['404', 404, {}, { outcome: 'refused' }],
    ['413', 413, {}, { outcome: 'refused' }],
    ['a redirect that leads nowhere', 302, {}, { outcome: 'refused' }],
  ])('%s', async (_case, status, headers, expected) => {
    waybill.fault({ effect: { kind: 'answer', status, headers } });
    expect(await send(url, SECRET, row())).toMatchObject(expected as object);
  });

  it('nobody there, or no answer: later, with the reason', async () => {
    waybill.fault({ effect: { kind: 'drop-before' } });
    expect(await send(url, SECRET, row())).toMatchObject({ outcome: 'later', status: 'not reached' });
    await waybill.stop();
    expect(await send(url, SECRET, row())).toMatchObject({
      outcome: 'later',
      status: 'not reached',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('pauses as Standard Webhooks recommends', () => {
    expect(RETRY_AFTER_S).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
  });
});

it.each<[number, number | undefined, string]>([
  [2856, undefined, '28.56'],
  [5, undefined, '0.05'],
  [-300, undefined, '-3.00'],
  [550, 0, '550'],
  [13845, 3, '13.845'],
  [1, 3, '0.001'],
  [115, 2, '1.15'],
  [4_503_599_627_370_495, 2, '45035996273704.95'],
])('%d minor units with %s decimals are %s', (minor, decimals, text) => {
  expect(decimal(minor, decimals)).toBe(text);
});
