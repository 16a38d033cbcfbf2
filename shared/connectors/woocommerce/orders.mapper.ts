import Big from 'big.js';
import { stableHash } from '../../core/content-hash.ts';
import { add, type Money, moneyRounded, subtract, sum } from '../../core/money.ts';
import { optionals } from '../../core/optionals.ts';
import { orderAddress } from '../../core/order-address.ts';
import { orderAttributes, scalar } from '../../core/order-attributes.ts';
import { personName } from '../../core/person-name.ts';
import { amountReader, readCurrency, roundedMoney, UnreadableOrder } from '../../core/read-amounts.ts';
import type {
  OrderAddress,
  OrderChangedV1,
  OrderCharge,
  OrderLine,
  OrderTax,
} from '../../events/order-changed.ts';
import type { Mapped } from '../contract.ts';
import { decodeHtml } from './html-entities.ts';
import type { WooCommerceSettings } from './manifest.ts';
import { instant } from './moment.ts';
import { refundsOf } from './refunds.ts';
import {
  TEST_MARK,
  type WcAddress,
  type WcLineItem,
  type WcMeta,
  type WcOrder,
  type WcRefund,
} from './wire.ts';

export interface MapContext {
  /** Connection id. */
  readonly connection: string;
  readonly settings: WooCommerceSettings;
  /** All that the order names; undefined: nobody asked. */
  readonly refunds?: readonly WcRefund[] | undefined;
}

type Status = OrderChangedV1['status'];

/** Order statuses of WooCommerce itself (REST docs, order properties). */
const STATUS: Readonly<Record<string, Status>> = {
  pending: 'pending',
  'on-hold': 'on-hold',
  processing: 'open',
  completed: 'completed',
  cancelled: 'cancelled',
  failed: 'failed',
  refunded: 'refunded',
};

/** Plug-ins prefix statuses with "wc-" in some payloads, WooCommerce itself in none. */
export const plainStatus = (status: string): string => status.replace(/^wc-/, '');

/**
 * An order as Waybill states it. Pure.
 *
 * Line amounts come from subtotal, total and taxes, never from `price`, which is a float quotient. Amounts
 * without tax are what WooCommerce keeps, whether or not prices are shown with tax.
 * @throws UnreadableOrder currency, total, a refund or a date cannot be stated exactly
 */
