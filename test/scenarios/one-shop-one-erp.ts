import { createHmac } from 'node:crypto';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { odoo } from '../../shared/connectors/odoo/index.ts';
import { woocommerce } from '../../shared/connectors/woocommerce/index.ts';
import { acceptWebhook } from '../../shared/core/accept-webhook.ts';
import type { LedgerEntry } from '../../shared/core/ledger.ts';
import type { PushOrderPorts } from '../../shared/core/order-ports.ts';
import { pushOrder } from '../../shared/core/push-order.ts';
import { sqsBatch } from '../../shared/core/sqs-batch.ts';
import type { WideLine } from '../../shared/observability/wide-event.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { type JournalRow, memoryJournal } from '../fakes/memory-journal.ts';
import { memoryLedger } from '../fakes/memory-ledger.ts';
import { startFakeOdoo } from '../fakes/odoo.ts';
import { startFakeWooCommerce } from '../fakes/woocommerce.ts';

export const SECRET = 'a-webhook-secret-of-the-scenario';
const KEYS = { consumerKey: 'ck_1', consumerSecret: 'cs_1' };
const LOGIN = 'bot@acme.example';
const MINUTE = 60_000;
/** As deployed: a record may take a minute, Odoo settles within half of one. */
const LEASE_MS = 95_000;
const SETTLE_MS = 35_000;

interface Message {
  readonly id: string;
  readonly body: string;
  visibleAtMs: number;
  receives: number;
}

/**
 * A shop, the webhook function's use-case, a queue as SQS is, the consumer's batch handler and an ERP: the real
 * connectors over real HTTP, on a clock that only the scenario moves.
 */
