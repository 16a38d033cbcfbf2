import Big from 'big.js';
import { exponentOf } from './money.ts';

export const sumOf = (parts: readonly Big[]): Big =>
  parts.reduce((total, part) => total.plus(part), new Big(0));

/** To the currency's minor unit, half away from zero. */
export const cents = (amount: Big, currency: string): Big =>
  amount.round(exponentOf(currency), Big.roundHalfUp);

/** To a multiple of a rounding unit (0.05, 1), half away from zero, as ERPs do. */
export const roundTo = (amount: Big, unit: Big): Big =>
  amount.div(unit).round(0, Big.roundHalfUp).times(unit);

/** Split by shares in minor units; what does not divide goes to the first parts, so that the sum is exact. */
export const allocate = (amount: Big, shares: readonly number[], currency: string): Big[] => {
  const whole = sumOf(shares.map((share) => new Big(share)));
  const even = whole.eq(0);
  const step = new Big(10).pow(-exponentOf(currency)).times(amount.lt(0) ? -1 : 1);
  const parts = shares.map((share) =>
    amount
      .times(even ? 1 : share)
      .div(even ? shares.length : whole)
      .round(exponentOf(currency), Big.roundDown),
  );
  let rest = amount.minus(sumOf(parts)).div(step).round(0).toNumber();
  return parts.map((part) => {
    if (rest <= 0) return part;
    rest -= 1;
    return part.plus(step);
  });
};
