import Big from 'big.js';
import { add, type Money, subtract, sum, toBig, zero } from '../../core/money.ts';
import { amountReader, roundedMoney, UnreadableOrder } from '../../core/read-amounts.ts';
import type { OrderChangedV1 } from '../../events/order-changed.ts';
import { capturesIn, GIFT_CARD, isPayment } from './payment.ts';
import {
  extraCharge,
  hasAmount,
  type Plan,
  type PlannedCharge,
  type PlannedLine,
  type PlannedTax,
  type WireAmount,
} from './plan.ts';
import { isOneCurrency, refundsOf, type Side, sideOf } from './refunds.ts';
import type { ShMoneySet, ShOrder, ShTransaction } from './wire.ts';

export interface Priced {
  /** One for each of `plan.lines`. */
  readonly lines: { subtotal: Money; discount: Money; total: Money; taxes: Money[] }[];
  /** `plan.charges`, then tip and fees if the order states them nowhere else. */
  readonly charges: { charge: PlannedCharge; total: Money; taxes: Money[] }[];
  readonly discounts: OrderChangedV1['discounts'];
  readonly giftCards: OrderChangedV1['giftCards'];
  /** One for each of `capturesIn`. */
  readonly payments: readonly Money[] | undefined;
  readonly refunds: OrderChangedV1['refunds'];
  readonly rounding: Money;
  readonly tax: Money;
  readonly total: Money;
  /** Units of the buyer's currency for one of the shop's. */
  readonly rate: string;
  readonly warnings: readonly string[];
}

const SHOP: Side = 'shop_money';
const BUYER: Side = 'presentment_money';
const RATE_DECIMALS = 8;

/**
 * Every amount of the order in one of its two currencies. Both are priced by the same plan, so their lists run in
 * parallel; `shop` is what was decided for the shop's currency (which refunds count, whether a tip is an extra).
 * @throws UnreadableOrder an amount is missing, is in another currency, or the total cannot be stated exactly
 */
