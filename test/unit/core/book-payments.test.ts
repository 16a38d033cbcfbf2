import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermanentError, UnknownOutcomeError } from '../../../shared/core/errors.ts';
import type { PushOrderPorts } from '../../../shared/core/order-ports.ts';
import type { PaymentFacts } from '../../../shared/core/payment-facts.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { LEASE_MS, orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

const V1 = Date.parse('2026-11-21T22:56:11Z');
const later = (seconds: number, override: Partial<OrderChangedV1> = {}) =>
  anOrder({ sourceVersion: V1 + seconds * 1000, contentHash: `v${seconds}`, ...override });
const twd = (minor: number) => ({ minor, currency: 'TWD' });
const { payment, total } = anOrder();
const unpaid: Partial<OrderChangedV1> = {
  payment: { ...payment, kind: 'cash-on-delivery', state: 'pending' },
};
const refund = { id: '77', total: twd(1000) };
const refunded: Partial<OrderChangedV1> = {
  refunds: [refund],
  payment: { ...payment, state: 'partially-refunded' },
};
const cancelled: Partial<OrderChangedV1> = { status: 'cancelled', sourceStatus: 'cancelled' };

const booking = (options: Parameters<typeof orderDesk>[0] = {}) =>
  orderDesk({ changes: true, ...options, route: { payments: 'book', ...options.route } });
type Desk = ReturnType<typeof orderDesk>;
const bookedAt = ({ payments }: Desk) =>
  payments.map(
    ({ reference, direction, minor }) => `${direction} ${reference.split('/payment/')[1]} ${minor}`,
  );
const paid = `in paid ${total.minor}`;

const stripe = (override: Partial<PaymentFacts> = {}): PaymentFacts => ({
  source: 'acme-stripe',
  paymentId: 'pi_1',
  references: ['pi_1'],
  livemode: true,
  captured: [{ id: 'ch_1', amount: total, fee: twd(300), paidAt: '2026-11-21T22:56:00Z', method: 'card' }],
  refunds: [],
  asOfMs: 1,
  ...override,
});
const told = (...facts: PaymentFacts[]): Partial<PushOrderPorts> => ({ paymentFacts: async () => facts });

