import Big from 'big.js';
import type { OrderCharge, OrderTax } from '../../events/order-changed.ts';
import type { ShLineItem, ShMoneySet, ShOrder, ShRefund, ShShippingLine, ShTaxLine } from './wire.ts';

/** An amount in both currencies, as the wire has it; `plain` is in the shop's. */
export interface WireAmount {
  readonly set: ShMoneySet;
  readonly plain: string | undefined;
  /** Where it stands, for messages. */
  readonly path: string;
}

export interface PlannedTax {
  readonly facts: Omit<OrderTax, 'amount'>;
  readonly rate: Big;
  readonly amount: WireAmount;
}

export interface PlannedLine {
  readonly item: ShLineItem;
  /** Pieces that belong to the order: bought and not taken off by an edit. */
  readonly kept: number;
  readonly price: WireAmount;
  readonly discounts: readonly (WireAmount & { readonly application: number })[];
  readonly taxLines: readonly PlannedTax[];
}

export interface PlannedCharge {
  readonly facts: Omit<OrderCharge, 'total' | 'taxes'>;
  readonly amount: WireAmount;
  readonly taxLines: readonly PlannedTax[];
  readonly discounts: readonly (WireAmount & { readonly application: number })[];
  /** The part of the amount that counts: pieces of all pieces. */
  readonly share: readonly [pieces: number, of: number];
  /** `taxes_included` speaks of this amount too. */
  readonly mayIncludeTax: boolean;
}

/** What the order consists of, decided once for both currencies. */
export interface Plan {
  readonly lines: readonly PlannedLine[];
  /** Those that lost pieces to an edit, some of them or all. */
  readonly shortenedLines: readonly PlannedLine[];
  readonly tips: readonly PlannedLine[];
  readonly charges: readonly PlannedCharge[];
  readonly removedCharges: readonly PlannedCharge[];
  /** Money went back, or is on its way, or goods were sent back. */
  readonly isRefunded: boolean;
  readonly isCancelled: boolean;
}

export const planOf = (wire: ShOrder): Plan => {
  const isCancelled = wire.cancelled_at !== '';
  const planned = wire.line_items.map((item, index) =>
    plannedLine(wire, item, `line_items[${index}]`, isCancelled),
  );
  const lines = planned.filter(({ item }) => !isTip(item));
  const shipping = wire.shipping_lines.map((line, index) => ({
    line,
    charge: shippingCharge(line, index, wire.taxes_included),
  }));
  const isGone = ({ is_removed }: ShShippingLine) => is_removed && !isCancelled;
  const duties = (piecesOf: (line: PlannedLine) => number): PlannedCharge[] =>
    wire.duties_included
      ? []
      : lines.filter((line) => piecesOf(line) > 0).flatMap((line) => dutyCharges(line, piecesOf(line)));
  return {
    lines: lines.filter(({ kept }) => kept > 0),
    shortenedLines: lines.filter(({ kept, item }) => kept < item.quantity),
    tips: planned.filter(({ item }) => isTip(item)),
    charges: [
      ...shipping.filter(({ line }) => !isGone(line)).map(({ charge }) => charge),
      // Included duties are part of the prices: named again they would count twice.
      ...duties(({ kept }) => kept),
    ],
    removedCharges: [
      ...shipping.filter(({ line }) => isGone(line)).map(({ charge }) => charge),
      ...duties(({ kept, item }) => item.quantity - kept),
    ],
    isRefunded: wire.refunds.some((refund) => givesBack(wire, refund)),
    isCancelled,
  };
};

/** Transactions that give money back; those that failed among them. */
export const payBacks = ({ transactions }: ShRefund): ShRefund['transactions'] =>
  transactions.filter(({ kind }) => kind.toLowerCase() === 'refund');

/** Money went back, or may yet; or delivered goods did, and what they are worth is settled otherwise. */
const givesBack = (wire: ShOrder, refund: ShRefund): boolean =>
  payBacks(refund).some(({ status }) => ['success', 'pending'].includes(status.toLowerCase())) ||
  isReturnWithoutMoney(wire, refund);

/**
 * Goods that were sent back and not paid for: exchanged, as a rule. An edit cannot take off what was delivered, so it
 * makes no return.
 */
export const isReturnWithoutMoney = ({ cancelled_at }: ShOrder, refund: ShRefund): boolean =>
  cancelled_at === '' && isReturn(refund) && payBacks(refund).length === 0;

export const isReturn = (refund: ShRefund): boolean =>
  refund.return.id !== undefined ||
  refund.refund_line_items.some(({ restock_type }) => restock_type.toLowerCase() === 'return');

