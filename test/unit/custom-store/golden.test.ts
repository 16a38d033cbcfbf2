import { describe, expect, it } from 'vitest';
import { toOrder } from '../../../shared/connectors/custom-store/orders.mapper.ts';
import { CustomStoreOrder } from '../../../shared/connectors/custom-store/wire.ts';
import { assertAddsUp } from '../../../shared/core/order-totals.ts';
import { inBuyerCurrency } from '../../../shared/core/presentment.ts';
import { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { cases, expected, payload } from './deliveries.ts';

const map = (name: string) => toOrder(CustomStoreOrder.parse(payload(name)), { connection: 'acme-store' });

describe.each(cases)('%s', (name) => {
  it('maps as the golden file says', () => {
    expect(JSON.parse(JSON.stringify(map(name)))).toEqual(expected(name));
  });

  it('is an event of the catalogue', () => {
    const { value } = map(name);
    expect(OrderChangedV1.parse(value)).toEqual(value);
  });

  it("adds up, in the store's currency and in the buyer's", () => {
    const { value } = map(name);
    for (const order of [value, inBuyerCurrency(value)]) {
      expect(() => assertAddsUp(order)).not.toThrow();
      for (const line of order.lines) {
        expect(line.subtotal.minor - line.discount.minor).toBe(line.total.minor);
        expect(line.discount.minor).toBeGreaterThanOrEqual(0);
      }
    }
  });
});

/** Subtotal, discount, total, taxes of each line; total and taxes of each charge. Minor units, without tax. */
type Line = readonly [subtotal: number, discount: number, total: number, ...taxes: number[]];
type Charge = readonly [total: number, ...taxes: number[]];

// Computed by hand from the payloads: e.g. 950.00 with 45.24 tax in it is 904.76; of 1,050.00 before discount, 5 % out, 1,000.00.
it.each<[string, string, number, number, Line[], Charge[]]>([
  ['cad-compound-tax', 'open, paid online', 23095, 3095, [[20000, 0, 20000, 1000, 2095]], []],
  [
    'cad-prices-with-two-taxes-discount',
    'open, paid online',
    10080,
    1080,
    [[10000, 1000, 9000, 450, 630]],
    [],
  ],
  ['eur-buyer-saw-a-total-in-jpy', 'open, paid online', 1000, 0, [[1000, 0, 1000]], []],
  ['eur-cancelled-and-refunded', 'cancelled, refunded online', 1190, 190, [[1000, 0, 1000, 190]], []],
  [
    'eur-company-bank-transfer-reduction',
    'on-hold, pending bank-transfer',
    29700,
    0,
    [[30000, 0, 30000]],
    [[-300]],
  ],
  ['eur-free-by-voucher', 'open, paid free', 0, 0, [[2000, 2000, 0, 0]], []],
  ['eur-gift-card-gift-wrapping', 'open, paid online', 6545, 1045, [[5000, 0, 5000, 950]], [[500, 95]]],
  [
    'eur-prices-without-tax-two-rates',
    'open, paid online',
    4194,
    544,
    [
      [2000, 0, 2000, 380],
      [1250, 0, 1250, 88],
    ],
    [[400, 76]],
  ],
  [
    'eur-refunded-by-line',
    'completed, partially-refunded online',
    2856,
    456,
    [[2000, 0, 2000, 380]],
    [[400, 76]],
  ],
  [
    'eur-refunded-in-part',
    'completed, partially-refunded online',
    11900,
    1900,
    [[10000, 0, 10000, 1900]],
    [],
  ],
  [
    'gbp-export-preorder-digital-duty',
    'open, paid online',
    15939,
    0,
    [
      [12000, 0, 12000],
      [999, 0, 999],
    ],
    [[1500], [1440]],
  ],
  [
    'jpy-prices-with-tax-two-rates',
    'open, paid online',
    3830,
    330,
    [
      [1000, 0, 1000, 80],
      [2000, 0, 2000, 200],
    ],
    [[500, 50]],
  ],
  ['kwd-three-decimals-no-tax', 'open, paid online', 13845, 0, [[12345, 0, 12345]], [[1500]]],
  ['null-means-absent', 'open, partially-paid other', 500, 0, [[500, 0, 500, 0]], []],
  ['test-order-buyer-in-usd', 'open, paid online', 6545, 1045, [[5000, 0, 5000, 950]], [[500, 95]]],
  [
    'thb-cash-on-delivery-fee-tip',
    'open, pending cash-on-delivery',
    62990,
    3990,
    [[50000, 0, 50000, 3500]],
    [[5000, 350], [2000, 140], [2000]],
  ],
  ['twd-chinese-everything-said', 'open, paid online', 36750, 1750, [[35000, 0, 35000, 1750]], []],
  [
    'twd-prices-with-tax-discount-free-shipping',
    'open, paid online',
    95000,
    4524,
    [[100000, 9524, 90476, 4524]],
    [[0]],
  ],
  ['usd-several-taxes-discount', 'open, paid online', 9653, 653, [[10000, 1000, 9000, 540, 113]], []],
])('%s: %s, total %i, tax %i', (name, state, total, tax, lines, charges) => {
  const { value, warnings } = map(name);
  expect(`${value.status}, ${value.payment.state} ${value.payment.kind}`).toBe(state);
  expect([value.total.minor, value.tax.minor, value.rounding.minor]).toEqual([total, tax, 0]);
  expect(
    value.lines.map(({ subtotal, discount, total, taxes }) => [
      subtotal.minor,
      discount.minor,
      total.minor,
      ...taxes.map(({ amount }) => amount.minor),
    ]),
  ).toEqual(lines);
  expect(
    value.charges.map(({ total, taxes }) => [total.minor, ...taxes.map(({ amount }) => amount.minor)]),
  ).toEqual(charges);
  expect(warnings).toEqual([]);
});

it('every case has its line above', () => expect(cases).toHaveLength(19));

it('a refund says what it is for, without tax as the lines are', () => {
  const EUR = (minor: number) => ({ minor, currency: 'EUR' });
  const tax = { key: 'de-19', title: 'VAT 19 %', ratePercent: '19', compound: false };
  expect(map('eur-refunded-by-line').value.refunds).toEqual([
    {
      id: 're_1',
      reason: 'chipped',
      refundedAt: '2026-11-24T08:00:00Z',
      total: EUR(1428),
      lines: [
        {
          lineId: 'li_1',
          quantity: 1,
          total: EUR(1000),
          taxes: [{ ...tax, amount: EUR(190) }],
          restock: false,
        },
      ],
      charges: [{ chargeId: 'ship_1', total: EUR(200), taxes: [{ ...tax, amount: EUR(38) }] }],
    },
    { id: 're_2', reason: 'goodwill', total: EUR(200) },
  ]);
});

it('the buyer saw dollars: every amount of them', () => {
  const USD = (minor: number) => ({ minor, currency: 'USD' });
  expect(map('test-order-buyer-in-usd').value.presentment).toEqual({
    currency: 'USD',
    rate: '1.10',
    total: USD(7200),
    lines: [{ subtotal: USD(5500), discount: USD(0), total: USD(5500), taxes: [USD(1045)] }],
    charges: [{ total: USD(550), taxes: [USD(105)] }],
    discounts: [],
    giftCards: [],
    refunds: [],
    rounding: USD(0),
    tax: USD(1150),
  });
});

it.each<[string, number, string]>([
  ['usd-several-taxes-discount', 55, 'USD'],
  ['jpy-prices-with-tax-two-rates', 138, 'JPY'],
  // The provider charges in dollars for an order in dinars.
  ['kwd-three-decimals-no-tax', 110, 'USD'],
])("%s: what the provider keeps, in the provider's currency", (name, minor, currency) => {
  expect(map(name).value.payment.fee).toEqual({ minor, currency });
});

it('each capture, and how a refund went back; orders that state none are as before', () => {
  const name = 'usd-several-taxes-discount';
  const context = { connection: 'acme-store' };
  const wire = CustomStoreOrder.parse(payload(name));
  const captures = [
    { id: 'd', amount: '30.00', fee: '1', feeCurrency: 'JPY', paidAt: '2026-01-05T04:04:05+02:00' },
    { id: 'r', amount: '0.5', method: 'bank', reference: 'tr_1' },
  ];
  const refunds = [{ id: 're_1', total: '1', payment: { method: 'cash', reference: 're_9' } }];
  const { value } = toOrder(
    CustomStoreOrder.parse({ ...wire, refunds, payment: { ...wire.payment, captures } }),
    context,
  );
  const { method } = wire.payment;
  expect(value.payments).toEqual([
    {
      id: 'd',
      amount: { minor: 3000, currency: 'USD' },
      method,
      fee: { minor: 1, currency: 'JPY' },
      paidAt: '2026-01-05T02:04:05Z',
    },
    { id: 'r', amount: { minor: 50, currency: 'USD' }, method: 'bank', reference: 'tr_1' },
  ]);
  expect(value.refunds).toMatchObject([{ id: 're_1', payment: { method: 'cash', reference: 're_9' } }]);
  expect(toOrder(wire, context).value).not.toHaveProperty('payments');
  expect(() =>
    CustomStoreOrder.parse({ ...wire, payment: { ...wire.payment, captures: [captures[0], captures[0]] } }),
  ).toThrow('the same as of [0]');
});
