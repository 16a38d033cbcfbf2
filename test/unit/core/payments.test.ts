import { describe, expect, it } from 'vitest';
import type { PaymentFacts } from '../../../shared/core/payment-facts.ts';
import { type BookedPayment, capturesOf, mergePayments, paybacksOf } from '../../../shared/core/payments.ts';
import type { OrderChangedV1, OrderPayment } from '../../../shared/events/order-changed.ts';
import { anOrder } from '../../fakes/orders.ts';

const money = (minor: number, currency = 'TWD') => ({ minor, currency });
const { payment } = anOrder();
const TOTAL = 110198;

const capture = (id: string, minor: number, override: Partial<OrderPayment> = {}): OrderPayment => ({
  id,
  amount: money(minor),
  method: 'stripe',
  ...override,
});
/** What the provider says of a payment, its captures and its refunds. */
const facts = (
  paymentId: string,
  captured: readonly (readonly [id: string, minor: number, paidAt?: string])[],
  override: Partial<PaymentFacts> = {},
): PaymentFacts => ({
  source: 'acme-stripe',
  paymentId,
  references: [paymentId],
  livemode: true,
  captured: captured.map(([id, minor, paidAt = '2026-11-21T22:56:00Z']) => ({
    id,
    amount: money(minor),
    fee: money(300),
    paidAt,
    method: 'card',
  })),
  refunds: [],
  asOfMs: 1,
  ...override,
});
const booked = (...list: readonly (readonly [id: string, minor: number])[]): BookedPayment[] =>
  list.map(([id, minor]) => ({
    id,
    direction: id.startsWith('refund ') ? 'out' : 'in',
    amount: money(minor),
  }));
const short = (list: readonly { id: string; amount: { minor: number } }[]) =>
  list.map(({ id, amount }) => `${id} ${amount.minor}`);

describe('what a storefront says was captured', () => {
  it.each<[string, Partial<OrderChangedV1>, string[]]>([
    ['paid', {}, [`paid ${TOTAL}`]],
    ['in part by gift card', { giftCards: [{ id: 'g', amount: money(10_000) }] }, ['paid 100198']],
    ['by gift card alone', { giftCards: [{ id: 'g', amount: money(TOTAL) }] }, []],
    ['given back in part', { payment: { ...payment, state: 'partially-refunded' } }, [`paid ${TOTAL}`]],
    ['given back', { payment: { ...payment, state: 'refunded' } }, [`paid ${TOTAL}`]],
    ['not paid', { payment: { ...payment, state: 'pending' } }, []],
    ['failed', { payment: { ...payment, state: 'failed' } }, []],
    ['in part, nobody says how much', { payment: { ...payment, state: 'partially-paid' } }, []],
    ['free', { payment: { ...payment, kind: 'free' } }, []],
    ['cash on delivery', { payment: { ...payment, kind: 'cash-on-delivery', state: 'pending' } }, []],
    [
      'cash on delivery, less of it',
      { payment: { ...payment, kind: 'cash-on-delivery', state: 'partially-refunded' } },
      [],
    ],
    [
      'cash delivered, and given back in part',
      {
        payment: {
          ...payment,
          kind: 'cash-on-delivery',
          state: 'partially-refunded',
          paidAt: '2026-11-21T23:00:00Z',
        },
      },
      [`paid ${TOTAL}`],
    ],
    ['cash delivered', { payment: { ...payment, kind: 'cash-on-delivery' } }, [`paid ${TOTAL}`]],
    [
      'a list, while the rest is pending',
      { payments: [capture('d', 30_000)], payment: { ...payment, state: 'partially-paid' } },
      ['d 30000'],
    ],
    [
      'a list with one twice, and a zero',
      { payments: [capture('a', 5), capture('a', 5), capture('b', 0)] },
      ['a 5'],
    ],
    ['an empty list', { payments: [] }, []],
  ])('%s', (_case, override, expected) => {
    expect(short(capturesOf(anOrder(override)))).toEqual(expected);
  });

  it('with method, reference, fee and date', () => {
    const paid = { ...payment, fee: money(300), paidAt: '2026-11-21T22:56:00Z', title: 'Card' };
    expect(capturesOf(anOrder({ payment: paid }))).toEqual([
      {
        id: 'paid',
        direction: 'in',
        amount: money(TOTAL),
        method: 'stripe',
        title: 'Card',
        reference: 'pi_1',
        fee: money(300),
        at: '2026-11-21T22:56:00Z',
      },
    ]);
  });

  it('given back: by refund, unless it gave nothing', () => {
    const refunds = [
      { id: '7', total: money(500), refundedAt: '2026-11-22T00:00:00Z', payment: { method: 'bacs' } },
      { id: '8', total: money(0) },
      { id: '9', total: money(100), payment: { reference: 're_9' } },
    ];
    expect(paybacksOf(anOrder({ refunds }))).toEqual([
      { id: 'refund 7', direction: 'out', amount: money(500), method: 'bacs', at: '2026-11-22T00:00:00Z' },
      { id: 'refund 9', direction: 'out', amount: money(100), method: 'stripe', reference: 're_9' },
    ]);
  });
});