const isTip = ({ tip }: ShLineItem): boolean => tip !== undefined && tip !== null;

/**
 * `current_quantity` is without removed and without refunded pieces. A refund is stated by itself, so its pieces
 * stay; one that gives nothing back is how Shopify writes down what an edit took off. A cancelled order stays as it was.
 */
const keptOf = (wire: ShOrder, item: ShLineItem, isCancelled: boolean): number => {
  if (isCancelled || item.current_quantity === undefined) return item.quantity;
  const refunded = wire.refunds
    .filter((refund) => givesBack(wire, refund))
    .flatMap((refund) => refund.refund_line_items)
    .filter(({ line_item_id }) => line_item_id === item.id)
    .reduce((pieces, { quantity }) => pieces + quantity, 0);
  return Math.min(item.quantity, Number(item.current_quantity) + refunded);
};

const plannedLine = (wire: ShOrder, item: ShLineItem, path: string, isCancelled: boolean): PlannedLine => ({
  item,
  kept: keptOf(wire, item, isCancelled),
  price: { set: item.price_set, plain: item.price, path: `${path}.price` },
  discounts: discountsOf(item, path),
  taxLines: taxesOf(item.tax_lines, path),
});

const discountsOf = (of: ShLineItem | ShShippingLine, path: string) =>
  of.discount_allocations.map(({ amount, amount_set, discount_application_index }, index) => ({
    set: amount_set,
    plain: amount,
    path: `${path}.discount_allocations[${index}].amount`,
    application: discount_application_index,
  }));

/**
 * Shopify has no id of a rate: title and percentage name it. Rates of zero that tax nothing (US counties without a
 * tax) are left out, or each would ask for a row of the mapping table.
 */
const taxesOf = (taxLines: readonly ShTaxLine[], path: string): PlannedTax[] =>
  taxLines.flatMap((tax, index) => {
    const rate = new Big(tax.rate ?? 0);
    const stated = tax.price_set.shop_money.amount ?? tax.price;
    if (rate.eq(0) && (stated === undefined || new Big(stated).eq(0))) return [];
    const percent = rate.times(100).toFixed();
    const title = tax.title || 'Tax';
    return [
      {
        facts: {
          key: `${title} ${percent}%`,
          title,
          ...(tax.rate !== undefined && { ratePercent: percent }),
          compound: false,
        },
        rate,
        amount: { set: tax.price_set, plain: tax.price, path: `${path}.tax_lines[${index}].price` },
      },
    ];
  });

const WHOLE = [1, 1] as const;

const shippingCharge = (line: ShShippingLine, index: number, mayIncludeTax: boolean): PlannedCharge => {
  const path = `shipping_lines[${index}]`;
  const isDiscounted = line.discounted_price !== undefined || hasAmount(line.discounted_price_set);
  return {
    facts: {
      id: line.id ?? `shipping-${index + 1}`,
      kind: 'shipping',
      ...((line.code || line.title) && { method: line.code || line.title }),
      title: line.title || line.code,
    },
    amount: isDiscounted
      ? { set: line.discounted_price_set, plain: line.discounted_price, path: `${path}.discounted_price` }
      : { set: line.price_set, plain: line.price, path: `${path}.price` },
    taxLines: taxesOf(line.tax_lines, path),
    discounts: discountsOf(line, path),
    share: WHOLE,
    mayIncludeTax,
  };
};

const dutyCharges = ({ item, price }: PlannedLine, pieces: number): PlannedCharge[] =>
  item.duties.map((duty, index) => {
    const path = price.path.replace(/price$/, `duties[${index}]`);
    return {
      facts: {
        id: duty.id ?? `duty-${item.id}-${index + 1}`,
        kind: 'duty',
        method: 'duty',
        title: ['Duty', duty.harmonized_system_code].filter(Boolean).join(' '),
      },
      amount: {
        set: { shop_money: duty.shop_money, presentment_money: duty.presentment_money },
        plain: undefined,
        path,
      },
      taxLines: taxesOf(duty.tax_lines, path),
      discounts: [],
      share: [pieces, item.quantity],
      mayIncludeTax: false,
    };
  });

export const hasAmount = ({ shop_money, presentment_money }: ShMoneySet): boolean =>
  shop_money.amount !== undefined || presentment_money.amount !== undefined;

/** An amount that only the order as a whole states. */
export const extraCharge = (kind: 'tip' | 'fee', title: string, amount: WireAmount): PlannedCharge => ({
  facts: { id: kind === 'tip' ? 'tip' : 'additional-fees', kind, method: kind, title },
  amount,
  taxLines: [],
  discounts: [],
  share: WHOLE,
  mayIncludeTax: false,
});
