import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AmountError,
  add,
  exponentOf,
  type Money,
  Money as MoneySchema,
  moneyFromDecimal,
  moneyRounded,
  moneyText,
  moneyToDecimal,
  negate,
  subtract,
  sum,
  toBig,
  zero,
} from '../../shared/core/money.ts';

const currency = fc.constantFrom('TWD', 'EUR', 'USD', 'JPY', 'KRW', 'VND', 'KWD', 'BHD', 'TND', 'CLF');
const anyMoney: fc.Arbitrary<Money> = fc.record({ minor: fc.maxSafeInteger(), currency });
const smallMoney = (code: string) =>
  fc.integer({ min: -1e12, max: 1e12 }).map((minor) => ({ minor, currency: code }));

describe('a decimal string', () => {
  it.each([
    ['12.30', 'EUR', 1230],
    ['12.3', 'EUR', 1230],
    ['12', 'EUR', 1200],
    ['12.', 'EUR', 1200],
    ['.5', 'EUR', 50],
    ['+.5', 'EUR', 50],
    ['-.55', 'EUR', -55],
    ['+1', 'EUR', 100],
    ['0.005', 'KWD', 5],
    ['1200.00', 'JPY', 1200],
    ['1200.000', 'JPY', 1200],
    ['355.50', 'TWD', 35550],
    ['-0', 'EUR', 0],
    ['-0.00', 'EUR', 0],
    ['-12.30', 'EUR', -1230],
    ['12.30000', 'EUR', 1230],
    ['0012.30', 'EUR', 1230],
    ['90071992547409.91', 'EUR', 9007199254740991],
  ])('%s %s', (text, code, minor) => {
    const parsed = moneyFromDecimal(text, code);
    expect(parsed).toStrictEqual({ minor, currency: code });
    expect(Object.is(parsed.minor, -0)).toBe(false);
  });

  it.each([
    ['12.345', 'EUR', '"12.345" has more decimals than EUR (2)'],
    ['0.5', 'JPY', '"0.5" has more decimals than JPY (0)'],
    ['0.0005', 'KWD', '"0.0005" has more decimals than KWD (3)'],
    ['134.54999999999998', 'TWD', '"134.54999999999998" has more decimals than TWD (2)'],
    ['1,200.00', 'EUR', '"1,200.00" is no decimal amount'],
    ['12,30', 'EUR', '"12,30" is no decimal amount'],
    ['', 'EUR', '"" is no decimal amount'],
    ['.', 'EUR', '"." is no decimal amount'],
    ['1e3', 'EUR', '"1e3" is no decimal amount'],
    [' 1', 'EUR', '" 1" is no decimal amount'],
    ['--1', 'EUR', '"--1" is no decimal amount'],
    ['NaN', 'EUR', '"NaN" is no decimal amount'],
    ['0x10', 'EUR', '"0x10" is no decimal amount'],
    ['.5x', 'EUR', '".5x" is no decimal amount'],
    ['1.5x', 'EUR', '"1.5x" is no decimal amount'],
    ['x.5', 'EUR', '"x.5" is no decimal amount'],
    ['１２', 'EUR', '"１２" is no decimal amount'],
    ['1', 'ABC', '"ABC" is no ISO 4217 currency'],
    ['1', 'eur', '"eur" is no ISO 4217 currency'],
    ['1', '', '"" is no ISO 4217 currency'],
    ['90071992547409.92', 'EUR', '9007199254740992 EUR is too large'],
    ['-90071992547409.92', 'EUR', '-9007199254740992 EUR is too large'],
  ])('refuses %j %s', (text, code, message) => {
    expect(() => moneyFromDecimal(text, code)).toThrow(message);
  });

  it('survives the round trip', () => {
    fc.assert(
      fc.property(anyMoney, (m) => {
        expect(MoneySchema.parse(m)).toEqual(m);
        expect(moneyFromDecimal(moneyToDecimal(m), m.currency)).toStrictEqual({ ...m, minor: m.minor + 0 });
      }),
    );
  });
});

it.each(['EURO', 'XEUR', 'eur', 'E1R', ''])('%j is no currency of an amount', (code) => {
  expect(MoneySchema.safeParse({ minor: 1, currency: code }).success).toBe(false);
});

it.each([
  ['TWD', 2],
  ['JPY', 0],
  ['KWD', 3],
  ['CLF', 4],
])('%s has %i decimals', (code, digits) => {
  expect(exponentOf(code)).toBe(digits);
});

