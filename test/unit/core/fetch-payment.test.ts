import { expect, it } from 'vitest';
import type { FetchedPayment, ProviderPayment } from '../../../shared/connectors/contract.ts';
import { PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import { type FetchPaymentPorts, fetchPayment } from '../../../shared/core/fetch-payment.ts';
import { journeyKey } from '../../../shared/core/intent-key.ts';
import type { JourneyState, JourneyStep } from '../../../shared/core/journal.ts';
import { revisionOf } from '../../../shared/core/revision.ts';
import type { Envelope } from '../../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import type { PaymentNotifiedV1 } from '../../../shared/events/payment-notified.ts';
import { type JournalRow, memoryJournal, memoryJournalReads } from '../../fakes/memory-journal.ts';
import { memoryPaymentFacts } from '../../fakes/memory-payment-facts.ts';
import { anOrder } from '../../fakes/orders.ts';

const RECEIVED_MS = Date.parse('2026-11-21T22:56:12Z');
const TWD = (minor: number) => ({ minor, currency: 'TWD' });

const made = anOrder({ source: 'acme-woo', orderId: '17', orderNumber: '1001' });
const order: OrderChangedV1 = { ...made, payment: { ...made.payment, reference: 'ch_1' } };
const recorded: Envelope<OrderChangedV1> = {
  meta: {
    id: 'o1',
    connection: 'acme-woo',
    correlationId: 'acme-woo:17',
    receivedAtMs: RECEIVED_MS - 60_000,
    deliveryId: 'd1',
    via: 'webhook',
  },
  data: order,
};

const payment: ProviderPayment = {
  paymentId: 'pi_1',
  references: ['pi_1', 'ch_1'],
  livemode: true,
  captured: [{ id: 'ch_1', amount: TWD(44_100), paidAt: '2026-11-21T22:56:00.000Z', method: 'card' }],
  refunds: [],
  disputes: [],
};
const asPayment = (over: Partial<ProviderPayment> = {}): FetchedPayment => ({
  kind: 'payment',
  payment: { ...payment, ...over },
  warnings: [],
});
const notified = (
  why: PaymentNotifiedV1['why'] = 'push',
  receivedAtMs = RECEIVED_MS,
): Envelope<PaymentNotifiedV1> => ({
  meta: {
    id: 'n1',
    connection: 'acme-stripe',
    correlationId: 'acme-stripe:pi_1',
    receivedAtMs,
    deliveryId: 'evt_1',
    via: 'webhook',
  },
  data: { source: 'acme-stripe', paymentId: 'pi_1', why },
});

const desk = (told: FetchedPayment | Error | undefined, over: Partial<FetchPaymentPorts> = {}) => {
  const published: { name: string; event: unknown }[] = [];
  const clock = { nowMs: RECEIVED_MS + 300 };
  const rows = new Map<string, JournalRow>();
  const journal = memoryJournal(rows);
  const reads = memoryJournalReads(rows);
  const facts = memoryPaymentFacts();
  let asked = 0;
  const ports: FetchPaymentPorts = {
    reads: {
      payment: async () => {
        asked += 1;
        clock.nowMs += 50;
        if (told instanceof Error) throw told;
        return told;
      },
    },
    facts,
    journal: { ...reads, settled: journal.settled },
    timeline: reads,
    publish: async (name, event) => void published.push({ name, event }),
    nowMs: () => clock.nowMs,
    newId: () => `e${published.length + 1}`,
    timeScale: 1,
    recent: new Map(),
    ...over,
  };
  return {
    ports,
    published,
    clock,
    rows,
    facts,
    asked: () => asked,
    fetch: (event = notified(), receive = 1) =>
      fetchPayment(ports, event, { signal: new AbortController().signal, receive, isUrgent: false }),
    /** The order came, and asked for its payment. */
    come: async (destination = 'acme-odoo', state?: JourneyState) => {
      const step: JourneyStep = { atMs: 1, code: 'RECEIVED', text: '' };
      await journal.record(destination, recorded, step);
      if (state)
        await journal.settle(destination, 'acme-woo', '17', {
          revision: revisionOf(recorded),
          inShadow: false,
          state,
          step,
        });
      await facts.of([{ source: 'acme-stripe', hint: 'either' }], destination, order);
    },
    row: (destination = 'acme-odoo') => rows.get(journeyKey(destination, 'acme-woo', '17')),
  };
};
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error,
  );

it('keeps what the provider says, as of when reading began, for an order that is still to come', async () => {
  const at = desk(asPayment());
  expect(await at.fetch()).toEqual({ kind: 'fetched', orders: [], disputes: 0, warnings: [] });
  expect(at.published).toEqual([]);
  const { disputes: _, ...facts } = payment;
  expect(await at.facts.of([{ source: 'acme-stripe', hint: 'none' }], 'acme-odoo', order)).toEqual([
    { ...facts, source: 'acme-stripe', asOfMs: RECEIVED_MS + 300 },
  ]);
});