describe('what the provider adds', () => {
  it.each<[string, Partial<OrderChangedV1>, PaymentFacts[], string[]]>([
    ['nothing', {}, [], [`paid ${TOTAL}`]],
    ['the same payment', {}, [facts('pi_1', [['ch_1', TOTAL]])], [`paid ${TOTAL}`]],
    ['its own amount', {}, [facts('pi_1', [['ch_1', 100_000]])], ['paid 100000']],
    [
      'the shop names no payment',
      { payment: { ...payment, reference: undefined } },
      [facts('pi_9', [['ch_1', TOTAL]])],
      [`paid ${TOTAL}`],
    ],
    [
      'a deposit that the shop does not state',
      {},
      [facts('pi_0', [['ch_0', 30_198]], { orderHint: '1001' }), facts('pi_1', [['ch_1', 80_000]])],
      ['ch_0 30198', 'paid 80000'],
    ],
    [
      'a deposit of an order that is paid in part',
      { payment: { ...payment, state: 'partially-paid' } },
      [facts('pi_1', [['ch_1', 30_000]])],
      ['ch_1 30000'],
    ],
    [
      'the captures of a list: by charge, by payment, by amount',
      {
        payments: [
          capture('a', 1, { reference: 'ch_1' }),
          capture('b', 2, { reference: 'pi_2' }),
          capture('c', 3),
        ],
      },
      [facts('pi_1', [['ch_1', 10]]), facts('pi_2', [['ch_2', 20]]), facts('pi_3', [['ch_3', 3]])],
      ['a 10', 'b 20', 'c 3'],
    ],
    [
      'one of a list that the shop does not state',
      { payments: [capture('a', 10)] },
      [
        facts('pi_1', [
          ['ch_1', 10],
          ['ch_2', 20],
        ]),
      ],
      ['a 10', 'ch_2 20'],
    ],
    [
      'one twice, from two accounts',
      {},
      [facts('pi_1', [['ch_1', TOTAL]]), facts('pi_1', [['ch_1', TOTAL]])],
      [`paid ${TOTAL}`],
    ],
  ])('%s', (_case, override, provided, expected) => {
    const { entries, open } = mergePayments(anOrder(override), provided);
    expect(short(entries)).toEqual(expected);
    expect(open).toEqual(entries);
  });

  it('fee, date and the id under which it may have been booked', () => {
    const [entry] = mergePayments(anOrder(), [
      facts('pi_1', [['ch_1', TOTAL, '2026-11-21T22:59:00Z']]),
    ]).entries;
    expect(entry).toMatchObject({
      id: 'paid',
      reference: 'pi_1',
      fee: money(300),
      at: '2026-11-21T22:59:00Z',
      aliases: ['ch_1'],
    });
  });

  it('in another currency: the shop says how much that is', () => {
    const euros = facts('pi_1', []);
    const captured = [
      { id: 'ch_1', amount: money(3300, 'EUR'), paidAt: '2026-11-21T22:59:00Z', method: 'card' },
    ];
    expect(short(mergePayments(anOrder(), [{ ...euros, captured }]).entries)).toEqual([`paid ${TOTAL}`]);
    const two = [...captured, { ...captured[0], id: 'ch_2' }] as PaymentFacts['captured'];
    const merged = mergePayments(anOrder(), [{ ...euros, captured: two }]);
    expect(short(merged.entries)).toEqual([`paid ${TOTAL}`]);
    expect(merged.warnings).toEqual([
      'The payment provider captured 33.00 EUR (ch_2), and the order is in TWD: not booked.',
    ]);
  });
});

