import { describe, expect, it } from 'vitest';
import { changed, payload } from './deliveries.ts';

type Json = Record<string, unknown>;
const orderOf = (received: ReturnType<typeof changed>) => {
  if (received.kind !== 'order') throw new Error(JSON.stringify(received));
  return received;
};
const reasonOf = (received: ReturnType<typeof changed>) =>
  received.kind === 'unreadable' ? received.reason : received.kind;
const withFields = (name: string, fields: Json) => changed(name, (order) => Object.assign(order, fields));
const firstLine = (name: string, fields: Json) =>
  withFields(name, {
    lines: payload(name).lines.map((line, at) => (at === 0 ? { ...line, ...fields } : line)),
  });

/** 100.00 less 10.00, taxes 5.40 and 1.13 beside it: 96.53. */
const NET = 'usd-several-taxes-discount';
/** 1,050.00 less 100.00 with 45.24 tax in it, shipping free: 950.00. */
const GROSS = 'twd-prices-with-tax-discount-free-shipping';
const tax = (amount: string, more: Json = {}) => ({ key: 'vat', title: 'VAT', amount, ...more });
const notTheSum = (field: string, stated: string, computed: string, difference: string) =>
  `data.${field}: The shop says the order costs ${stated}, but its lines, shipping, fees and taxes make ${computed}: ${difference} are unexplained.`;

describe('what contradicts itself is parked, with the difference named', () => {
  it.each<[string, () => ReturnType<typeof changed>, string]>([
    [
      'a total that is not the sum',
      () => withFields(NET, { total: '96.50' }),
      notTheSum('total', '96.50 USD', '96.53 USD', '-0.03 USD'),
    ],
    [
      'tax beside prices that are said to include it',
      () => withFields(NET, { pricesIncludeTax: true }),
      notTheSum('total', '96.53 USD', '90.00 USD', '6.53 USD'),
    ],
    [
      'tax in prices that are said to be without',
      () => withFields(GROSS, { pricesIncludeTax: false }),
      notTheSum('total', '950.00 TWD', '995.24 TWD', '-45.24 TWD'),
    ],
    [
      'minor units where units belong',
      () => withFields(NET, { total: '9653' }),
      notTheSum('total', '9653.00 USD', '96.53 USD', '9556.47 USD'),
    ],
    [
      'a gift card taken off the total',
      () => withFields(NET, { giftCards: [{ id: 'gc_1', amount: '50.00' }], total: '46.53' }),
      notTheSum('total', '46.53 USD', '96.53 USD', '-50.00 USD'),
    ],
    [
      'a discount that is not off the line',
      () => firstLine(NET, { total: '100.00' }),
      'data.lines[0].total: is 100.00 USD, but subtotal - discount is 90.00 USD',
    ],
    [
      'a discount that nobody stated',
      () => firstLine(NET, { discount: undefined }),
      'data.lines[0].total: is 90.00 USD, but subtotal - discount is 100.00 USD',
    ],
    [
      'more tax than price',
      () => firstLine(GROSS, { taxes: [tax('950.01')] }),
      'data.lines[0].taxes: are below zero, or more than the line costs',
    ],
    [
      'tax below zero on a line',
      () => firstLine(NET, { taxes: [tax('-5.40')] }),
      'data.lines[0].taxes: are below zero, or more than the line costs',
    ],
    [
      'shipping below zero',
      () => withFields(NET, { charges: [{ id: 'c', kind: 'shipping', title: 'x', total: '-1', taxes: [] }] }),
      'data.charges[0].total: is below zero, which only a fee may be',
    ],
    [
      'free, and it costs money',
      () => withFields(NET, { payment: { state: 'paid', kind: 'free', method: '' } }),
      'data.payment.kind: is "free", but the order costs 96.53 USD',
    ],
    [
      'two lines with one id',
      () => withFields(NET, { lines: [...payload(NET).lines, ...payload(NET).lines] }),
      'data.lines[1].id: the same as of [0]',
    ],
    [
      'two refunds with one id',
      () =>
        withFields(NET, {
          refunds: [
            { id: 're', total: '1' },
            { id: 're', total: '2' },
          ],
        }),
      'data.refunds[1].id: the same as of [0]',
    ],
    [
      'a refund of what was never sold',
      () =>
        withFields(NET, {
          refunds: [
            { id: 're', total: '1', lines: [{ lineId: 'li_9', quantity: 1, total: '1', taxes: [] }] },
          ],
        }),
      'data.refunds[0].lines[0].lineId: is the id of nothing in this order',
    ],
    [
      'a refunded charge that is none',
      () =>
        withFields(NET, {
          refunds: [{ id: 're', total: '1', charges: [{ chargeId: 'li_1', total: '1', taxes: [] }] }],
        }),
      'data.refunds[0].charges[0].chargeId: is the id of nothing in this order',
    ],
    [
      'a refunded part with more tax than price',
      () =>
        withFields(GROSS, {
          refunds: [
            { id: 're', total: '1', lines: [{ lineId: 'li_1', quantity: 1, total: '1', taxes: [tax('2')] }] },
          ],
        }),
      'data.refunds[0].lines[0].taxes: are below zero, or more than the part costs',
    ],
    [
      'a fee in a currency that is none',
      () => withFields(NET, { payment: { ...payload(NET).payment, feeCurrency: 'XXQ' } }),
      'data.payment.feeCurrency: is no ISO 4217 currency',
    ],
    [
      'an amount of which no ERP could make a number',
      () => withFields(NET, { total: '999999999999999' }),
      'data.total: 99999999999999900 USD is too large',
    ],
  ])('%s', (_case, received, reason) => expect(reasonOf(received())).toBe(reason));
});