export const priced = (
  wire: ShOrder,
  plan: Plan,
  { side, currency }: { readonly side: Side; readonly currency: string },
  shop?: Priced,
): Priced => {
  const warnings: string[] = [];
  const { exact } = amountReader(currency, warnings);
  const read = ({ set, plain, path }: WireAmount): Big => {
    const { amount, currency_code: code } = set[side];
    if (amount !== undefined && code !== '' && code !== currency) {
      throw new UnreadableOrder(path, `is not in ${currency}`);
    }
    const stated = amount ?? (side === SHOP ? plain : undefined);
    if (stated === undefined)
      throw new UnreadableOrder(path, side === SHOP ? 'missing' : `missing in ${currency}`);
    return new Big(stated);
  };
  const round = (amount: Big, path: string): Money => roundedMoney(amount, currency, path);
  const sumOf = (parts: readonly Money[]): Money => sum(currency, parts);

  /** A part of the order for some of its pieces: amounts go by the piece, and are rounded at the end. */
  const part = (
    amount: Big,
    taxLines: readonly PlannedTax[],
    [pieces, of]: readonly [number, number],
    options: { readonly path: string; readonly includesTax: boolean },
  ) => {
    const share = (whole: Big) => whole.times(pieces).div(of);
    const taxes = taxLines.map((tax) => round(share(read(tax.amount)), tax.amount.path));
    const shown = round(share(amount), options.path);
    const total = options.includesTax ? subtract(shown, sumOf(taxes)) : shown;
    return { shown, total, taxes, worth: sumOf([total, ...taxes]) };
  };

  const linePart = ({ item, price, discounts, taxLines }: PlannedLine, pieces: number) => {
    const discount = discounts.reduce((all, each) => all.plus(read(each)), new Big(0));
    const amount = read(price).times(item.quantity).minus(discount);
    const { path } = price;
    const whole = part(amount, taxLines, [pieces, item.quantity], { path, includesTax: wire.taxes_included });
    // A discount on a price with tax holds tax, too, in the same proportion as what was left to pay.
    const rates = taxLines.reduce((all, { rate }) => all.plus(rate), new Big(1));
    const net = whole.shown.minor === 0 ? new Big(1).div(rates) : toBig(whole.total).div(toBig(whole.shown));
    const cut = discount.times(pieces).div(item.quantity);
    const lineDiscount = round(wire.taxes_included ? cut.times(net) : cut, path);
    return { ...whole, discount: lineDiscount.minor > 0 ? lineDiscount : zero(currency) };
  };
  const chargePart = ({ amount, taxLines, share, mayIncludeTax }: PlannedCharge) =>
    part(read(amount), taxLines, share, {
      path: amount.path,
      includesTax: mayIncludeTax && wire.taxes_included,
    });

  const lines = plan.lines.map((line) => linePart(line, line.kept));
  const removed = sumOf([
    ...plan.shortenedLines.map((line) => linePart(line, line.item.quantity - line.kept).worth),
    ...plan.removedCharges.map((charge) => chargePart(charge).worth),
  ]);

  const stated = (set: ShMoneySet, plain: string | undefined, path: string): Money | undefined =>
    set[side].amount === undefined && (side !== SHOP || plain === undefined)
      ? undefined
      : exact(read({ set, plain, path }).toFixed(), path);
  const totalPrice = stated(wire.total_price_set, wire.total_price, 'total_price');
  if (!totalPrice)
    throw new UnreadableOrder('total_price', side === SHOP ? 'missing' : `missing in ${currency}`);
  // The shop's own number, unless it is short of refunds too: those are stated by themselves.
  const current =
    plan.isCancelled || plan.isRefunded
      ? undefined
      : stated(wire.current_total_price_set, wire.current_total_price, 'current_total_price');
  const total = current ?? subtract(totalPrice, removed);

  const rates = ratesOf(wire);
  const base = plan.charges.map((charge) => ({ charge, ...chargePart(charge) }));
  const known = sumOf([...lines, ...base].map(({ worth }) => worth));
  const extras = (
    shop ? shop.charges.slice(base.length).map(({ charge }) => charge) : extrasOf(wire, plan, rates)
  ).map((charge) => ({ charge, ...chargePart(charge) }));
  const missing = shop ? extras : explaining(extras, subtract(total, known));
  const charges = [...base, ...missing];
  const parts = [...lines, ...charges];
  const taxes = sumOf(parts.flatMap((each) => each.taxes));
  const tax =
    (current && stated(wire.current_total_tax_set, wire.current_total_tax, 'current_total_tax')) ??
    (removed.minor === 0 ? stated(wire.total_tax_set, wire.total_tax, 'total_tax') : undefined) ??
    taxes;

  /** undefined: the wire states it in the other currency only. */
  const stating = (transaction: ShTransaction, path: string): Big | undefined => {
    const { amount_set: set, amount } = transaction;
    if (hasAmount(set)) return read({ set, plain: undefined, path });
    if (amount === undefined) throw new UnreadableOrder(path, 'missing');
    return sideOf(transaction, wire) === side || isOneCurrency(wire) ? new Big(amount) : undefined;
  };
  const converted = (transaction: ShTransaction, path: string): Big =>
    stating(transaction, path) ??
    new Big(transaction.amount ?? 0).times(rates[side]).div(rates[sideOf(transaction, wire)]);

  const refunds = refundsOf(wire, plan, { side, removed, shop, warnings, read, stating, converted, round });
  const giftCards = wire.transactions.some(isPayment)
    ? wire.transactions.flatMap((transaction, index) =>
        isPayment(transaction) && transaction.gateway === GIFT_CARD
          ? [
              {
                id: transaction.id ?? `gift-card-${index + 1}`,
                amount: round(converted(transaction, `transactions[${index}].amount`), 'transactions'),
              },
            ]
          : [],
      )
    : onlyGiftCard(wire, total, side, warnings);
  const payments = capturesIn(wire)?.map(({ index, transaction }) =>
    round(converted(transaction, `transactions[${index}].amount`), 'transactions'),
  );

  return {
    lines: lines.map(({ total: net, discount, taxes: each }) => ({
      subtotal: add(net, discount),
      discount,
      total: net,
      taxes: each,
    })),
    charges: charges.map(({ charge, total: net, taxes: each }) => ({ charge, total: net, taxes: each })),
    discounts: discountsOf(wire, plan, { read, round }),
    giftCards,
    payments,
    refunds,
    rounding: subtract(total, sumOf(parts.map(({ worth }) => worth))),
    tax,
    total,
    rate: rates[BUYER].div(rates[SHOP]).round(RATE_DECIMALS).toFixed(),
    warnings,
  };
};

