import type { FastifyRequest } from 'fastify';
import type { MappingKind } from '../../shared/connectors/contract.ts';
import { odoo } from '../../shared/connectors/odoo/index.ts';
import { stripe } from '../../shared/connectors/stripe/index.ts';
import { acceptWebhook } from '../../shared/core/accept-webhook.ts';
import { IntegrationError } from '../../shared/core/errors.ts';
import { type FetchPaymentPorts, fetchPayment } from '../../shared/core/fetch-payment.ts';
import { journeyKey } from '../../shared/core/intent-key.ts';
import type { LedgerEntry } from '../../shared/core/ledger.ts';
import type { PushOrderPorts } from '../../shared/core/order-ports.ts';
import { pushOrder } from '../../shared/core/push-order.ts';
import type { Publish } from '../../shared/events/catalogue.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import type { PaymentNotifiedV1 } from '../../shared/events/payment-notified.ts';
import type { WideLine } from '../../shared/observability/wide-event.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { type JournalRow, memoryJournal, memoryJournalReads } from '../fakes/memory-journal.ts';
import { memoryLedger } from '../fakes/memory-ledger.ts';
import { memoryPaymentFacts } from '../fakes/memory-payment-facts.ts';
import { startFakeOdoo } from '../fakes/odoo.ts';
import { anOrder } from '../fakes/orders.ts';
import { startPeerServer } from '../fakes/peer-server.ts';
import { startFakeStripe } from '../fakes/stripe.ts';

export const SECRET = 'whsec_scenario_1';
const KEY = 'rk_test_scenario';
const MINUTE = 60_000;

type Queued =
  | { readonly name: 'order.changed.v1'; readonly event: Envelope<OrderChangedV1> }
  | { readonly name: 'payment.notified.v1'; readonly event: Envelope<PaymentNotifiedV1> };
type Message = Queued & { visibleAtMs: number; receives: number };

const eur = (minor: number) => ({ minor, currency: 'EUR' });

/**
 * A shop's events, Stripe, both webhook functions' use-case, their queues and an ERP: the real connectors over real HTTP,
 * on a clock that only the scenario moves.
 */
