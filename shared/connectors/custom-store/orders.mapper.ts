import { stableHash } from '../../core/content-hash.ts';
import { type Money, moneyText, sum } from '../../core/money.ts';
import { optionals } from '../../core/optionals.ts';
import { personName } from '../../core/person-name.ts';
import { inBuyerCurrency } from '../../core/presentment.ts';
import { amountReader, readCurrency, UnreadableOrder } from '../../core/read-amounts.ts';
import { utcMoment } from '../../core/utc.ts';
import type {
  OrderAddress,
  OrderChangedV1,
  OrderCharge,
  OrderLine,
  OrderRefund,
  OrderTax,
  Presentment,
} from '../../events/order-changed.ts';
import type { Mapped } from '../contract.ts';
import { mustAddUp, partReader, restOf, type StatedRate, type TaxedPart } from './amounts.ts';
import type { CustomStoreOrder } from './wire.ts';

export interface MapContext {
  /** Connection id. */
  readonly connection: string;
}

/**
 * An order as Waybill states it. Pure.
 *
 * Where the store states amounts with tax, those without are exact: total less taxes. Only the discount of such a
 * line is computed, in the same proportion, because nobody states the tax before the discount.
 * @throws UnreadableOrder an amount cannot be stated exactly, or two statements contradict each other
 */
export const toOrder = (wire: CustomStoreOrder, { connection }: MapContext): Mapped<OrderChangedV1> => {
  const warnings: string[] = [];
  const currency = readCurrency(wire.currency, 'currency');
  const read = partReader(currency, wire.pricesIncludeTax, warnings);

  const taxesOf = (stated: CustomStoreOrder['lines'][number]['taxes'], path: string): OrderTax[] =>
    stated.map((tax, index) => ({
      key: tax.key,
      title: tax.title,
      ...present({ ratePercent: tax.ratePercent }),
      compound: tax.compound ?? false,
      amount: read.exact(tax.amount, `${path}.taxes[${index}].amount`),
    }));
  const lines = wire.lines.map((line, index): OrderLine => {
    const path = `lines[${index}]`;
    const taxes = taxesOf(line.taxes, path);
    return {
      id: line.id,
      ...present({ sku: line.sku?.trim(), productId: line.productId, variantId: line.variantId }),
      title: line.title,
      quantity: line.quantity,
      ...read.line(line, taxes.map(amountOf), line.taxes, path),
      taxes,
      kind: line.kind ?? 'unknown',
      gift: line.gift ?? false,
      attributes: line.attributes ?? [],
      ...present({
        weightG: line.weightG,
        hsCode: line.hsCode,
        originCountry: line.originCountry,
        availableAt: utcIfAny(line.availableAt),
      }),
    };
  });
  const charges = (wire.charges ?? []).map((charge, index): OrderCharge => {
    const path = `charges[${index}]`;
    const taxes = taxesOf(charge.taxes, path);
    const total = read.charge(charge.total, taxes.map(amountOf), path);
    if (charge.kind !== 'fee' && total.minor < 0) {
      throw new UnreadableOrder(`${path}.total`, `is below zero, which only a fee may be`);
    }
    return {
      id: charge.id,
      kind: charge.kind,
      ...present({ method: charge.method }),
      title: charge.title,
      total,
      taxes,
    };
  });

  const total = read.exact(wire.total, 'total');
  const partOf = (part: RefundedPart, path: string) => {
    const taxes = taxesOf(part.taxes, path);
    const total = read.charge(part.total, taxes.map(amountOf), path);
    if (total.minor < 0 || taxes.some(({ amount }) => amount.minor < 0)) {
      throw new UnreadableOrder(`${path}.taxes`, 'are below zero, or more than the part costs');
    }
    return { total, taxes };
  };
  const refunds = (wire.refunds ?? []).map((refund, index): OrderRefund => {
    const path = `refunds[${index}]`;
    return {
      id: refund.id,
      ...present({ reason: refund.reason, refundedAt: utcIfAny(refund.refundedAt) }),
      total: read.exact(refund.total, `${path}.total`),
      ...(refund.payment && { payment: present(refund.payment) }),
      ...present({
        lines: refund.lines?.map(({ lineId, quantity, restock, ...part }, at) => ({
          lineId: idIn(lines, lineId, `${path}.lines[${at}].lineId`),
          quantity,
          ...partOf(part, `${path}.lines[${at}]`),
          ...present({ restock }),
        })),
        charges: refund.charges?.map(({ chargeId, ...part }, at) => ({
          chargeId: idIn(charges, chargeId, `${path}.charges[${at}].chargeId`),
          ...partOf(part, `${path}.charges[${at}]`),
        })),
      }),
    };
  });
  if (looksLikeSeconds(wire.version)) {
    warnings.push('version looks like a time in seconds: two changes within a second would share it');
  }

  const content: Omit<OrderChangedV1, 'sourceVersion' | 'contentHash'> = {
    source: connection,
    orderId: wire.id,
    orderNumber: wire.number || wire.id,
    placedAt: utc(wire.placedAt),
    status: wire.status,
    sourceStatus: wire.sourceStatus || wire.status,
    test: wire.test ?? false,
    ...present({ channel: wire.channel }),
    currency,
    ...present({ presentment: presentmentOf(wire, warnings) }),
    pricesIncludeTax: wire.pricesIncludeTax,
    lines,
    charges,
    discounts: (wire.discounts ?? []).map(({ code, amount }, index) => ({
      code,
      amount: read.exact(amount, `discounts[${index}].amount`),
    })),
    giftCards: (wire.giftCards ?? []).map(({ id, amount }, index) => ({
      id,
      amount: read.exact(amount, `giftCards[${index}].amount`),
    })),
    ...restOf(total, [...lines, ...charges].map(taxed)),
    total,
    payment: paymentOf(wire, total, refunds.map(totalOf)),
    ...present({ payments: capturesOf(wire) }),
    refunds,
    buyer: buyerOf(wire.buyer),
    ...present({
      billing: address(wire.billing),
      shipping: address(wire.shipping),
      buyerNote: wire.buyerNote,
    }),
    attributes: wire.attributes ?? [],
    ...present({ requestedDelivery: wire.requestedDelivery, adminUrl: wire.adminUrl }),
  };
  const value = { ...content, sourceVersion: wire.version, contentHash: stableHash(content) };
  // The consumer would park it for the same reason, minutes later; here the sender's developer sees it at once.
  mustAddUp(value, 'total');
  mustAddUp(inBuyerCurrency(value), 'presentment.total');
  return { value, warnings };
};