describe('a payment', () => {
  it('is booked after the order is confirmed, once', async () => {
    const desk = booking();
    expect(await desk.push(anOrder())).toMatchObject({ kind: 'written', done: ['confirm', 'payment paid'] });
    expect(desk.calls.slice(-4)).toEqual([
      'payment.resolve',
      'payment.find',
      'payment.create',
      'payment.complete',
    ]);
    expect(desk.payments).toEqual([
      { id: '1', reference: 'acme-woo:1001/payment/paid', direction: 'in', minor: total.minor, posted: true },
    ]);
    expect(desk.bound).toContain('acme-odoo acme-woo payment 1001/paid 1');
    expect(desk.journal()).toMatchObject({
      state: 'done',
      text: 'S00001 in acme-odoo, confirm, payment paid',
    });
    expect(await desk.push(anOrder())).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(await desk.push(later(60))).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(desk.payments).toHaveLength(1);
  });

  it.each<[string, Parameters<typeof orderDesk>[0]]>([
    ['the route only notes them', { changes: true }],
    ['the order is a draft', { changes: true, route: { payments: 'book', accept: { paid: 'draft' } } }],
    ['in shadow mode', { changes: true, route: { payments: 'book', mode: 'shadow' } }],
  ])('is not booked: %s', async (_case, options) => {
    const desk = orderDesk(options);
    await desk.push(anOrder());
    await desk.push(later(60));
    expect(desk.payments).toEqual([]);
  });

  it('that comes later is no edit', async () => {
    const desk = booking();
    expect(await desk.push(anOrder(unpaid))).not.toHaveProperty('done');
    const outcome = await desk.push(later(60));
    expect(outcome).toMatchObject({ kind: 'changed', done: ['payment paid'] });
    expect(desk.calls.filter((call) => call === 'complete')).toHaveLength(1);
    expect(bookedAt(desk)).toEqual([paid]);
  });

  it('after confirmation, edit and credit note; what went back after what came', async () => {
    const desk = booking();
    await desk.push(anOrder(unpaid));
    const outcome = await desk.push(later(60, { ...refunded, buyerNote: 'ring twice' }));
    expect(outcome).toMatchObject({ done: ['edited', 'refund 77', 'payment paid', 'payment refund 77'] });
    expect(bookedAt(desk)).toEqual([paid, 'out refund 77 1000']);
  });

  it('of an order that was cancelled before it was invoiced: in and out', async () => {
    const desk = booking({ route: { accept: { paid: 'draft' } } });
    await desk.push(anOrder());
    const back = { refunds: [{ id: '78', total }], payment: { ...payment, state: 'refunded' as const } };
    expect(await desk.push(later(60, { ...cancelled, ...back }))).toMatchObject({ kind: 'changed' });
    await desk.push(later(90, { ...cancelled, ...back }));
    expect(desk.orders).toMatchObject([{ state: 'cancelled' }]);
    expect(bookedAt(desk)).toEqual([paid, `out refund 78 ${total.minor}`]);
    expect(desk.notes).toEqual([]);
  });

  it('in parts, and in the currency of the route', async () => {
    const desk = booking();
    const deposit = { id: 'd', amount: twd(30_000), method: 'stripe' };
    await desk.push(anOrder({ ...unpaid, payments: [deposit] }));
    await desk.push(later(60, { payments: [deposit, { ...deposit, id: 'r', amount: twd(80_198) }] }));
    expect(bookedAt(desk)).toEqual(['in d 30000', 'in r 80198']);
  });

  it('of an adopted or earlier order is people’s: nothing that had moved is booked', async () => {
    const desk = orderDesk({ changes: true });
    await desk.push(anOrder());
    const routes = desk.ports.routes.map((route) => ({ ...route, payments: 'book' as const }));
    expect(await desk.push(later(60), { routes })).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(await desk.push(later(90, refunded), { routes })).toMatchObject({
      done: ['refund 77', 'payment refund 77'],
    });
    expect(bookedAt(desk)).toEqual(['out refund 77 1000']);
  });

  it('of an order that was finished before payments could be booked is left to people', async () => {
    const desk = orderDesk({ changes: true });
    await desk.push(anOrder());
    for (const [intent, { facts, ...entry }] of desk.entries) {
      const { payments: _, ...before } = facts;
      desk.entries.set(intent, { ...entry, facts: before });
    }
    const routes = desk.ports.routes.map((route) => ({ ...route, payments: 'book' as const }));
    expect(await desk.push(later(60), { routes })).toMatchObject({ reason: 'ALREADY_DONE' });
    expect(await desk.push(later(90, refunded), { routes })).toMatchObject({ done: ['refund 77'] });
    expect(desk.payments).toEqual([]);
  });
});

describe('what goes wrong', () => {
  const unknownJournal = () => {
    const params = { method: 'stripe', source: 'acme-woo', destination: 'acme-odoo' };
    throw new PermanentError('UNKNOWN_PAYMENT_JOURNAL', params);
  };

  it('no journal: the order is written and confirmed, and parked for its payment', async () => {
    const desk = booking();
    desk.fails['payment.resolve'] = unknownJournal;
    await expect(desk.push(anOrder())).rejects.toMatchObject({ code: 'UNKNOWN_PAYMENT_JOURNAL' });
    expect(desk.orders).toMatchObject([{ level: 'confirm' }]);
    expect(desk.journal()).toMatchObject({ state: 'parked', code: 'UNKNOWN_PAYMENT_JOURNAL' });
    desk.fails['payment.resolve'] = () => undefined;
    expect(await desk.push(anOrder())).toMatchObject({ kind: 'changed', done: ['payment paid'] });
    expect(bookedAt(desk)).toEqual([paid]);
  });

  it('no answer: looked for before it is written again', async () => {
    const desk = booking();
    desk.fails['payment.complete'] = () => {
      throw new UnknownOutcomeError('PEER_TIMEOUT', 'erp did not answer');
    };
    await expect(desk.push(anOrder())).rejects.toThrow('did not answer');
    desk.fails['payment.complete'] = () => undefined;
    desk.wait(LEASE_MS);
    expect(await desk.push(anOrder())).toMatchObject({ done: ['payment paid'] });
    expect(bookedAt(desk)).toEqual([paid]);
  });

  it('a worker dies, and the shop then lists what it had only called paid', async () => {
    const desk = booking();
    const died = new Error('the function was killed');
    let deaths = 0;
    const ledger: PushOrderPorts['ledger'] = {
      ...desk.ports.ledger,
      finish: (intent, ...rest) => {
        if (!intent.endsWith('payment paid')) return desk.ports.ledger.finish(intent, ...rest);
        deaths += 1;
        return Promise.reject(died);
      },
      release: async () => undefined,
    };
    await expect(desk.push(anOrder(), { ledger })).rejects.toMatchObject({ cause: died });
    expect(deaths).toBe(1);
    desk.wait(LEASE_MS);
    const listed = { payments: [{ id: 'a', amount: total, method: 'stripe' }] };
    expect(await desk.push(later(60, listed), told(stripe()))).toMatchObject({ done: ['payment paid'] });
    expect(bookedAt(desk)).toEqual([paid]);
    expect(await desk.push(later(90, listed), told(stripe()))).toMatchObject({ reason: 'ALREADY_DONE' });
  });

  it('a ledger from a backup, and another id since: found under the id of the provider', async () => {
    const desk = booking();
    await desk.push(anOrder(unpaid), told(stripe()));
    expect(bookedAt(desk)).toEqual([`in ch_1 ${total.minor}`]);
    desk.entries.clear();
    await desk.push(later(60), told(stripe()));
    expect(bookedAt(desk)).toEqual([`in ch_1 ${total.minor}`]);
  });
});