export const oneShopOneErp = async (options: { readonly apiKeys?: readonly [string, string] } = {}) => {
  const [firstKey, secondKey] = options.apiKeys ?? ['key-1', 'key-1'];
  const shop = await startFakeWooCommerce({
    ...KEYS,
    currency: 'EUR',
    decimals: 2,
    taxRates: [],
    products: [
      { sku: 'LAMP-1', name: 'Lamp', price: '40.00', stock: 1000 },
      { sku: 'NOT-IN-ERP', name: 'Unknown', price: '1.00', stock: 1000 },
    ],
  });
  const erp = await startFakeOdoo({
    version: 18,
    database: 'acme',
    login: LOGIN,
    apiKey: secondKey,
    companies: [{ name: 'Acme', currency: 'EUR' }],
    products: [
      { sku: 'LAMP-1', name: 'Lamp', price: 40, stock: 1000 },
      ...['SHIP', 'FEE', 'DISCOUNT', 'ROUNDING'].map((sku) => ({ sku, name: sku, price: 0, service: true })),
    ],
    taxes: [],
  });
  let now = Date.now();
  const nowMs = () => now;
  let secrets: readonly string[] = [SECRET];
  const entries = new Map<string, LedgerEntry>();
  const rows = new Map<string, JournalRow>();
  const messages: Message[] = [];
  const parked: { code: string; body: string }[] = [];
  const lines: WideLine[] = [];
  let ids = 0;

  const opened = odoo.open({
    connection: 'acme-odoo',
    settings: odoo.manifest.settings.parse({ url: erp.url, database: 'acme' }) as never,
    credentials: async (fresh = false) => ({ login: LOGIN, apiKey: fresh ? secondKey : firstKey }),
    nowMs,
  });
  const ports: PushOrderPorts = {
    destination: 'acme-odoo',
    routes: [OrderRoute.parse({ from: 'acme-woo', to: 'acme-odoo', startAt: '2026-01-01T00:00:00Z' })],
    erp: opened.orders,
    nowMs,
    leaseMs: LEASE_MS,
    settleMs: SETTLE_MS,
    ledger: memoryLedger(nowMs, entries),
    journal: memoryJournal(rows),
    mappings: { lookup: async () => new Map() },
    bindings: { put: async () => undefined },
    refetch: { sources: new Set(), notify: async () => undefined },
  };
  const send = (body: string) => {
    messages.push({ id: `m${++ids}`, body, visibleAtMs: now, receives: 0 });
  };
  const handler = (over: Partial<PushOrderPorts>) =>
    sqsBatch({
      what: 'consume-orders',
      connection: 'acme-odoo',
      event: 'order.changed.v1',
      ports: {
        park: async (record, error) => {
          parked.push({ code: error.code, body: record.body });
        },
        answer: async () => undefined,
        hide: async ({ messageId }, ms) => {
          const message = messages.find(({ id }) => id === messageId);
          if (message) message.visibleAtMs = now + ms;
        },
        line: (line) => lines.push(line),
        nowMs,
        timeScale: 1,
        random: () => 0.5,
      },
      work: async (event, call) => {
        const outcome = await pushOrder({ ...ports, ...over }, event, call);
        return {
          line: { outcome: outcome.kind, ...(outcome.kind === 'skipped' && { code: outcome.reason }) },
        };
      },
    });
  /** One invocation: what SQS hands out now, at most ten. */
  const invoke = async (over: Partial<PushOrderPorts> = {}): Promise<number> => {
    const batch = messages.filter(({ visibleAtMs }) => visibleAtMs <= now).slice(0, 10);
    for (const message of batch) {
      message.visibleAtMs = now + 6 * MINUTE;
      message.receives += 1;
    }
    const Records = batch.map(
      ({ id, body, receives }) =>
        ({
          messageId: id,
          receiptHandle: id,
          body,
          attributes: { ApproximateReceiveCount: String(receives) },
          messageAttributes: {},
        }) as unknown as SQSRecord,
    );
    const event: SQSEvent = { Records };
    const { batchItemFailures } = await handler(over)(event, { getRemainingTimeInMillis: () => MINUTE });
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { id } of batch) {
      if (failed.has(id)) continue;
      messages.splice(
        messages.findIndex((message) => message.id === id),
        1,
      );
    }
    return batch.length;
  };

  return {
    shop,
    erp,
    messages,
    parked,
    lines,
    ports,
    send,
    invoke,
    rotate: (...next: readonly string[]) => {
      secrets = next;
    },
    /** The state of an order as a signed webhook; resolves to the status answered. */
    deliver: async (order: object, secret = SECRET): Promise<number> => {
      const body = Buffer.from(JSON.stringify(order));
      const { statusCode } = await acceptWebhook(
        {
          connector: woocommerce,
          connection: 'acme-woo',
          context: async () => ({
            connection: 'acme-woo',
            settings: woocommerce.manifest.settings.parse({ url: shop.url }) as never,
            credentials: { webhookSecrets: [...secrets] },
            nowMs,
          }),
          publish: async (name, event) => send(JSON.stringify({ 'detail-type': name, detail: event })),
          quarantine: async () => undefined,
          line: (line) => lines.push(line),
          nowMs,
          newId: () => `e${++ids}`,
          maxBodyBytes: 700_000,
        },
        {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-wc-webhook-topic': 'order.updated',
            'x-wc-webhook-signature': createHmac('sha256', secret).update(body).digest('base64'),
          },
          body,
        },
      );
      return statusCode;
    },
    /** A buyer pays for lamps; no webhook is sent by itself. */
    buy: (sku = 'LAMP-1') =>
      shop.placeOrder({
        via: 'rest-api',
        lines: [{ sku, quantity: 2 }],
        paymentMethod: 'stripe',
        paid: true,
        billing: { first_name: 'Ada', last_name: 'Beispiel', country: 'DE', email: 'ada@example.test' },
      }),
    /** The clock goes on, from one message that becomes visible to the next, until the queue is empty or the time is over. */
    run: async (forMs = 24 * 60 * MINUTE) => {
      const untilMs = now + forMs;
      while (messages.length > 0) {
        const next = Math.min(...messages.map(({ visibleAtMs }) => visibleAtMs));
        if (next > untilMs) break;
        now = Math.max(now, next);
        await invoke();
      }
      if (messages.length > 0) now = untilMs;
    },
    /** What the ERP holds. */
    documents: () =>
      erp.orders().map(({ name, state, amount_total }) => `${name} ${state} ${amount_total.toFixed(2)}`),
    outcomes: () => lines.filter(({ what }) => what === 'consume-orders').map(({ outcome }) => outcome),
    stop: async () => {
      await shop.stop();
      await erp.stop();
    },
  };
};