type RefundedPart = Pick<CustomStoreOrder['lines'][number], 'total' | 'taxes'>;

/** @throws UnreadableOrder a refund of what was never sold */
const idIn = (parts: readonly { readonly id: string }[], id: string, path: string): string => {
  if (parts.some((part) => part.id === id)) return id;
  throw new UnreadableOrder(path, 'is the id of nothing in this order');
};

/** Seconds since 1970 in this century and the next two; no counter of one order's changes gets there. */
const looksLikeSeconds = (version: number): boolean => version >= 1e9 && version < 1e10;

// --- buyer's currency -------------------------------------------------------------------------------------

/** undefined where the buyer saw the shop's own currency. */
const presentmentOf = (wire: CustomStoreOrder, warnings: string[]): Presentment | undefined => {
  const stated = wire.presentment;
  if (!stated || stated.currency === wire.currency) return undefined;
  const currency = readCurrency(stated.currency, 'presentment.currency');
  const read = partReader(currency, wire.pricesIncludeTax, warnings);
  const total = read.exact(stated.total, 'presentment.total');
  const whole = { currency, total, rate: stated.rate };

  const LISTS = ['lines', 'charges', 'discounts', 'giftCards', 'refunds'] as const;
  if (LISTS.every((name) => !stated[name])) return whole;
  for (const name of LISTS) {
    const [own, of] = [stated[name]?.length ?? 0, wire[name]?.length ?? 0];
    if (own !== of) throw new UnreadableOrder(`presentment.${name}`, `has ${own} entries, ${name} has ${of}`);
  }
  const exactly = (list: readonly string[] | null | undefined, path: string): Money[] =>
    (list ?? []).map((amount, index) => read.exact(amount, `${path}[${index}]`));
  const taxes = (list: readonly string[], of: readonly StatedRate[] | undefined, path: string): Money[] => {
    if (list.length === of?.length) return exactly(list, path);
    throw new UnreadableOrder(path, `has ${list.length} entries, the order ${of?.length ?? 0}`);
  };
  const lines = (stated.lines ?? []).map((line, index) => {
    const path = `presentment.lines[${index}]`;
    const rates = wire.lines[index]?.taxes ?? [];
    const amounts = taxes(line.taxes, rates, `${path}.taxes`);
    return { ...read.line(line, amounts, rates, path), taxes: amounts };
  });
  const charges = (stated.charges ?? []).map((charge, index) => {
    const path = `presentment.charges[${index}]`;
    const amounts = taxes(charge.taxes, wire.charges?.[index]?.taxes, `${path}.taxes`);
    return { total: read.charge(charge.total, amounts, path), taxes: amounts };
  });
  return {
    ...whole,
    lines,
    charges,
    discounts: exactly(stated.discounts, 'presentment.discounts'),
    giftCards: exactly(stated.giftCards, 'presentment.giftCards'),
    refunds: exactly(stated.refunds, 'presentment.refunds'),
    ...restOf(total, [...lines, ...charges]),
  };
};

