import Big from 'big.js';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { exponentOf, toBig } from '../../../shared/core/money.ts';
import { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { type Connected, connect, SHOP } from './harness.ts';

const RATES = [0, 5, 7, 19, 8.875] as const;
const CURRENCIES = ['USD', 'TWD', 'JPY', 'KWD'] as const;

/** An order as a shop computes one: each tax rounded to the currency's smallest unit, line by line. */
const anyOrder = fc
  .record({
    currency: fc.constantFrom(...CURRENCIES),
    lines: fc.array(
      fc.record({
        quantity: fc.integer({ min: 1, max: 13 }),
        subtotal: fc.integer({ min: 0, max: 500_000 }),
        discount: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
        rate: fc.constantFrom(...RATES),
        sku: fc.constantFrom('TEA-OOL-150', 'MUG-TH-01'),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    charges: fc.array(
      fc.record({
        kind: fc.constantFrom('shipping' as const, 'fee' as const, 'tip' as const),
        total: fc.integer({ min: -500, max: 20_000 }),
        rate: fc.constantFrom(...RATES),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ currency, lines, charges }) => {
    const money = (minor: number) => ({ minor, currency });
    const taxOf = (net: number, rate: number) => Number(new Big(net).times(rate).div(100).round(0));
    const taxes = (net: number, rate: number) =>
      rate === 0
        ? []
        : [
            {
              key: String(rate),
              title: 'VAT',
              ratePercent: String(rate),
              compound: false,
              amount: money(taxOf(net, rate)),
            },
          ];
    const parts = {
      lines: lines.map(({ quantity, subtotal, discount, rate, sku }, n) => {
        const off = Math.floor(subtotal * discount);
        return {
          id: String(n),
          sku,
          title: `Thing ${n}`,
          quantity,
          subtotal: money(subtotal),
          discount: money(off),
          total: money(subtotal - off),
          taxes: taxes(subtotal - off, rate),
        };
      }),
      charges: charges.map(({ kind, total, rate }, n) => ({
        id: `c${n}`,
        kind,
        title: kind,
        total: money(total),
        taxes: taxes(total, rate),
      })),
    };
    const all = [...parts.lines, ...parts.charges];
    const tax = all.flatMap((part) => part.taxes).reduce((sum, { amount }) => sum + amount.minor, 0);
    const net = all.reduce((sum, { total }) => sum + total.minor, 0);
    return { currency, parts, net, tax };
  });

let serial = 0;
const orderOf = ({
  currency,
  parts,
  net,
  tax,
}: typeof anyOrder extends fc.Arbitrary<infer T> ? T : never) => {
  serial += 1;
  const money = (minor: number) => ({ minor, currency });
  return OrderChangedV1.parse({
    source: 'acme-woo',
    orderId: String(serial),
    orderNumber: String(serial),
    sourceVersion: 1,
    contentHash: '',
    placedAt: '2026-11-21T22:55:57Z',
    status: 'open',
    sourceStatus: 'processing',
    currency,
    pricesIncludeTax: false,
    ...parts,
    discounts: [],
    rounding: money(0),
    tax: money(tax),
    total: money(net + tax),
    payment: { state: 'paid', kind: 'online', method: 'card' },
    refunds: [],
    buyer: { id: '1' },
  });
};

const taxes = RATES.filter((rate) => rate !== 0).flatMap((rate) => [
  { name: `${rate}%`, amount: rate },
  { name: `${rate}% incl`, amount: rate, included: true },
]);
const pricelists = CURRENCIES.map((currency) => ({ name: currency, currency }));
const connected: Connected[] = [];
afterAll(() => Promise.all(connected.map(({ fake }) => fake.stop())));

describe.each([
  ['taxes on top', '%'],
  ['taxes in the price', '% incl'],
])('%s', (_case, suffix) => {
  it('every order arrives at the total that the shop charged', async () => {
    const rows = RATES.map((rate) => ['tax', String(rate), `${rate}${suffix}`] as const);
    const at = await connect({ ...SHOP, taxes, pricelists, priceDigits: 3 }, { rows });
    connected.push(at);
    await fc.assert(
      fc.asyncProperty(anyOrder, async (drawn) => {
        const order = orderOf(drawn);
        const { value: wire } = await at.wireOf(order);

        // The wire's lines make the order's net (gross where taxes are part of the price) within one unit per line.
        const unit = new Big(wire.expected.currency.rounding);
        const sum = wire.vals.order_line.reduce(
          (total, [, , line]) => total.plus(new Big(line.product_uom_qty).times(line.price_unit)),
          new Big(0),
        );
        const wanted = toBig({
          minor: drawn.net + (suffix === '%' ? 0 : drawn.tax),
          currency: drawn.currency,
        });
        expect(sum.minus(wanted).abs().lte(unit.times(wire.vals.order_line.length))).toBe(true);
        const net = wire.lines.reduce((total, line) => total.plus(line.net), new Big(0));
        const smallest = new Big(10).pow(-exponentOf(drawn.currency));
        expect(
          net
            .minus(toBig({ minor: drawn.net, currency: drawn.currency }))
            .abs()
            .lte(smallest.times(wire.lines.length)),
        ).toBe(true);

        const document = await at.orders.create(wire, at.context);
        const completed = await at.orders.complete(document, wire, 'confirm', at.context);
        expect(toBig(completed.total).toFixed()).toBe(new Big(wire.expected.erpTotal).toFixed());
        expect(toBig(completed.total).minus(toBig(order.total)).abs().times(2).lte(unit)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
