import Big from 'big.js';
import { type Money, subtract, toBig, zero } from '../../core/money.ts';
import { optionals } from '../../core/optionals.ts';
import type { OrderRefund, OrderTax } from '../../events/order-changed.ts';
import type { Priced } from './amounts.ts';
import { zonedMoment } from './moment.ts';
import {
  isReturn,
  isReturnWithoutMoney,
  type Plan,
  type PlannedTax,
  payBacks,
  type WireAmount,
} from './plan.ts';
import type { ShMoneySet, ShOrder, ShRefund, ShTransaction } from './wire.ts';

export type Side = keyof ShMoneySet;

interface Context {
  readonly side: Side;
  /** What edits took off, in the currency of this side. */
  readonly removed: Money;
  /** What was decided in the shop's currency, while the buyer's is read. */
  readonly shop: Priced | undefined;
  readonly warnings: string[];
  readonly read: (amount: WireAmount) => Big;
  /** undefined: the wire states it in the other currency only. */
  readonly stating: (transaction: ShTransaction, path: string) => Big | undefined;
  readonly converted: (transaction: ShTransaction, path: string) => Big;
  readonly round: (amount: Big, path: string) => Money;
}

const SHOP: Side = 'shop_money';
const BUYER: Side = 'presentment_money';

/**
 * What went back to the buyer, and what it was for. A refund without lines first settles what an edit took off a paid
 * order: that lowered the total already and would count twice. Parts are stated in the shop's currency only.
 */
export const refundsOf = (wire: ShOrder, plan: Plan, context: Context): OrderRefund[] => {
  const { side, shop, warnings, round } = context;
  let credit = context.removed;
  return wire.refunds.flatMap((refund, index) => {
    const path = `refunds[${index}]`;
    const isPending = payBacks(refund).some(({ status }) => status.toLowerCase() === 'pending');
    if (isPending && side === SHOP) warnings.push(`${path} is pending: left out until it is final`);
    const given = givenBack(wire, refund, path, context);
    if (given === undefined) return [];
    let total = round(given, path);
    if (credit.minor > 0 && !hasParts(refund)) {
      const absorbed = credit.minor < total.minor ? credit : total;
      credit = subtract(credit, absorbed);
      total = subtract(total, absorbed);
      if (side === SHOP) warnings.push(`${path} pays back what an edit took off: no refund of its own`);
    }
    const counts = shop ? shop.refunds.some(({ id }) => id === refund.id) : total.minor > 0;
    if (!counts) return [];
    const refundedAt = zonedMoment(refund.processed_at || refund.created_at);
    return [
      {
        id: refund.id,
        ...optionals({ reason: refund.note }),
        total,
        ...optionals({ refundedAt }),
        ...(side === SHOP && partsOf(wire, plan, refund, path, context)),
      },
    ];
  });
};

/**
 * The money that went back; undefined: none, or none yet. Goods that were sent back and are worth more than that, without
 * an adjustment that says why, were exchanged: the rest of their worth paid for the lines that came instead.
 */
const givenBack = (wire: ShOrder, refund: ShRefund, path: string, context: Context): Big | undefined => {
  const { side, stating, converted } = context;
  const all = payBacks(refund);
  const done = all.filter(({ status }) => status.toLowerCase() === 'success');
  if (done.length === 0 && !isReturnWithoutMoney(wire, refund)) return undefined;
  const at = `${path}.transactions.amount`;
  const sumOf = (amountOf: (transaction: ShTransaction, path: string) => Big) =>
    done.reduce((money, each) => money.plus(amountOf(each, at)), new Big(0));
  const isStated = done.every((each) => stating(each, at) !== undefined);
  const paid = (isStated ? undefined : worthOnOtherSide(wire, refund, done, side)) ?? sumOf(converted);
  const worth = isReturn(refund) && done.length === all.length ? worthOf(wire, refund, side) : undefined;
  return worth?.gt(paid) ? worth : paid;
};

// --- parts -------------------------------------------------------------------------------------------------

const RESTOCK: Readonly<Record<string, boolean>> = {
  cancel: true,
  return: true,
  legacy_restock: true,
  no_restock: false,
};

interface StatedPart {
  readonly amount: ShMoneySet;
  readonly tax: ShMoneySet | undefined;
  /** -1 where a refund is stated as a negative amount. */
  readonly sign: number;
}