const amountOf = ({ amount }: { readonly amount: Money }): Money => amount;
const totalOf = ({ total }: { readonly total: Money }): Money => total;
const taxed = ({ total, taxes }: OrderLine | OrderCharge): TaxedPart => ({
  total,
  taxes: taxes.map(amountOf),
});

// --- payment -----------------------------------------------------------------------------------------------

const capturesOf = ({ payment, currency }: CustomStoreOrder): OrderChangedV1['payments'] =>
  payment.captures?.map(({ id, amount, method, reference, fee, feeCurrency, paidAt }, index) => {
    const path = `payment.captures[${index}]`;
    const feeIn = feeCurrency ? readCurrency(feeCurrency, `${path}.feeCurrency`) : currency;
    return {
      id,
      amount: amountReader(currency, []).exact(amount, `${path}.amount`),
      method: method || payment.method,
      ...present({
        reference,
        fee: fee ? amountReader(feeIn, []).exact(fee, `${path}.fee`) : undefined,
        paidAt: utcIfAny(paidAt),
      }),
    };
  });

const paymentOf = (
  { payment, currency }: CustomStoreOrder,
  total: Money,
  refunds: readonly Money[],
): OrderChangedV1['payment'] => {
  const { state, kind, method, title, reference, fee, feeCurrency, paidAt } = payment;
  // "free" counts as paid: an order that costs money must not get through by it.
  if (kind === 'free' && total.minor !== 0) {
    throw new UnreadableOrder('payment.kind', `is "free", but the order costs ${moneyText(total)}`);
  }
  const refunded = sum(total.currency, refunds).minor;
  const feeIn = feeCurrency ? readCurrency(feeCurrency, 'payment.feeCurrency') : currency;
  return {
    state:
      state !== 'paid' || refunded === 0 ? state : refunded < total.minor ? 'partially-refunded' : 'refunded',
    kind,
    method,
    ...present({
      title,
      reference,
      fee: fee ? amountReader(feeIn, []).exact(fee, 'payment.fee') : undefined,
      paidAt: utcIfAny(paidAt),
    }),
  };
};

// --- people ------------------------------------------------------------------------------------------------

const buyerOf = (buyer: CustomStoreOrder['buyer']): OrderChangedV1['buyer'] => ({
  ...present({
    id: buyer.id,
    email: buyer.email?.trim().toLowerCase(),
    phone: buyer.phone?.trim(),
    name: nameOf(buyer),
    company: buyer.company?.trim(),
    taxNumber: buyer.taxNumber?.trim(),
    locale: buyer.locale,
  }),
  masked: false,
});

const address = (stated: CustomStoreOrder['billing']): OrderAddress | undefined => {
  if (!stated) return undefined;
  const { firstName: _first, lastName: _last, ...rest } = stated;
  const trimmed = Object.fromEntries(Object.entries(rest).map(([field, text]) => [field, text?.trim()]));
  const value: OrderAddress = present({ ...trimmed, name: nameOf(stated) });
  return Object.keys(value).length > 0 ? value : undefined;
};

interface Named {
  readonly name?: string | null | undefined;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
}

const nameOf = ({ name, firstName, lastName }: Named): string | undefined =>
  name?.trim() || personName(firstName ?? undefined, lastName ?? undefined);

// --- shapes ------------------------------------------------------------------------------------------------

/** The schema has seen to it that it is a time. */
const utc = (time: string): string => utcMoment(time) ?? time;
const utcIfAny = (time: string | null | undefined): string | undefined => (time ? utc(time) : undefined);

/** Without what is absent, null or empty. */
const present = <T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  optionals(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
