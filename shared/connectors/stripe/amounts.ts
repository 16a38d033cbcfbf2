import Big from 'big.js';
import { exponentOf, type Money, moneyFromDecimal } from '../../core/money.ts';

/** docs.stripe.com/currencies, zero-decimal currencies. */
const ZERO_DECIMALS = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '));
/** docs.stripe.com/currencies, special cases: ISO 4217 gives them no decimals, Stripe's amounts have two. */
const TWO_DECIMALS = new Set(['ISK', 'UGX']);

/** Decimals of an amount as Stripe states it: mostly those of ISO 4217 (TWD 2, JPY 0, KWD 3). */
const decimalsOf = (currency: string): number => {
  if (ZERO_DECIMALS.has(currency)) return 0;
  return TWO_DECIMALS.has(currency) ? 2 : exponentOf(currency);
};

/**
 * @param amount in Stripe's smallest unit
 * @param code ISO 4217, as Stripe writes it: small letters
 * @throws RangeError no currency of ISO 4217, or a fraction of its smallest unit
 * @example fromStripe(10_000, 'twd') // { minor: 10000, currency: 'TWD' }, 100.00
 * @example fromStripe(500, 'ugx') // { minor: 5, currency: 'UGX' }
 */
export const fromStripe = (amount: number, code: string): Money => {
  const currency = code.toUpperCase();
  const decimals = decimalsOf(currency);
  return moneyFromDecimal(new Big(amount).div(new Big(10).pow(decimals)).toFixed(decimals), currency);
};