it('publishes the order again, as it was when it came, and the sweep knows of it', async () => {
  const at = desk(asPayment({ refunds: [{ id: 're_1', amount: TWD(100), state: 'pending' }] }));
  await at.come('acme-odoo', 'done');
  expect(at.row()?.openSinceMs).toBeUndefined();
  expect(await at.fetch()).toMatchObject({
    kind: 'fetched',
    orders: [{ destination: 'acme-odoo', source: 'acme-woo', orderId: '17' }],
  });
  expect(at.published).toEqual([
    {
      name: 'order.changed.v1',
      event: { meta: { ...recorded.meta, id: 'e1', via: 'replay' }, data: order },
    },
  ]);
  expect(at.row()).toMatchObject({ state: 'open', openSinceMs: RECEIVED_MS + 350 });
  expect(at.row()?.steps.at(-1)).toEqual({
    atMs: RECEIVED_MS + 350,
    code: 'PAYMENT_READ',
    text: 'acme-stripe pi_1: 441.00 TWD captured, 1.00 TWD to be given back: pending',
  });
});

it('tells two ERPs by one event', async () => {
  const told: unknown[] = [];
  const at = desk(asPayment(), { onPublished: (which) => told.push(which) });
  await at.come('acme-odoo', 'done');
  await at.come('acme-tryton', 'done');
  await at.fetch();
  expect(at.published).toHaveLength(1);
  expect(told).toEqual([{ source: 'acme-woo', orderId: '17' }]);
  expect([at.row()?.state, at.row('acme-tryton')?.state]).toEqual(['open', 'open']);
});

it.each<[JourneyState, number]>([
  // It asks when it is redriven.
  ['parked', 0],
  // A person has decided.
  ['discarded', 0],
  ['skipped', 1],
])('leaves an order that is %s as it is, with a word in its timeline', async (state, events) => {
  const at = desk(asPayment());
  await at.come('acme-odoo', state);
  await at.fetch();
  expect(at.published).toHaveLength(events);
  expect(at.row()).toMatchObject({ state, steps: [{}, {}, { code: 'PAYMENT_READ' }] });
});

it('waits for the recorder', async () => {
  const at = desk(asPayment());
  await at.facts.of([{ source: 'acme-stripe', hint: 'either' }], 'acme-odoo', order);
  expect(await failureOf(at.fetch())).toMatchObject({ name: 'RetryableError', code: 'NOT_RECORDED' });
  await at.come();
  expect(await at.fetch()).toMatchObject({ kind: 'fetched' });
  expect(at.published).toHaveLength(1);
});

it('tells people of a dispute each time, and books nothing for it', async () => {
  const disputes = [{ id: 'du_1', amount: TWD(44_100), reason: 'fraudulent', status: 'needs_response' }];
  const at = desk(asPayment({ disputed: true, disputes }));
  await at.come('acme-odoo', 'done');
  await at.fetch();
  // Read since; nevertheless.
  expect(await at.fetch(notified('dispute'))).toMatchObject({ kind: 'fetched', disputes: 1 });
  expect(at.row()?.steps.filter(({ code }) => code === 'PAYMENT_DISPUTED')).toHaveLength(2);
  expect(at.row()?.steps.at(-1)?.text).toBe(
    'The buyer disputes 441.00 TWD of pi_1 (fraudulent), needs_response: answer it at acme-stripe. Nothing is booked.',
  );
});

it('reads once what several pushes told before the reading began', async () => {
  const at = desk(asPayment());
  await at.fetch();
  expect(await at.fetch()).toMatchObject({ kind: 'skipped', reason: 'FETCHED_SINCE' });
  expect(await at.fetch(notified('push', RECEIVED_MS + 301))).toMatchObject({ kind: 'fetched' });
  expect(at.asked()).toBe(2);
});

it('reads again what could not be announced', async () => {
  let isDown = true;
  const at = desk(asPayment(), {
    publish: async () => {
      if (isDown) throw new RetryableError('NOT_PUBLISHED', 'the bus refused the event');
    },
  });
  await at.come('acme-odoo', 'done');
  expect(await failureOf(at.fetch())).toMatchObject({ code: 'NOT_PUBLISHED' });
  isDown = false;
  expect(await at.fetch()).toMatchObject({ kind: 'fetched', orders: [{}] });
});

it.each<[string, FetchedPayment | undefined, object]>([
  ['unknown', undefined, { kind: 'skipped', reason: 'PAYMENT_GONE' }],
])('%s: says so', async (_, told, outcome) => {
  expect(await desk(told).fetch()).toMatchObject(outcome);
});

it('parks what cannot be stated, with the field', async () => {
  const failure = await failureOf(desk({ kind: 'unreadable', reason: 'status: missing' }).fetch());
  expect(failure).toBeInstanceOf(PermanentError);
  expect(failure).toMatchObject({
    code: 'PAYMENT_UNREADABLE',
    params: { source: 'acme-stripe', paymentId: 'pi_1', problem: 'status: missing' },
  });
});

it.each([
  [7, 3 * 3_600_000, 'RATE_LIMITED'],
  [8, 3_600_000, 'RATE_LIMITED'],
  [8, 2 * 3_600_000, 'RETRIES_EXHAUSTED'],
])('receive %i after %i ms: %s', async (receive, ageMs, code) => {
  const at = desk(new RetryableError('RATE_LIMITED', 'Stripe answered HTTP 429', { status: 429 }));
  at.clock.nowMs = RECEIVED_MS + ageMs;
  expect(await failureOf(at.fetch(notified(), receive))).toMatchObject({ code });
});