/** The same amount in both currencies; 1 to 1 where the order is free of charge and says nothing of the rate. */
const ratesOf = (wire: ShOrder): Readonly<Record<Side, Big>> => {
  for (const set of [wire.total_price_set, wire.total_line_items_price_set]) {
    const [shop, buyer] = [set.shop_money.amount, set.presentment_money.amount];
    if (shop !== undefined && buyer !== undefined && Number(shop) > 0 && Number(buyer) > 0) {
      return { shop_money: new Big(shop), presentment_money: new Big(buyer) };
    }
  }
  return { shop_money: new Big(1), presentment_money: new Big(1) };
};

// --- tips and fees -----------------------------------------------------------------------------------------

/**
 * Tips are lines with a mark, or lines without one, or only a sum; fees may be the duties under another name. So both
 * count only as far as they explain what the parts are short of the total.
 */
const explaining = <T extends { readonly worth: Money }>(extras: readonly T[], rest: Money): T[] => {
  let open = rest;
  return extras.filter(({ worth }) => {
    const left = subtract(open, worth);
    if (Math.abs(left.minor) >= Math.abs(open.minor)) return false;
    open = left;
    return true;
  });
};

const extrasOf = (wire: ShOrder, plan: Plan, rates: Readonly<Record<Side, Big>>): PlannedCharge[] => {
  const tip = tipOf(wire, plan, rates);
  const fees = wire.original_total_additional_fees_set;
  return [
    ...(tip ? [extraCharge('tip', 'Tip', { set: tip, plain: undefined, path: 'total_tip_received' })] : []),
    ...(hasAmount(fees)
      ? [
          extraCharge('fee', 'Additional fees', {
            set: fees,
            plain: undefined,
            path: 'original_total_additional_fees_set',
          }),
        ]
      : []),
  ];
};

/** Webhooks state the sum in the shop's currency only; a tip that is a line states both. */
const tipOf = (wire: ShOrder, { tips }: Plan, rates: Readonly<Record<Side, Big>>): ShMoneySet | undefined => {
  if (hasAmount(wire.total_tip_received_set)) return wire.total_tip_received_set;
  const lineSum = (side: Side): Big | undefined =>
    tips.length > 0 && tips.every(({ price }) => price.set[side].amount !== undefined)
      ? tips.reduce(
          (all, { price, kept }) => all.plus(new Big(price.set[side].amount ?? 0).times(kept)),
          new Big(0),
        )
      : undefined;
  const plain = wire.total_tip_received === undefined ? undefined : new Big(wire.total_tip_received);
  const shop = plain?.gt(0) ? plain : lineSum(SHOP);
  if (!shop?.gt(0)) return undefined;
  const buyer = lineSum(BUYER) ?? shop.times(rates[BUYER]).div(rates[SHOP]);
  const money = (amount: Big) => ({ amount: amount.toFixed(), currency_code: '' });
  return { shop_money: money(shop), presentment_money: money(buyer) };
};

// --- discounts, gift cards ------------------------------------------------------------------------

interface Reading {
  readonly read: (amount: WireAmount) => Big;
  readonly round: (amount: Big, path: string) => Money;
}

/** For people: one entry for each code or automatic discount, as prices are shown. */
const discountsOf = (wire: ShOrder, plan: Plan, { read, round }: Reading): OrderChangedV1['discounts'] =>
  wire.discount_applications.flatMap(({ code, title, description, type }, index) => {
    const given = [
      ...plan.lines.map(({ discounts, kept, item }) => ({ discounts, kept, of: item.quantity })),
      ...plan.charges.map(({ discounts }) => ({ discounts, kept: 1, of: 1 })),
    ].flatMap(({ discounts, kept, of }) =>
      discounts
        .filter(({ application }) => application === index)
        .map((each) => read(each).times(kept).div(of)),
    );
    if (given.length === 0) return [];
    const amount = given.reduce((all, each) => all.plus(each), new Big(0));
    return [
      {
        code: code || title || description || type,
        amount: round(amount, `discount_applications[${index}]`),
      },
    ];
  });

/** Webhooks name the gateways, not what each of them took. */
const onlyGiftCard = (
  { payment_gateway_names: names, financial_status: state }: ShOrder,
  total: Money,
  side: Side,
  warnings: string[],
): OrderChangedV1['giftCards'] => {
  if (!names.includes(GIFT_CARD)) return [];
  const isOnly = names.every((name) => name === GIFT_CARD);
  if (isOnly && ['paid', 'partially_refunded'].includes(state)) return [{ id: GIFT_CARD, amount: total }];
  if (side === SHOP)
    warnings.push('a gift card paid part of the order: how much stands in its transactions only');
  return [];
};
