import Big from 'big.js';

export interface TaxRule {
  readonly id: number;
  readonly sequence: number;
  readonly amountType: 'percent' | 'fixed' | 'division';
  readonly amount: number;
  readonly included: boolean;
  readonly includeBaseAmount: boolean;
}

export interface LineAmounts {
  readonly subtotal: Big;
  readonly tax: Big;
  readonly total: Big;
  /** Per tax before rounding, for companies that round globally. */
  readonly rawTax: Big;
}

/**
 * What one order line costs, as `account.tax` computes it: unit price already rounded, taxes in their sequence,
 * each rounded to the currency's unit, the last included tax taking what rounding leaves of the gross price.
 */
export const lineAmounts = (
  quantity: number,
  priceUnit: number,
  discount: number,
  taxes: readonly TaxRule[],
  rounding: number,
): LineAmounts => {
  const unit = new Big(rounding);
  const round = (value: Big) => value.div(unit).round(0, Big.roundHalfUp).times(unit);
  const price = new Big(priceUnit).times(new Big(100).minus(discount)).div(100);
  const gross = price.times(quantity);
  const ordered = [...taxes].sort((a, b) => a.sequence - b.sequence || a.id - b.id);
  const fixedOf = (tax: TaxRule) => new Big(tax.amount).times(quantity).times(price.lt(0) ? -1 : 1);

  // From the last tax to the first: take the included ones out of the price.
  let base = gross;
  let [percent, fixed, division] = [new Big(0), new Big(0), new Big(0)];
  const takeOut = () => {
    base = base.minus(fixed).div(percent.div(100).plus(1)).times(new Big(100).minus(division)).div(100);
    [percent, fixed, division] = [new Big(0), new Big(0), new Big(0)];
  };
  for (const tax of [...ordered].reverse()) {
    if (tax.includeBaseAmount) takeOut();
    if (!tax.included) continue;
    if (tax.amountType === 'percent') percent = percent.plus(tax.amount);
    else if (tax.amountType === 'division') division = division.plus(tax.amount);
    else fixed = fixed.plus(fixedOf(tax));
  }
  takeOut();

  const subtotal = round(base);
  let running = base;
  let roundedSum = new Big(0);
  let rawSum = new Big(0);
  let includedSum = new Big(0);
  const lastIncluded = ordered.findLast((tax) => tax.included);
  for (const tax of ordered) {
    const raw =
      tax.amountType === 'fixed'
        ? fixedOf(tax)
        : tax.amountType === 'percent'
          ? running.times(tax.amount).div(100)
          : tax.included
            ? running.times(tax.amount).div(new Big(100).minus(tax.amount))
            : running.div(new Big(1).minus(new Big(tax.amount).div(100))).minus(running);
    const rest = tax === lastIncluded ? round(gross).minus(subtotal).minus(includedSum) : undefined;
    const amount = rest ?? round(raw);
    if (tax.included) includedSum = includedSum.plus(amount);
    roundedSum = roundedSum.plus(amount);
    rawSum = rawSum.plus(raw);
    if (tax.includeBaseAmount) running = running.plus(raw);
  }
  return { subtotal, tax: roundedSum, total: subtotal.plus(roundedSum), rawTax: rawSum };
};