export const toOrder = (
  wire: WcOrder,
  { connection, settings, refunds: details }: MapContext,
): Mapped<OrderChangedV1> => {
  const warnings: string[] = [];
  const currency = readCurrency(wire.currency, 'currency');
  const amounts = amountReader(currency, warnings);
  const { exact, rounded, optional } = amounts;
  const rates = new Map(wire.tax_lines.map((rate) => [rate.rate_id, rate]));

  /** Parts of `of.total_tax`, in minor units; what rounding leaves over goes to the largest part. */
  const taxesOf = (of: TaxedPart, path: string): OrderTax[] => {
    const parts = of.taxes.flatMap(({ id, total }) => (total === undefined ? [] : [{ id, total }]));
    const taxes = parts.map(({ id, total }, index): OrderTax => {
      const rate = rates.get(id);
      const percent = rate?.rate_percent;
      return {
        key: id ?? NO_RATE,
        title: decodeHtml(rate?.label || rate?.rate_code || `Tax ${id ?? ''}`.trim()),
        ...(percent !== undefined && { ratePercent: percent }),
        compound: rate?.compound ?? false,
        amount: roundedMoney(total, currency, `${path}.taxes[${index}].total`),
      };
    });
    const exactSum = parts.reduce((total, part) => total.plus(part.total), new Big(0));
    const stated = optional(of.total_tax, `${path}.total_tax`) ?? moneyRounded(exactSum, currency);
    const rest = subtract(
      stated,
      sum(
        currency,
        taxes.map(({ amount }) => amount),
      ),
    );
    if (rest.minor === 0) return taxes;
    const largest = taxes.reduce<OrderTax | undefined>(
      (most, tax) => (most && Math.abs(most.amount.minor) >= Math.abs(tax.amount.minor) ? most : tax),
      undefined,
    );
    if (!largest) {
      warnings.push(`${path}.taxes is empty though total_tax is not zero`);
      return [{ key: NO_RATE, title: 'Tax', compound: false, amount: rest }];
    }
    if (Math.abs(rest.minor) > taxes.length) warnings.push(`${path}.taxes do not add up to total_tax`);
    largest.amount = add(largest.amount, rest);
    return taxes;
  };

  const lines: OrderLine[] = [];
  const charges: OrderCharge[] = [];
  for (const [index, item] of wire.line_items.entries()) {
    const path = `line_items[${index}]`;
    const total = rounded(item.total ?? item.subtotal, `${path}.total`);
    const taxes = taxesOf(item, path);
    const id = item.id || `line-${index + 1}`;
    if (item.quantity <= 0) {
      if (total.minor === 0 && taxes.every(({ amount }) => amount.minor === 0)) {
        warnings.push(`${path} has quantity ${item.quantity} and no money: left out`);
        continue;
      }
      // Money without pieces cannot be a line; dropped, the order would no longer add up.
      warnings.push(`${path} has quantity ${item.quantity} but costs money: taken as a fee`);
      charges.push({ id, kind: 'fee', title: decodeHtml(item.name), total, taxes });
      continue;
    }
    const before = rounded(item.subtotal ?? item.total, `${path}.subtotal`);
    if (before.minor < total.minor) warnings.push(`${path}.total is above subtotal: subtotal raised`);
    const subtotal = before.minor < total.minor ? total : before;
    lines.push({
      id,
      ...optionals({ sku: item.sku.trim(), productId: item.product_id, variantId: item.variation_id }),
      title: decodeHtml(item.name),
      quantity: item.quantity,
      subtotal,
      discount: subtract(subtotal, total),
      total,
      taxes,
      kind: 'unknown',
      gift: false,
      attributes: lineAttributes(item, path, warnings),
    });
  }
  for (const [index, line] of wire.shipping_lines.entries()) {
    const path = `shipping_lines[${index}]`;
    charges.push({
      id: line.id || `shipping-${index + 1}`,
      kind: 'shipping',
      // WooCommerce before 3.4 appends the instance: "flat_rate:1".
      ...optionals({ method: line.method_id.split(':')[0] }),
      title: decodeHtml(line.method_title),
      total: rounded(line.total, `${path}.total`),
      taxes: taxesOf(line, path),
    });
  }
  for (const [index, line] of wire.fee_lines.entries()) {
    const path = `fee_lines[${index}]`;
    charges.push({
      id: line.id || `fee-${index + 1}`,
      kind: 'fee',
      title: decodeHtml(line.name),
      total: rounded(line.total, `${path}.total`),
      taxes: taxesOf(line, path),
    });
  }

  const giftCards = wire.gift_cards.map(({ id, amount }, index) => ({
    id: id ?? `gift-card-${index + 1}`,
    amount: exact(amount ?? '0', `gift_cards[${index}].amount`),
  }));
  if (wire.total === undefined) throw new UnreadableOrder('total', 'missing');
  // WooCommerce Gift Cards takes the card's amount off the order's total; here it is a way to pay.
  const total = sum(currency, [exact(wire.total, 'total'), ...giftCards.map(({ amount }) => amount)]);
  const parts = [...lines, ...charges];
  const taxes = parts.flatMap((part) => part.taxes.map(({ amount }) => amount));
  const computed = sum(currency, [...parts.map((part) => part.total), ...taxes]);
  const refunds = refundsOf(wire, details, { lines, charges, amounts, taxesOf, warnings });

  const sourceStatus = wire.status;
  const status = statusOf(sourceStatus, settings, warnings);
  const placedAt = instant(wire.date_created_gmt, wire.date_created);
  if (!placedAt) throw new UnreadableOrder('date_created_gmt', dateProblem(wire.date_created_gmt));
  const changedAt = changedAtOf(wire, placedAt, warnings);
  if (wire.parent_id) {
    warnings.push('parent_id is set: a marketplace plug-in may send the same goods in two orders');
  }

  const content: Omit<OrderChangedV1, 'sourceVersion' | 'contentHash'> = {
    source: connection,
    orderId: wire.id,
    orderNumber: wire.number || wire.id,
    placedAt,
    status,
    sourceStatus,
    test: isTest(wire.meta_data),
    ...optionals({ channel: wire.created_via }),
    currency,
    pricesIncludeTax: wire.prices_include_tax,
    lines,
    charges,
    discounts: wire.coupon_lines.map(({ code, discount }, index) => ({
      code: decodeHtml(code),
      amount: roundedMoney(discount ?? '0', currency, `coupon_lines[${index}].discount`),
    })),
    giftCards,
    rounding: subtract(total, computed),
    tax: optional(wire.total_tax, 'total_tax') ?? sum(currency, taxes),
    total,
    payment: paymentOf(wire, { status, total, refunds, warnings }),
    refunds,
    buyer: buyerOf(wire, settings),
    ...optionals({
      billing: address(wire.billing, 'billing', warnings),
      shipping: shippingAddress(wire.shipping, warnings),
      buyerNote: wire.customer_note,
    }),
    attributes: orderAttributes(
      wire.meta_data.map(({ key, value }) => [key, value, key] as const),
      'meta_data',
      warnings,
    ),
    adminUrl: `${settings.url}/wp-admin/admin.php?page=wc-orders&action=edit&id=${encodeURIComponent(wire.id)}`,
  };
  const value = { ...content, sourceVersion: Date.parse(changedAt), contentHash: stableHash(content) };
  return { value, warnings };
};