describe('what is booked already', () => {
  const list = (...captures: OrderPayment[]): Partial<OrderChangedV1> => ({ payments: captures });
  it.each<[string, Partial<OrderChangedV1>, PaymentFacts[], BookedPayment[], string[]]>([
    ['nothing', {}, [], [], [`paid ${TOTAL}`]],
    ['all', {}, [], booked(['paid', TOTAL]), []],
    [
      'under the id of the provider, who was faster',
      {},
      [facts('pi_1', [['ch_1', TOTAL]])],
      booked(['ch_1', TOTAL]),
      [],
    ],
    ['the same, and the provider is silent now', {}, [], booked(['ch_1', TOTAL]), []],
    ['as paid, and the shop lists it now', list(capture('a', TOTAL)), [], booked(['paid', TOTAL]), []],
    [
      'as paid, and the shop lists two',
      list(capture('a', 100_000), capture('b', 10_198)),
      [],
      booked(['paid', TOTAL]),
      [],
    ],
    [
      'as paid, and there is another since',
      list(capture('a', TOTAL), capture('b', 900)),
      [],
      booked(['paid', TOTAL]),
      ['b 900'],
    ],
    [
      'as paid, and a smaller one besides: that of the same amount is it',
      list(capture('a', 900), capture('b', TOTAL)),
      [],
      booked(['paid', TOTAL]),
      ['a 900'],
    ],
    ['listed, and a delivery only says paid', {}, [], booked(['a', 100_000], ['b', 10_198]), []],
    ['a deposit, and a delivery only says paid', {}, [], booked(['a', 30_000]), [`paid ${TOTAL - 30_000}`]],
    [
      'the rest as paid, and the shop lists both',
      list(capture('a', 30_000), capture('b', 80_198)),
      [],
      booked(['a', 30_000], ['paid', 80_198]),
      [],
    ],
    [
      'as paid, and the provider knows two',
      {},
      [facts('pi_1', [['ch_1', 80_198]]), facts('pi_0', [['ch_0', 30_000]])],
      booked(['paid', TOTAL]),
      [],
    ],
    [
      'two of one amount, one of them by the provider: the second of the list is that',
      list(capture('a', 500), capture('b', 500)),
      [
        facts('pi_1', [
          ['ch_1', 500],
          ['ch_2', 500],
        ]),
      ],
      booked(['b', 500], ['ch_1', 500]),
      [],
    ],
    [
      'the capture, and not what went back',
      { refunds: [{ id: '7', total: money(500) }] },
      [],
      booked(['paid', TOTAL]),
      ['refund 7 500'],
    ],
    [
      'both',
      { refunds: [{ id: '7', total: money(500) }] },
      [],
      booked(['paid', TOTAL], ['refund 7', 500]),
      [],
    ],
    [
      'a capture called as a refund is another one',
      { ...list(capture('refund 7', 5)), refunds: [{ id: '7', total: money(5) }] },
      [],
      booked(['refund 7', 5]),
      ['refund 7 5'],
    ],
  ])('%s', (_case, override, provided, done, expected) => {
    expect(short(mergePayments(anOrder(override), provided, done).open)).toEqual(expected);
  });

  it.each<[string, Partial<OrderChangedV1>, PaymentFacts[], BookedPayment[], string]>([
    [
      'less than a capture of the list',
      list(capture('a', 60_000), capture('b', 60_000)),
      [],
      booked(['paid', TOTAL]),
      'Of 600.00 TWD (b) only 98.02 TWD is not booked yet: not booked.',
    ],
    [
      'the total grew',
      { total: money(TOTAL + 500) },
      [],
      booked(['paid', TOTAL]),
      '1106.98 TWD was paid, 1101.98 TWD is booked.',
    ],
    [
      'shop and provider differ',
      {},
      [facts('pi_1', [['ch_1', 100_000]])],
      [],
      'The shop says that 1101.98 TWD was paid, the payment provider 1000.00 TWD.',
    ],
    [
      'paid in part',
      { payment: { ...payment, state: 'partially-paid' } },
      [],
      [],
      'The shop says that part of it was paid and not how much: no payment is booked.',
    ],
    [
      'a dispute',
      {},
      [facts('pi_1', [['ch_1', TOTAL]], { disputed: true })],
      [],
      'The buyer disputes payment pi_1: nothing is booked for that.',
    ],
    [
      'given back, and never paid',
      { payment: { ...payment, state: 'pending' }, refunds: [{ id: '7', total: money(500) }] },
      [],
      [],
      'The shop gave money back and states no payment: not booked.',
    ],
  ])('said to people: %s', (_case, override, provided, done, expected) => {
    expect(mergePayments(anOrder(override), provided, done).warnings).toEqual([expected]);
  });
});

