import Big from 'big.js';
import currencies from 'currency-codes';
import * as z from 'zod';
import type { AmountProblem } from './reasons.ts';

/** An exact amount: `minor` is a safe integer of the currency's smallest unit (ISO 4217). */
export const Money = z
  .object({
    minor: z.int().meta({ description: 'Amount in the smallest unit of the currency; may be negative' }),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .meta({ description: 'ISO 4217 code' }),
  })
  .meta({ title: 'Money' });
export type Money = z.infer<typeof Money>;

/** Amounts that cannot be computed with, and why: plain data, so that it can be said in any language. */
export class AmountError extends RangeError {
  readonly problem: AmountProblem;

  constructor(message: string, problem: AmountProblem) {
    super(message);
    this.problem = problem;
  }
}

/**
 * Decimals of a currency by ISO 4217: TWD 2, JPY 0, KWD 3.
 * @throws RangeError unknown currency
 */
export const exponentOf = (currency: string): number => {
  const digits = /^[A-Z]{3}$/.test(currency) ? currencies.code(currency)?.digits : undefined;
  if (digits === undefined) {
    throw new AmountError(`"${currency}" is no ISO 4217 currency`, { kind: 'unknown-currency', currency });
  }
  return digits;
};

/**
 * Parse a decimal string as a peer sends it.
 * @throws RangeError not a decimal, more decimals than the currency has, or unknown currency
 * @example moneyFromDecimal('12.30', 'EUR') // { minor: 1230, currency: 'EUR' }
 */
export const moneyFromDecimal = (text: string, currency: string): Money => {
  const exponent = exponentOf(currency);
  if (!/^[+-]?\d+(\.\d*)?$|^[+-]?\.\d+$/.test(text)) throw new RangeError(`"${text}" is no decimal amount`);
  const scaled = new Big(text.replace(/^\+/, '')).times(new Big(10).pow(exponent));
  if (!scaled.eq(scaled.round(0))) {
    throw new RangeError(`"${text}" has more decimals than ${currency} (${exponent})`);
  }
  return money(scaled, currency);
};

/** Round half away from zero to the currency's smallest unit: for amounts that a peer computed as a float. */
export const moneyRounded = (amount: Big | number | string, currency: string): Money =>
  money(new Big(amount).times(new Big(10).pow(exponentOf(currency))).round(0, Big.roundHalfUp), currency);

const money = (scaled: Big, currency: string): Money => {
  const minor = scaled.toNumber() + 0; // + 0 turns -0 into 0
  if (!Number.isSafeInteger(minor)) {
    throw new AmountError(`${scaled.toString()} ${currency} is too large`, { kind: 'too-large' });
  }
  return { minor, currency };
};

/** @example moneyToDecimal({ minor: 5, currency: 'KWD' }) // '0.005' */
export const moneyToDecimal = (m: Money): string => toBig(m).toFixed(exponentOf(m.currency));

/** For people: `1101.98 TWD`. */
export const moneyText = (m: Money): string => `${moneyToDecimal(m)} ${m.currency}`;

export const toBig = ({ minor, currency }: Money): Big =>
  new Big(minor).div(new Big(10).pow(exponentOf(currency)));

export const zero = (currency: string): Money => ({ minor: 0, currency });

/** @throws RangeError two currencies */
export const add = (a: Money, b: Money): Money => {
  if (a.currency !== b.currency) {
    const problem = { kind: 'two-currencies', one: a.currency, other: b.currency } as const;
    throw new AmountError(`${a.currency} and ${b.currency} do not add`, problem);
  }
  const minor = a.minor + b.minor;
  if (!Number.isSafeInteger(minor)) throw new AmountError('sum is too large', { kind: 'too-large' });
  return { minor, currency: a.currency };
};
export const negate = (m: Money): Money => ({ minor: 0 - m.minor, currency: m.currency });
export const subtract = (a: Money, b: Money): Money => add(a, negate(b));
export const sum = (currency: string, parts: readonly Money[]): Money => parts.reduce(add, zero(currency));