/** Absent, where the refund names nothing that the order still has: then all of it is an amount. */
const partsOf = (
  wire: ShOrder,
  plan: Plan,
  refund: ShRefund,
  path: string,
  { removed: { currency }, read, round }: Context,
): Pick<OrderRefund, 'lines' | 'charges'> => {
  const money = (set: ShMoneySet, sign: number, at: string): Money =>
    set[SHOP].amount === undefined
      ? zero(currency)
      : round(read({ set, plain: undefined, path: at }).times(sign), at);

  /** Without tax, and its tax by the rates of what it is part of. */
  const taxedPart = ({ amount, tax, sign }: StatedPart, taxLines: readonly PlannedTax[], at: string) => {
    const taxes = tax ? money(tax, sign, at) : zero(currency);
    const shown = money(amount, sign, at);
    return {
      total: tax && wire.taxes_included ? subtract(shown, taxes) : shown,
      taxes: shareOut(
        taxes,
        taxLines.map(({ facts, amount: whole }) => ({ facts, weight: read(whole) })),
        (share) => round(share, at),
      ),
    };
  };

  const lines = refund.refund_line_items.flatMap((part, index) => {
    const line = plan.lines.find(({ item }) => item.id === part.line_item_id);
    if (!line || part.subtotal_set[SHOP].amount === undefined) return [];
    const stated = { amount: part.subtotal_set, tax: part.total_tax_set, sign: 1 };
    return [
      {
        lineId: line.item.id,
        quantity: part.quantity,
        ...taxedPart(stated, line.taxLines, `${path}.refund_line_items[${index}]`),
        ...optionals({ restock: RESTOCK[part.restock_type.toLowerCase()] }),
      },
    ];
  });

  // Of several shipping lines nobody says which one was given back.
  const shipping = plan.charges.filter(({ facts }) => facts.kind === 'shipping');
  const charged = [
    ...(shipping.length === 1 ? shippingOf(refund) : []).map((part) => ({ part, charge: shipping[0] })),
    ...dutiesOf(refund).map((part) => ({
      part,
      charge: plan.charges.find(({ facts }) => facts.kind === 'duty' && facts.id === part.dutyId),
    })),
  ];
  const charges = charged.flatMap(({ part, charge }) => {
    if (!charge || !(Number(part.amount[SHOP].amount) || Number(part.tax?.[SHOP].amount))) return [];
    return [
      { chargeId: charge.facts.id, ...taxedPart(part, part.tax ? charge.taxLines : [], `${path}.charges`) },
    ];
  });
  return { ...(lines.length > 0 && { lines }), ...(charges.length > 0 && { charges }) };
};

/** Shopify states one tax for all rates: it is shared out as the line's own was. The last takes what rounding leaves. */
const shareOut = (
  tax: Money,
  rates: readonly { readonly facts: PlannedTax['facts']; readonly weight: Big }[],
  round: (share: Big) => Money,
): OrderTax[] => {
  const whole = rates.reduce((all, { weight }) => all.plus(weight), new Big(0));
  let left = tax;
  return rates.map(({ facts, weight }, index) => {
    const share = () => (whole.eq(0) ? zero(tax.currency) : round(toBig(tax).times(weight).div(whole)));
    const amount = index === rates.length - 1 ? left : share();
    left = subtract(left, amount);
    return { ...facts, amount };
  });
};

// --- worth -------------------------------------------------------------------------------------------------

const SHIPPING_REFUND = 'shipping_refund';

const dutiesOf = ({ duties }: ShRefund) =>
  duties.map(({ duty_id, amount_set }) => ({
    dutyId: duty_id,
    amount: amount_set,
    tax: undefined,
    sign: 1,
  }));

const shippingOf = (refund: ShRefund): StatedPart[] => [
  ...refund.refund_shipping_lines.map(({ subtotal_amount_set, tax_amount_set }) => ({
    amount: subtotal_amount_set,
    tax: tax_amount_set,
    sign: 1,
  })),
  ...refund.order_adjustments
    .filter(({ kind }) => kind === SHIPPING_REFUND)
    .map(({ amount_set, tax_amount_set }) => ({ amount: amount_set, tax: tax_amount_set, sign: -1 })),
];

const hasParts = (refund: ShRefund): boolean =>
  refund.refund_line_items.length > 0 || shippingOf(refund).length > 0;

/** What lines, shipping and duties are worth, less the adjustments; undefined: not stated on this side. */
const worthOf = (wire: ShOrder, refund: ShRefund, side: Side): Big | undefined => {
  const parts: StatedPart[] = [
    ...refund.refund_line_items.map(({ subtotal_set, total_tax_set }) => ({
      amount: subtotal_set,
      tax: total_tax_set,
      sign: 1,
    })),
    ...shippingOf(refund),
    ...dutiesOf(refund),
    ...refund.order_adjustments
      .filter(({ kind }) => kind !== SHIPPING_REFUND)
      .map(({ amount_set }) => ({ amount: amount_set, tax: undefined, sign: -1 })),
  ];
  if (parts.some(({ amount }) => amount[side].amount === undefined)) return undefined;
  return parts.reduce((all, { amount, tax, sign }) => {
    const extra = wire.taxes_included ? 0 : (tax?.[side].amount ?? 0);
    return all.plus(new Big(amount[side].amount ?? 0).plus(extra).times(sign));
  }, new Big(0));
};

/**
 * Money that Shopify states in the other currency only. What the refund's lines and shipping are worth, and by how
 * much the money differs from that (`order_adjustments`), it states in both: where these explain the transactions in
 * their own currency, they do so in the other one, too, and nothing needs to be converted.
 */
const worthOnOtherSide = (
  wire: ShOrder,
  refund: ShRefund,
  done: readonly ShTransaction[],
  side: Side,
): Big | undefined => {
  const paid = done.reduce((all, { amount }) => all.plus(amount ?? 0), new Big(0));
  const stated = worthOf(wire, refund, side === SHOP ? BUYER : SHOP);
  return stated?.eq(paid) ? worthOf(wire, refund, side) : undefined;
};

export const isOneCurrency = (wire: ShOrder): boolean =>
  wire.presentment_currency === '' || wire.presentment_currency === wire.currency;

/** Transactions are in the buyer's currency, unless they say otherwise. */
export const sideOf = ({ currency }: ShTransaction, wire: ShOrder): Side =>
  currency === wire.currency && !isOneCurrency(wire) ? SHOP : BUYER;