describe('shop and provider', () => {
  it('what the provider gave back waits for the shop, and the timeline says so', async () => {
    const desk = booking();
    const refunds = [{ id: 're_1', amount: refund.total, state: 'succeeded' as const }];
    await desk.push(anOrder(), told(stripe({ refunds })));
    expect(bookedAt(desk)).toEqual([paid]);
    const waits = 'The payment provider gave back 10.00 TWD (re_1), and the shop states no such refund yet';
    expect(desk.journal().text).toContain(waits);
    expect(await desk.push(anOrder(), told(stripe({ refunds })))).toMatchObject({
      why: expect.stringContaining(waits),
    });
    await desk.push(later(60, refunded), told(stripe({ refunds })));
    expect(bookedAt(desk)).toEqual([paid, 'out refund 77 1000']);
  });

  // What was heard, in any order and any number of times: each payment is booked once, whatever it is called.
  const deposit = { id: 'd', amount: twd(30_000), method: 'stripe', reference: 'pi_0' };
  const rest = { id: 'r', amount: twd(80_198), method: 'stripe', reference: 'pi_1' };
  const first = stripe({
    paymentId: 'pi_0',
    references: ['pi_0', 'ch_0'],
    captured: [{ id: 'ch_0', amount: twd(30_000), paidAt: '2026-11-21T22:55:00Z', method: 'card' }],
  });
  const second = stripe({
    references: ['pi_1', 'ch_1'],
    captured: [{ id: 'ch_1', amount: twd(80_198), paidAt: '2026-11-21T22:56:00Z', method: 'card' }],
    refunds: [{ id: 're_1', amount: refund.total, state: 'succeeded' }],
  });
  const SHOPS: Readonly<Record<string, readonly Partial<OrderChangedV1>[]>> = {
    'lists captures': [
      { ...unpaid, payments: [deposit] },
      { payments: [deposit, rest] },
      { ...refunded, payments: [rest, deposit] },
    ],
    'only says paid': [unpaid, {}, refunded],
    'says both, each now and then': [
      { ...unpaid, payments: [deposit] },
      {},
      { ...refunded, payments: [deposit, rest] },
    ],
  };

  it.each(Object.keys(SHOPS))('a shop that %s, in any order with its provider', async (name) => {
    const versions = (SHOPS[name] ?? []).map((version, i) => later(60 * i, version));
    const step = fc.oneof(
      fc.nat(versions.length - 1).map((version) => ({ version })),
      fc.constantFrom({ knows: first }, { knows: second }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const desk = booking();
        const known: PaymentFacts[] = [];
        let newest = 0;
        const push = (index: number) =>
          desk.push(versions[index] ?? anOrder(), told(...known)).catch((error: unknown) => {
            throw new Error(`${JSON.stringify(steps)}: ${String(error)}`);
          });
        for (const each of steps) {
          if ('version' in each) newest = Math.max(newest, each.version);
          else if (!known.includes(each.knows)) known.push(each.knows);
          await push('version' in each ? each.version : newest);
        }
        // In the end all was said.
        for (const facts of [first, second]) if (!known.includes(facts)) known.push(facts);
        await push(versions.length - 1);
        await push(versions.length - 1);
        const sumOf = (direction: string) =>
          desk.payments.filter((each) => each.direction === direction).reduce((a, b) => a + b.minor, 0);
        expect([sumOf('in'), sumOf('out')]).toEqual([total.minor, 1000]);
        expect(new Set(desk.payments.map(({ reference }) => reference)).size).toBe(desk.payments.length);
      }),
      { numRuns: 150 },
    );
  });
});