describe('a store rounds each tax by itself', () => {
  it('a cent for each line or charge is its rounding', () => {
    const { order } = orderOf(withFields(NET, { total: '96.54' }));
    expect([order.total.minor, order.rounding.minor]).toEqual([9654, 1]);
  });

  it('a cent more is parked', () => {
    expect(reasonOf(withFields(NET, { total: '96.55' }))).toBe(
      notTheSum('total', '96.55 USD', '96.53 USD', '0.02 USD'),
    );
  });
});

describe('goods given away, with tax in the price', () => {
  const free = (taxes: Json[]) =>
    orderOf(
      withFields(GROSS, {
        total: '0',
        payment: { state: 'paid', kind: 'free', method: '' },
        lines: [
          { id: 'li', title: 'x', quantity: 1, subtotal: '105.00', discount: '105.00', total: '0.00', taxes },
        ],
      }),
    );

  it('their price without tax is computed from the rates', () => {
    const { order, warnings } = free([tax('0', { ratePercent: '5' })]);
    expect([order.lines[0]?.subtotal.minor, order.lines[0]?.discount.minor]).toEqual([10000, 10000]);
    expect(warnings).toEqual([]);
  });

  it('a compound tax is on top of the first: 105.00 / (1.02 * 1.05 = 1.071) = 98.04', () => {
    const { order } = free([tax('0', { ratePercent: '2' }), tax('0', { ratePercent: '5', compound: true })]);
    expect(order.lines[0]?.subtotal.minor).toBe(9804);
  });

  it('without a rate nobody knows, which is said', () => {
    const { order, warnings } = free([tax('0')]);
    expect(order.lines[0]?.subtotal.minor).toBe(10500);
    expect(warnings).toEqual([
      'lines[0] is free and its taxes name no rate: what it would have cost may include tax',
    ]);
  });
});

describe("the buyer's currency", () => {
  const BASE = 'test-order-buyer-in-usd';
  const presented = (fields: Json) =>
    withFields(BASE, { presentment: { ...payload(BASE).presentment, ...fields } });

  it.each<[string, Json, string]>([
    [
      'a total that is not the sum',
      { total: '72.50' },
      notTheSum('presentment.total', '72.50 USD', '72.00 USD', '0.50 USD'),
    ],
    ['a line too few', { lines: [] }, 'data.presentment.lines: has 0 entries, lines has 1'],
    ['a part left out', { charges: undefined }, 'data.presentment.charges: has 0 entries, charges has 1'],
    [
      'a tax too few',
      { charges: [{ total: '5.50', taxes: [] }] },
      'data.presentment.charges[0].taxes: has 0 entries, the order 1',
    ],
    ['no currency of anybody', { currency: 'XXQ' }, 'data.presentment.currency: is no ISO 4217 currency'],
    [
      'a fraction of a cent',
      { total: '72.001' },
      'data.presentment.total: "72.001" has more decimals than USD (2)',
    ],
    ['no rate', { rate: '' }, 'data.presentment.rate: must be a decimal string such as "7.25"'],
  ])('%s', (_case, fields, reason) => expect(reasonOf(presented(fields))).toBe(reason));

  it("that is the order's own is nothing to state", () => {
    const { order } = orderOf(
      withFields(NET, { presentment: { currency: 'USD', rate: '1', total: '96.53' } }),
    );
    expect(order.presentment).toBeUndefined();
  });
});