export const paidByStripe = async () => {
  let now = Date.parse('2026-11-20T10:00:00Z');
  const nowMs = () => now;
  const account = await startFakeStripe({ apiKey: KEY, nowMs });
  const erp = await startFakeOdoo({
    version: 18,
    database: 'acme',
    login: 'bot@acme.example',
    apiKey: 'key-1',
    companies: [{ name: 'Acme', currency: 'EUR' }],
    products: [
      { sku: 'LAMP-1', name: 'Lamp', price: 40, stock: 1000 },
      ...['SHIP', 'FEE', 'DISCOUNT', 'ROUNDING'].map((sku) => ({ sku, name: sku, price: 0, service: true })),
    ],
    taxes: [],
    journals: [{ code: 'STRP', name: 'Stripe' }],
    nowMs,
  });
  let secrets: readonly string[] = [SECRET];
  const messages: Message[] = [];
  const lines: WideLine[] = [];
  const quarantined: string[] = [];
  const failures: string[] = [];
  const rows = new Map<string, JournalRow>();
  const journal = memoryJournal(rows);
  const journalReads = memoryJournalReads(rows);
  const facts = memoryPaymentFacts();
  let ids = 0;
  const publish: Publish = async (name, event) => {
    messages.push({ name, event, visibleAtMs: now, receives: 0 } as unknown as Message);
  };

  const orders: PushOrderPorts = {
    destination: 'acme-odoo',
    routes: [
      OrderRoute.parse({
        from: 'acme-site',
        to: 'acme-odoo',
        startAt: '2026-01-01T00:00:00Z',
        payments: 'book',
      }),
    ],
    erp: odoo.open({
      connection: 'acme-odoo',
      settings: odoo.manifest.settings.parse({ url: erp.url, database: 'acme' }) as never,
      credentials: async () => ({ login: 'bot@acme.example', apiKey: 'key-1' }),
      nowMs,
    }).orders,
    nowMs,
    leaseMs: 95_000,
    settleMs: 35_000,
    ledger: memoryLedger(nowMs, new Map<string, LedgerEntry>()),
    journal,
    mappings: {
      lookup: async (kind: MappingKind, source, destination) =>
        new Map(
          kind === 'journal'
            ? [
                [
                  'stripe',
                  {
                    kind,
                    source,
                    destination,
                    key: 'stripe',
                    to: [{ value: 'STRP', quantity: 1, share: 1 }],
                  },
                ],
              ]
            : [],
        ),
    },
    bindings: { put: async () => undefined },
    refetch: { sources: new Set(), notify: async () => undefined },
    paymentFacts: (order) => facts.of([{ source: 'acme-stripe', hint: 'number' }], 'acme-odoo', order),
  };
  const payments: FetchPaymentPorts = {
    reads: stripe.open({
      connection: 'acme-stripe',
      settings: stripe.manifest.settings.parse({ url: account.url }) as never,
      credentials: async () => ({ webhookSecrets: [...secrets], apiKey: KEY }),
      nowMs,
    }),
    facts,
    journal: { ...journalReads, settled: journal.settled },
    timeline: journalReads,
    publish,
    nowMs,
    newId: () => `e${++ids}`,
    timeScale: 1,
    recent: new Map(),
  };

  /** The front door, as API Gateway hands over what comes in. */
  const door = await startPeerServer((app) => {
    app.post('/webhooks/acme-stripe', async (request: FastifyRequest, reply) => {
      const { statusCode, body } = await acceptWebhook(
        {
          connector: stripe as never,
          connection: 'acme-stripe',
          context: async () => ({
            connection: 'acme-stripe',
            settings: stripe.manifest.settings.parse({ url: account.url }) as never,
            credentials: { webhookSecrets: [...secrets], apiKey: KEY } as never,
            nowMs,
          }),
          publish,
          quarantine: async ({ reason }) => void quarantined.push(reason),
          line: (line) => lines.push(line),
          nowMs,
          newId: () => `e${++ids}`,
          maxBodyBytes: 700_000,
        },
        {
          method: 'POST',
          headers: request.headers as Record<string, string>,
          body: (request.body as Buffer | undefined) ?? Buffer.alloc(0),
        },
      );
      return reply.code(statusCode).send(body);
    });
  });
  const webhookUrl = `${door.url}/webhooks/acme-stripe`;
  account.registerWebhook({ deliveryUrl: webhookUrl, secret: SECRET });

  const work = async ({ name, event, receives }: Message): Promise<void> => {
    const call = { signal: AbortSignal.timeout(10_000), receive: receives, isUrgent: false };
    if (name === 'payment.notified.v1') {
      await fetchPayment(payments, event, call);
      return;
    }
    await journal.record('acme-odoo', event, { atMs: now, code: 'RECEIVED', text: '' });
    await pushOrder({ ...orders, isUrgent: false }, event, call);
  };

  /** Works until nothing is left, the clock going on from one message that becomes visible to the next. */
  const run = async (): Promise<void> => {
    for (let steps = 0; steps < 200; steps += 1) {
      await account.settled();
      const [message] = messages.toSorted((a, b) => a.visibleAtMs - b.visibleAtMs);
      if (!message) return;
      now = Math.max(now, message.visibleAtMs);
      message.receives += 1;
      try {
        await work(message);
        messages.splice(messages.indexOf(message), 1);
      } catch (error) {
        failures.push(error instanceof IntegrationError ? error.code : String(error));
        if (!(error instanceof IntegrationError) || message.receives > 8) throw error;
        message.visibleAtMs = now + MINUTE;
      }
    }
    throw new Error('it does not come to an end');
  };

  return {
    account,
    erp,
    lines,
    quarantined,
    failures,
    webhookUrl,
    run,
    rotate: (...next: readonly string[]) => {
      secrets = next;
    },
    pass: (ms: number) => {
      now += ms;
    },
    nowMs,
    /** The shop tells of two lamps for 80.00. */
    tell: (over: Partial<OrderChangedV1> = {}) => {
      now += 1_000;
      const order = anOrder({
        source: 'acme-site',
        orderId: 'ord-17',
        orderNumber: 'A-1001',
        sourceVersion: now,
        contentHash: `${++ids}`,
        placedAt: new Date(now).toISOString(),
        currency: 'EUR',
        lines: [
          {
            id: '1',
            sku: 'LAMP-1',
            title: 'Lamp',
            quantity: 2,
            subtotal: eur(8_000),
            discount: eur(0),
            total: eur(8_000),
            taxes: [],
            kind: 'goods',
            gift: false,
            attributes: [],
          },
        ],
        charges: [],
        rounding: eur(0),
        tax: eur(0),
        total: eur(8_000),
        payment: { state: 'paid', kind: 'online', method: 'stripe' },
        ...over,
      });
      const correlationId = `acme-site:${order.orderId}`;
      const meta = {
        id: `e${++ids}`,
        connection: 'acme-site',
        correlationId,
        receivedAtMs: now,
        via: 'webhook',
      } as const;
      return publish('order.changed.v1', { meta, data: order });
    },
    /** A buyer pays 80.00, less 2.57 that Stripe keeps. */
    pay: (over: Partial<Parameters<typeof account.pay>[0]> = {}) =>
      account.pay({
        amount: 8_000,
        currency: 'eur',
        fee: 257,
        metadata: { order_id: 'A-1001' },
        ...over,
      }).id,
    /** What stands in the books. */
    booked: () =>
      erp
        .records('account.payment')
        .map(({ payment_type, amount, date, payment_reference, memo, state }) =>
          [
            payment_type,
            amount,
            date,
            payment_reference || '-',
            String(memo).replace(/ \| S\d+/, ''),
            state,
          ].join(' '),
        )
        .sort(),
    timeline: () =>
      rows
        .get(journeyKey('acme-odoo', 'acme-site', 'ord-17'))
        ?.steps.map(({ code, text }) => `${code}: ${text}`) ?? [],
    stop: async () => {
      await account.stop();
      await door.stop();
      await erp.stop();
    },
  };
};