// --- amounts -----------------------------------------------------------------------------------------------

/** Tax without a rate id: the mapping table can still name it. */
const NO_RATE = 'unknown';

interface TaxedPart {
  readonly total_tax?: string | undefined;
  readonly taxes: readonly { readonly id?: string | undefined; readonly total?: string | undefined }[];
}

// --- time --------------------------------------------------------------------------------------------------

/** undefined: the order states no moment at which it changed. */
export const changedAtMs = (
  wire: Pick<WcOrder, 'date_modified' | 'date_modified_gmt'>,
): number | undefined => {
  const changedAt = instant(wire.date_modified_gmt, wire.date_modified);
  return changedAt === undefined ? undefined : Date.parse(changedAt);
};

const dateProblem = (gmt: string): string =>
  gmt.trim() === '' ? 'missing; the local time has no zone, so the moment is not known' : 'is no date';

const changedAtOf = (wire: WcOrder, placedAt: string, warnings: string[]): string => {
  const changedAt = instant(wire.date_modified_gmt, wire.date_modified);
  if (changedAt) return changedAt;
  if (wire.date_modified_gmt !== '' || wire.date_modified !== '') {
    throw new UnreadableOrder('date_modified_gmt', dateProblem(wire.date_modified_gmt));
  }
  warnings.push('date_modified_gmt is missing: the time of the order is its version');
  return placedAt;
};

// --- status and payment ------------------------------------------------------------------------------------

const statusOf = (sourceStatus: string, settings: WooCommerceSettings, warnings: string[]): Status => {
  const word = plainStatus(sourceStatus);
  const known = [settings.statuses, STATUS].find((table) => Object.hasOwn(table, word))?.[word];
  if (!known) warnings.push(`status "${sourceStatus}" is not in the connection's "statuses"`);
  return known ?? 'unknown';
};

type Payment = OrderChangedV1['payment'];

const paymentOf = (
  wire: WcOrder,
  facts: {
    readonly status: Status;
    readonly total: Money;
    readonly refunds: OrderChangedV1['refunds'];
    readonly warnings: string[];
  },
): Payment => {
  const { status, total, warnings } = facts;
  const kind = paymentKind(wire.payment_method, total);
  const paidAt = instant(wire.date_paid_gmt, wire.date_paid);
  const isPaid = paidAt !== undefined || wire.date_paid_gmt !== '' || wire.date_paid !== '';
  if (isPaid && !paidAt) warnings.push(`date_paid_gmt: ${dateProblem(wire.date_paid_gmt)}`);
  const refunded = sum(
    total.currency,
    facts.refunds.map((refund) => refund.total),
  ).minor;
  const state = ((): Payment['state'] => {
    if (status === 'refunded' || (refunded > 0 && refunded >= total.minor)) return 'refunded';
    if (refunded > 0) return 'partially-refunded';
    if (status === 'failed') return 'failed';
    if (isPaid) return 'paid';
    // WooCommerce takes processing and completed for paid; with cash on delivery they only mean accepted.
    return (status === 'open' || status === 'completed') && kind !== 'cash-on-delivery' ? 'paid' : 'pending';
  })();
  return {
    state,
    kind,
    method: wire.payment_method,
    ...optionals({
      title: decodeHtml(wire.payment_method_title),
      reference: wire.transaction_id.trim(),
      fee: providerFee(wire.meta_data),
      paidAt,
    }),
  };
};