describe('payment', () => {
  const paidBack = (...totals: string[]) =>
    orderOf(withFields(NET, { refunds: totals.map((total, at) => ({ id: `re_${at}`, total })) })).order
      .payment.state;

  it('is what the refunds leave of it', () => {
    expect(paidBack()).toBe('paid');
    expect(paidBack('0')).toBe('paid');
    expect(paidBack('96.52')).toBe('partially-refunded');
    expect(paidBack('50', '46.53')).toBe('refunded');
  });

  it('as the store says, where it says more than "paid"', () => {
    const payment = { ...payload(NET).payment, state: 'partially-refunded' };
    const { order } = orderOf(withFields(NET, { payment, refunds: [{ id: 're', total: '96.53' }] }));
    expect(order.payment.state).toBe('partially-refunded');
  });
});

describe('version', () => {
  it.each([
    ['a counter', 7, []],
    ['milliseconds', 1795301771123, []],
    [
      'seconds',
      1795301771,
      ['version looks like a time in seconds: two changes within a second would share it'],
    ],
  ])('%s', (_case, version, warnings) => {
    const received = orderOf(withFields(NET, { version }));
    expect(received.order.sourceVersion).toBe(version);
    expect(received.warnings).toEqual(warnings);
  });
});

describe('people', () => {
  it.each([
    [{ firstName: '小明', lastName: '王' }, '王小明'],
    [{ firstName: 'Ada', lastName: 'Lovelace' }, 'Ada Lovelace'],
    [{ name: ' Ada Lovelace ', firstName: 'x', lastName: 'y' }, 'Ada Lovelace'],
    [{ lastName: 'สมชาย' }, 'สมชาย'],
    [{ name: '  ' }, undefined],
  ])('%j', (buyer, name) => {
    expect(orderOf(withFields(NET, { buyer })).order.buyer.name).toBe(name);
    expect(orderOf(withFields(NET, { shipping: buyer })).order.shipping?.name).toBe(name);
  });

  it('mail addresses in small letters, so that a buyer is one customer', () => {
    expect(orderOf(withFields(NET, { buyer: { email: ' Ada@Example.COM ' } })).order.buyer).toEqual({
      email: 'ada@example.com',
      masked: false,
    });
  });

  it('an address of nothing is none', () => {
    const { order } = orderOf(withFields(NET, { shipping: { line2: ' ', country: null }, billing: {} }));
    expect([order.shipping, order.billing]).toEqual([undefined, undefined]);
  });
});

