import Big from 'big.js';
import { exponentOf, type Money, moneyFromDecimal, moneyRounded } from './money.ts';

/** The order cannot be stated exactly. The message names the field and holds no personal data. */
export class UnreadableOrder extends Error {
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = 'UnreadableOrder';
  }
}

/** @throws UnreadableOrder the field `path` names no currency of ISO 4217 */
export const readCurrency = (text: string, path: string): string => {
  const currency = text.toUpperCase();
  try {
    exponentOf(currency);
  } catch {
    throw new UnreadableOrder(path, 'is no ISO 4217 currency');
  }
  return currency;
};

export interface AmountReader {
  /** Money that must be stated as it is. */
  exact(decimal: string, path: string): Money;
  /** A part may have more decimals than the currency: what rounding changes shows up in the order's `rounding`. */
  optional(decimal: string | undefined, path: string): Money | undefined;
  /** The same for a part that must be there. */
  rounded(decimal: string | undefined, path: string): Money;
}

/** Reads a storefront's decimal amounts; every method throws UnreadableOrder and nothing else. */
export const amountReader = (currency: string, warnings: string[]): AmountReader => {
  const optional = (decimal: string | undefined, path: string): Money | undefined => {
    if (decimal === undefined) return undefined;
    const amount = roundedMoney(decimal, currency, path);
    if (!new Big(decimal).times(new Big(10).pow(exponentOf(currency))).eq(amount.minor)) {
      warnings.push(`${path} has more decimals than ${currency}: rounded`);
    }
    return amount;
  };
  return {
    exact: (decimal, path) => readable(path, () => moneyFromDecimal(decimal, currency)),
    optional,
    rounded: (decimal, path) => {
      const amount = optional(decimal, path);
      if (!amount) throw new UnreadableOrder(path, 'missing');
      return amount;
    },
  };
};

/** @throws UnreadableOrder */
export const roundedMoney = (decimal: Big | string, currency: string, path: string): Money =>
  readable(path, () => moneyRounded(decimal, currency));

const readable = (path: string, read: () => Money): Money => {
  try {
    return read();
  } catch (error) {
    throw new UnreadableOrder(path, error instanceof RangeError ? error.message : 'is no amount');
  }
};