const paymentKind = (method: string, total: Money): Payment['kind'] => {
  if (total.minor === 0) return 'free';
  if (method === 'cod') return 'cash-on-delivery';
  if (method === 'bacs' || method === 'cheque') return 'bank-transfer';
  return method === '' ? 'other' : 'online';
};

/**
 * What the payment provider kept, where its plug-in stores amount and currency: WooCommerce Stripe Gateway
 * (`_stripe_fee`, `_stripe_currency`), WooPayments (`_wcpay_transaction_fee`, `_wcpay_intent_currency`) and
 * WooCommerce PayPal Payments (`_ppcp_paypal_fees.paypal_fee`), as their sources write them.
 */
const providerFee = (meta: readonly WcMeta[]): Money | undefined => {
  const value = (key: string): unknown => meta.find((entry) => entry.key === key)?.value;
  const paypal = (
    value('_ppcp_paypal_fees') as { paypal_fee?: { value?: unknown; currency_code?: unknown } } | null
  )?.paypal_fee;
  const candidates: [unknown, unknown][] = [
    [value('_stripe_fee'), value('_stripe_currency')],
    [value('_wcpay_transaction_fee'), value('_wcpay_intent_currency')],
    [paypal?.value, paypal?.currency_code],
  ];
  for (const [amount, currency] of candidates) {
    const text = scalar(amount);
    if (!text || typeof currency !== 'string') continue;
    try {
      return moneyRounded(text, currency.toUpperCase());
    } catch {
      // Not an amount in a known currency: no fee is better than a wrong one.
    }
  }
  return undefined;
};

/** Ours, and plug-ins that say so: WooPayments `_wcpay_mode`, WooCommerce PayPal Payments `_ppcp_paypal_payment_mode`. */
const isTest = (meta: readonly WcMeta[]): boolean =>
  meta.some(
    ({ key, value }) =>
      (key === '_wcpay_mode' && value === 'test') ||
      (key === '_ppcp_paypal_payment_mode' && value === 'sandbox') ||
      key === TEST_MARK,
  );

// --- people ------------------------------------------------------------------------------------------------

const buyerOf = (wire: WcOrder, settings: WooCommerceSettings): OrderChangedV1['buyer'] => {
  const { billing } = wire;
  const taxNumber = settings.taxNumberKeys
    .map((key) => scalar(wire.meta_data.find((entry) => entry.key === key)?.value)?.trim())
    .find(Boolean);
  return {
    ...optionals({
      id: wire.customer_id,
      email: billing.email.trim().toLowerCase(),
      phone: billing.phone.trim(),
      name: personName(billing.first_name, billing.last_name),
      company: billing.company.trim(),
      taxNumber,
    }),
    masked: false,
  };
};

const address = (wire: WcAddress, path: string, warnings: string[]): OrderAddress | undefined =>
  orderAddress(
    {
      first: wire.first_name,
      last: wire.last_name,
      company: wire.company,
      line1: wire.address_1,
      line2: wire.address_2,
      city: wire.city,
      region: wire.state,
      postcode: wire.postcode,
      country: wire.country,
      phone: wire.phone,
    },
    `${path}.country`,
    warnings,
  );

/** A shop's default country without anything else is nowhere to ship to. */
const shippingAddress = (wire: WcAddress, warnings: string[]): OrderAddress | undefined => {
  const value = address(wire, 'shipping', warnings);
  return value && Object.keys(value).some((key) => key !== 'country' && key !== 'region') ? value : undefined;
};

// --- attributes --------------------------------------------------------------------------------------------

const lineAttributes = (item: WcLineItem, path: string, warnings: string[]): OrderLine['attributes'] =>
  orderAttributes(
    item.meta_data.map(({ key, value, display_key, display_value }) => [
      shown(display_key || key),
      typeof display_value === 'string' && display_value !== '' ? shown(display_value) : value,
      key,
    ]),
    `${path}.meta_data`,
    warnings,
  );

/** WooCommerce before 4 wraps display values in paragraphs and links. */
const shown = (html: string): string => decodeHtml(html.replace(/<\/?(?:p|br|a|span)\b[^>]*>/gi, '')).trim();