describe('what cannot be read names its place', () => {
  const WRONG = '1.234';
  const presented = (more: Json = {}) => {
    const order = payload(NET);
    return {
      presentment: {
        currency: 'EUR',
        total: '96.53',
        rate: '1',
        lines: [{ subtotal: '100.00', discount: '10.00', total: '90.00', taxes: ['5.40', '1.13'] }],
        charges: [],
        discounts: order.discounts?.map(({ amount }) => amount),
        giftCards: [],
        refunds: [],
        ...more,
      },
    };
  };
  const stated = payload(NET).payment;
  const capture = { id: 'ch_1', amount: '96.53' };
  const refund = { id: 're_1', total: '5.00' };

  it.each<[string, () => ReturnType<typeof changed>, string]>([
    ['a currency', () => withFields(NET, { currency: 'ABC' }), 'data.currency'],
    ['a tax', () => firstLine(NET, { taxes: [tax(WRONG)] }), 'data.lines[0].taxes[0].amount'],
    [
      'a discount',
      () => withFields(NET, { discounts: [{ code: 'x', amount: WRONG }] }),
      'data.discounts[0].amount',
    ],
    [
      'a gift card',
      () => withFields(NET, { giftCards: [{ id: 'g', amount: WRONG }] }),
      'data.giftCards[0].amount',
    ],
    [
      'a capture',
      () => withFields(NET, { payment: { ...stated, captures: [{ ...capture, amount: WRONG }] } }),
      'data.payment.captures[0].amount',
    ],
    [
      'the fee of a capture',
      () => withFields(NET, { payment: { ...stated, captures: [{ ...capture, fee: WRONG }] } }),
      'data.payment.captures[0].fee',
    ],
    [
      'the currency of that fee',
      () =>
        withFields(NET, { payment: { ...stated, captures: [{ ...capture, fee: '1', feeCurrency: 'ABC' }] } }),
      'data.payment.captures[0].feeCurrency',
    ],
    ['the fee', () => withFields(NET, { payment: { ...stated, fee: WRONG } }), 'data.payment.fee'],
    [
      'the total of a refund',
      () => withFields(NET, { refunds: [{ ...refund, total: WRONG }] }),
      'data.refunds[0].total',
    ],
    [
      'a part that is given back with more tax than it costs',
      () => {
        const [line] = payload(GROSS).lines;
        const lines = [{ lineId: line?.id, quantity: 1, total: '1.00', taxes: [tax('1.01')] }];
        return withFields(GROSS, { refunds: [{ ...refund, lines }] });
      },
      'data.refunds[0].lines[0].taxes',
    ],
    [
      'a tax that is given back for less than nothing, beside one that is not',
      () =>
        withFields(NET, {
          refunds: [
            {
              ...refund,
              lines: [{ lineId: 'li_1', quantity: 1, total: '1.00', taxes: [tax('0.10'), tax('-0.05')] }],
            },
          ],
        }),
      'data.refunds[0].lines[0].taxes',
    ],
    [
      'a line that was never sold',
      () =>
        withFields(NET, {
          refunds: [{ ...refund, lines: [{ lineId: 'li_9', quantity: 1, total: '1.00', taxes: [] }] }],
        }),
      'data.refunds[0].lines[0].lineId',
    ],
    [
      'a charge that was never booked',
      () =>
        withFields(NET, { refunds: [{ ...refund, charges: [{ chargeId: 'c', total: '1.00', taxes: [] }] }] }),
      'data.refunds[0].charges[0].chargeId',
    ],
    [
      "a discount in the buyer's currency",
      () => withFields(NET, presented({ discounts: [WRONG] })),
      'data.presentment.discounts[0]',
    ],
    [
      "taxes of a line in the buyer's currency",
      () =>
        withFields(
          NET,
          presented({ lines: [{ subtotal: '100.00', discount: '10.00', total: '90.00', taxes: ['6.53'] }] }),
        ),
      'data.presentment.lines[0].taxes: has 1 entries, the order 2',
    ],
    [
      "the sum of a line in the buyer's currency",
      () =>
        withFields(
          NET,
          presented({
            lines: [{ subtotal: '100.00', discount: '10.00', total: '91.00', taxes: ['5.40', '1.13'] }],
          }),
        ),
      'data.presentment.lines[0].total',
    ],
    [
      'a list that is missing',
      () => withFields(NET, presented({ discounts: undefined })),
      'data.presentment.discounts: has 0 entries, discounts has 1',
    ],
  ])('%s', (_case, received, reason) => {
    expect(reasonOf(received())).toContain(reason);
  });

  it.each([
    ['nothing of a piece', [{ lineId: 'li_1', quantity: 1, total: '0.00', taxes: [tax('0.00')] }]],
    ['a piece', [{ lineId: 'li_1', quantity: 1, total: '5.00', taxes: [] }]],
  ])('may be given back: %s', (_case, lines) => {
    const { order } = orderOf(withFields(NET, { refunds: [{ ...refund, lines }] }));
    expect(order.refunds[0]?.lines).toHaveLength(1);
  });
});

it.each([
  [999_999_999, false],
  [1_000_000_000, true],
  [9_999_999_999, true],
  [10_000_000_000, false],
])('a version of %i looks like seconds: %s', (version, looks) => {
  const { warnings } = orderOf(withFields(NET, { version }));
  expect(warnings.some((text) => text.startsWith('version looks like a time in seconds'))).toBe(looks);
});

it('blanks around what people typed are no part of it', () => {
  const buyer = { id: '1', email: ' ADA@example.com ', phone: ' 1 ', company: ' Acme ', taxNumber: ' DE1 ' };
  const { order } = orderOf(withFields(NET, { buyer }));
  expect(order.buyer).toEqual({
    id: '1',
    email: 'ada@example.com',
    phone: '1',
    company: 'Acme',
    taxNumber: 'DE1',
    masked: false,
  });
  expect(orderOf(firstLine(NET, { sku: ' LAMP ' })).order.lines[0]?.sku).toBe('LAMP');
});