describe('what the provider gave back', () => {
  const returned = (
    ...refunds: readonly (readonly [id: string, minor: number, state?: 'pending' | 'succeeded' | 'failed'])[]
  ) => [
    facts('pi_1', [['ch_1', TOTAL]], {
      refunds: refunds.map(([id, minor, state = 'succeeded']) => ({
        id,
        amount: money(minor),
        state,
        refundedAt: '2026-11-23T00:00:00Z',
      })),
    }),
  ];
  const shop = (...refunds: readonly (readonly [id: string, minor: number, reference?: string])[]) =>
    anOrder({
      refunds: refunds.map(([id, minor, reference]) => ({
        id,
        total: money(minor),
        ...(reference && { payment: { reference } }),
      })),
    });
  const outOf = ({ open }: ReturnType<typeof mergePayments>) =>
    short(open.filter(({ direction }) => direction === 'out'));

  it.each<[string, OrderChangedV1, PaymentFacts[], string[], string[]]>([
    ['the same', shop(['7', 500]), returned(['re_1', 500]), ['refund 7 500'], []],
    [
      'by its id, with its own amount',
      shop(['7', 500, 're_1']),
      returned(['re_1', 400]),
      ['refund 7 400'],
      [],
    ],
    [
      'what the shop does not state yet waits',
      shop(),
      returned(['re_1', 500]),
      [],
      ['The payment provider gave back 5.00 TWD (re_1), and the shop states no such refund yet: not booked.'],
    ],
    ['what is under way does not', shop(), returned(['re_1', 500, 'pending']), [], []],
    ['what the provider does not know went another way', shop(['7', 500]), returned(), ['refund 7 500'], []],
    [
      'what failed',
      shop(['7', 500, 're_1']),
      returned(['re_1', 500, 'failed']),
      [],
      ['The payment provider could not give back refund 7: not booked.'],
    ],
    ['another that failed', shop(['7', 500]), returned(['re_1', 500, 'failed']), ['refund 7 500'], []],
  ])('%s', (_case, order, provided, expected, warnings) => {
    const merged = mergePayments(order, provided);
    expect(outOf(merged)).toEqual(expected);
    expect(merged.warnings).toEqual(warnings);
  });

  it('on the day on which the provider gave it back', () => {
    const { entries } = mergePayments(shop(['7', 500]), returned(['re_1', 500]));
    expect(entries.at(-1)).toMatchObject({ id: 'refund 7', reference: 're_1', at: '2026-11-23T00:00:00Z' });
  });
});
