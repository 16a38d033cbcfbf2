import Big from 'big.js';
import { roundTo } from '../../core/allocate.ts';
import { PermanentError } from '../../core/errors.ts';
import { moneyFromDecimal, moneyRounded, moneyText } from '../../core/money.ts';
import type { LineLabel } from '../../core/reasons.ts';
import { decimal } from './json.ts';
import type { SaleLine } from './sale.ts';
import type { SaleLineValues, TrytonOrderWire } from './wire.ts';

export const isRounding = (line: SaleLine, { rounding }: Pick<TrytonOrderWire, 'rounding'>): boolean =>
  line.product !== null && line.product === rounding.product?.id && line.taxes.length === 0;

/**
 * The untaxed rounding line that makes the total right; undefined when none is needed.
 * @param booked what such a line carries already
 * @throws PermanentError TOTAL_MISMATCH beyond tolerance, MISSING_SERVICE_PRODUCT
 */
export const roundingLine = (
  actual: string,
  booked: string,
  wire: Pick<TrytonOrderWire, 'destination' | 'expected' | 'rounding'>,
): SaleLineValues | undefined => {
  const { expected, rounding, destination } = wire;
  const needed = roundTo(
    new Big(expected.erpTotal).minus(actual).plus(booked),
    new Big(expected.currency.rounding),
  );
  if (needed.abs().gt(expected.tolerance)) throw totalMismatch(actual, wire);
  if (needed.eq(0)) return undefined;
  if (!rounding.product) {
    throw new PermanentError('MISSING_SERVICE_PRODUCT', {
      purpose: 'rounding',
      sku: rounding.sku,
      destination,
    });
  }
  return {
    type: 'line',
    product: rounding.product.id,
    unit: rounding.product.unit,
    quantity: 1,
    unit_price: decimal(needed.toFixed()),
    description: 'Rounding',
    taxes: [],
  };
};

/** `line`: the one with the largest gap, where there is one. */
export const totalMismatch = (
  actual: string,
  { expected }: Pick<TrytonOrderWire, 'expected'>,
  line?: LineLabel,
): PermanentError => {
  const { code } = expected.currency;
  const text = (amount: Big | string) => moneyText(moneyRounded(amount, code));
  return new PermanentError('TOTAL_MISMATCH', {
    ...(line && { line }),
    shop: moneyText(moneyFromDecimal(expected.total, code)),
    erp: text(actual),
    difference: text(new Big(actual).minus(expected.erpTotal).abs()),
    tolerance: text(expected.tolerance),
  });
};