it.each([
  [{ minor: 5, currency: 'KWD' }, '0.005'],
  [{ minor: 110198, currency: 'TWD' }, '1101.98'],
  [{ minor: -5, currency: 'EUR' }, '-0.05'],
  [{ minor: 1200, currency: 'JPY' }, '1200'],
  [{ minor: 0, currency: 'EUR' }, '0.00'],
  [{ minor: Number.MAX_SAFE_INTEGER, currency: 'EUR' }, '90071992547409.91'],
])('%o is written %s', (m, text) => {
  expect(moneyToDecimal(m)).toBe(text);
  expect(moneyText(m)).toBe(`${text} ${m.currency}`);
});

describe('an amount that a peer computed as a float', () => {
  it.each([
    [134.54999999999998, 'TWD', 13455],
    [0.1 + 0.2, 'EUR', 30],
    [1.005, 'EUR', 101],
    [-1.005, 'EUR', -101],
    [1.0049999, 'EUR', 100],
    [355.5, 'JPY', 356],
    [-355.5, 'JPY', -356],
    [-0.001, 'EUR', 0],
    [1e-9, 'EUR', 0],
    ['0.0045', 'KWD', 5],
  ])('%s %s', (amount, code, minor) => {
    const rounded = moneyRounded(amount, code);
    expect(rounded).toStrictEqual({ minor, currency: code });
  });

  it('gives back every amount whose cents it was made of', () => {
    fc.assert(
      fc.property(smallMoney('EUR'), fc.constantFrom(0, 1e-7, -1e-7), (m, noise) => {
        fc.pre(Math.abs(m.minor) < 1e9);
        expect(moneyRounded(m.minor / 100 + noise, 'EUR')).toStrictEqual({ ...m, minor: m.minor + 0 });
      }),
    );
  });

  it('is refused when it is no number or too large', () => {
    expect(() => moneyRounded(Number.NaN, 'EUR')).toThrow();
    expect(() => moneyRounded(Number.POSITIVE_INFINITY, 'EUR')).toThrow();
    expect(() => moneyRounded(1e18, 'EUR')).toThrow(RangeError);
  });
});

describe('arithmetic', () => {
  it('is exact, and forgets nothing', () => {
    fc.assert(
      fc.property(smallMoney('TWD'), smallMoney('TWD'), smallMoney('TWD'), (a, b, c) => {
        expect(add(a, b)).toEqual(add(b, a));
        expect(subtract(add(a, b), b)).toStrictEqual(add(a, zero('TWD')));
        expect(sum('TWD', [a, b, c])).toEqual(add(add(a, b), c));
        expect(
          toBig(a)
            .plus(toBig(b))
            .eq(toBig(add(a, b))),
        ).toBe(true);
        expect(Object.is(negate(zero('TWD')).minor, -0)).toBe(false);
      }),
    );
  });

  it('never mixes currencies nor leaves the safe integers', () => {
    const [one, most] = [
      { minor: 1, currency: 'EUR' },
      { minor: Number.MAX_SAFE_INTEGER, currency: 'EUR' },
    ];
    expect(() => add(one, { minor: 1, currency: 'USD' })).toThrow('EUR and USD do not add');
    expect(() => subtract(one, { minor: 1, currency: 'USD' })).toThrow(RangeError);
    expect(() => sum('USD', [one])).toThrow(RangeError);
    expect(() => add(most, one)).toThrow('sum is too large');
    expect(() => subtract(negate(most), one)).toThrow('sum is too large');
    expect(() => sum('EUR', [most, one])).toThrow('sum is too large');
  });

  it.each<[() => unknown, AmountError['problem']]>([
    [() => exponentOf('ABC'), { kind: 'unknown-currency', currency: 'ABC' }],
    [() => moneyRounded(1e18, 'EUR'), { kind: 'too-large' }],
    [
      () => add({ minor: 1, currency: 'EUR' }, { minor: 1, currency: 'USD' }),
      { kind: 'two-currencies', one: 'EUR', other: 'USD' },
    ],
    [
      () => add({ minor: Number.MAX_SAFE_INTEGER, currency: 'EUR' }, { minor: 1, currency: 'EUR' }),
      { kind: 'too-large' },
    ],
  ])('says what is wrong as data, for any language: %#', (compute, problem) => {
    expect(compute).toThrow(AmountError);
    expect(compute).toThrow(expect.objectContaining({ problem }));
  });
});
