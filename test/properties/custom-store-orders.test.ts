import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CustomStoreOrder } from '../../shared/connectors/custom-store/wire.ts';
import { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { message, payload, receive, signed } from '../unit/custom-store/deliveries.ts';

const CURRENCIES = [
  ['EUR', 2],
  ['TWD', 2],
  ['JPY', 0],
  ['KWD', 3],
] as const;

/** Minor units as a decimal string, without floats and without the connector's own arithmetic. */
const written = (minor: number, decimals: number): string => {
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  return `${minor < 0 ? '-' : ''}${whole}${decimals ? `.${digits.slice(-decimals)}` : ''}`;
};

interface Part {
  readonly subtotal: number;
  readonly discount: number;
  readonly taxes: readonly number[];
}
/** Off by more than any rounding, by one minor unit, or not at all. */
type Slip = 'none' | 'a cent' | 'more';

const part = fc
  .record({
    subtotal: fc.integer({ min: 0, max: 1_000_000_00 }),
    discounted: fc.constantFrom(0, 0, 0.1, 0.5, 1),
    percents: fc.array(fc.constantFrom(0, 5, 7.25, 19, 25), { maxLength: 3 }),
  })
  .map(({ subtotal, discounted, percents }): Part => {
    const discount = Math.round(subtotal * discounted);
    return {
      subtotal,
      discount,
      // At most 75 % of the price, so that tax inside of a price fits into it.
      taxes: percents.map((percent) => Math.floor(((subtotal - discount) * percent) / 100)),
    };
  });

const anyOrder = fc
  .record({
    currency: fc.constantFrom(...CURRENCIES),
    pricesIncludeTax: fc.boolean(),
    lines: fc.array(part, { minLength: 1, maxLength: 5 }),
    charges: fc.array(part, { maxLength: 2 }),
    slip: fc.constantFrom<Slip>('none', 'a cent', 'more'),
    isMore: fc.boolean(),
    status: fc.constantFrom('pending', 'on-hold', 'open', 'completed', 'cancelled', 'refunded'),
    buyer: fc.record({
      name: fc.string({ unit: 'grapheme' }),
      email: fc.constantFrom('a@example.com', '', null),
    }),
  })
  .map(
    ({ currency: [currency, decimals], pricesIncludeTax, lines, charges, slip, isMore, status, buyer }) => {
      const text = (minor: number) => written(minor, decimals);
      const taxes = (stated: readonly number[]) =>
        stated.map((amount, at) => ({ key: `t${at}`, title: `Tax ${at}`, amount: text(amount) }));
      const parts = [...lines, ...charges];
      const sum = parts
        .map((each) => each.subtotal - each.discount + (pricesIncludeTax ? 0 : total(each.taxes)))
        .reduce((all, amount) => all + amount, 0);
      const whole = 10 ** decimals;
      const size = slip === 'none' ? 0 : slip === 'a cent' ? 1 : whole * parts.length + 1;
      const difference = isMore || sum < size || size === 0 ? size : -size;
      return {
        lines,
        charges,
        slip,
        sum,
        difference,
        differenceText: `${text(difference)} ${currency}`,
        wire: {
          ...payload('usd-several-taxes-discount'),
          discounts: null,
          currency,
          pricesIncludeTax,
          status,
          buyer,
          payment: { state: 'paid', kind: 'other', method: 'till' },
          lines: lines.map((line, at) => ({
            id: `li_${at}`,
            title: 'x',
            quantity: 1,
            subtotal: text(line.subtotal),
            discount: text(line.discount),
            total: text(line.subtotal - line.discount),
            taxes: taxes(line.taxes),
          })),
          charges: charges.map((charge, at) => ({
            id: `ch_${at}`,
            kind: 'fee',
            title: 'x',
            total: text(charge.subtotal - charge.discount),
            taxes: taxes(charge.taxes),
          })),
          total: text(sum + difference),
        },
      };
    },
  );
const total = (amounts: readonly number[]): number => amounts.reduce((all, amount) => all + amount, 0);

describe('any order', () => {
  it('adds up to the last minor unit, or is parked with the difference named', () => {
    fc.assert(
      fc.property(anyOrder, ({ wire, lines, charges, slip, sum, difference, differenceText }) => {
        const received = receive(signed(message(wire)));
        if (slip === 'more') {
          expect(received).toMatchObject({ kind: 'unreadable' });
          expect(received.kind === 'unreadable' && received.reason).toMatch(
            new RegExp(`^data\\.total: .*: ${differenceText.replace('.', '\\.')} are unexplained\\.$`),
          );
          return;
        }
        if (received.kind !== 'order') throw new Error(JSON.stringify(received));
        const { order } = received;
        expect(OrderChangedV1.parse(order)).toEqual(order);
        expect([order.total.minor, order.rounding.minor]).toEqual([sum + difference, difference]);
        expect(order.tax.minor).toBe(total([...lines, ...charges].flatMap(({ taxes }) => taxes)));
        for (const [at, line] of order.lines.entries()) {
          const stated = lines[at];
          const inside = wire.pricesIncludeTax ? total(stated?.taxes ?? []) : 0;
          expect(line.total.minor + inside).toBe((stated?.subtotal ?? 0) - (stated?.discount ?? 0));
          expect(line.subtotal.minor - line.discount.minor).toBe(line.total.minor);
          expect(line.discount.minor).toBeGreaterThanOrEqual(0);
          if (stated?.discount === 0) expect(line.discount.minor).toBe(0);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('has one hash, in whatever order its keys are written', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, inner]) => [key, reversed(inner)]),
      );
    };
    fc.assert(
      fc.property(anyOrder, ({ wire }) => {
        expect(receive(signed(message(reversed(wire))))).toEqual(receive(signed(message(wire))));
      }),
      { numRuns: 100 },
    );
  });
});

describe('anything at all, well signed', () => {
  const KINDS = ['order', 'ignored', 'ping', 'unreadable'];

  it('never throws: any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(KINDS).toContain(receive(signed(text)).kind);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws: an order of which any field is anything, and what is taken is an event', () => {
    fc.assert(
      fc.property(anyOrder, fc.jsonValue(), fc.nat(), ({ wire }, value, pick) => {
        const keys = Object.keys(wire);
        const broken = { ...wire, [keys[pick % keys.length] ?? 'id']: value };
        const received = receive(signed(message(broken)));
        expect(KINDS).toContain(received.kind);
        if (received.kind !== 'order') return;
        expect(CustomStoreOrder.safeParse(broken).success).toBe(true);
        expect(OrderChangedV1.safeParse(received.order).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws: an order of which any field of a line is anything', () => {
    const fields = ['id', 'sku', 'title', 'quantity', 'subtotal', 'discount', 'total', 'taxes', 'attributes'];
    fc.assert(
      fc.property(anyOrder, fc.constantFrom(...fields), fc.jsonValue(), ({ wire }, field, value) => {
        const broken = { ...wire, lines: wire.lines.map((line) => ({ ...line, [field]: value })) };
        expect(KINDS).toContain(receive(signed(message(broken))).kind);
      }),
      { numRuns: 300 },
    );
  });
});
