import { stableHash } from '../../core/content-hash.ts';
import { optionals } from '../../core/optionals.ts';
import { orderAddress } from '../../core/order-address.ts';
import { orderAttributes, scalar } from '../../core/order-attributes.ts';
import { personName } from '../../core/person-name.ts';
import { readCurrency, UnreadableOrder } from '../../core/read-amounts.ts';
import { utcMoment } from '../../core/utc.ts';
import type { OrderAddress, OrderChangedV1, OrderLine, OrderRefund } from '../../events/order-changed.ts';
import type { Mapped } from '../contract.ts';
import { priced } from './amounts.ts';
import type { ShopifySettings } from './manifest.ts';
import { zoned, zonedMoment } from './moment.ts';
import { hasPaidBack, paidBackBy, paymentOf, paymentsOf } from './payment.ts';
import { planOf } from './plan.ts';
import type { ShAddress, ShLineItem, ShOrder } from './wire.ts';

export interface MapContext {
  /** Connection id. */
  readonly connection: string;
  readonly settings: ShopifySettings;
  /** X-Shopify-Triggered-At: stands in for `updated_at` where that is missing. */
  readonly triggeredAt?: string | undefined;
}

/**
 * An order as Waybill states it. Pure.
 *
 * Pieces that an order edit took off are gone, pieces that were refunded are still there: the refund is stated by
 * itself. Amounts are without tax, in the shop's currency, and again in the buyer's where that is another one.
 * @throws UnreadableOrder currency, total, a refund or a date cannot be stated exactly
 */
export const toOrder = (
  wire: ShOrder,
  { connection, settings, triggeredAt }: MapContext,
): Mapped<OrderChangedV1> => {
  const warnings: string[] = [];
  const currency = readCurrency(wire.currency, 'currency');
  const plan = planOf(wire);
  const shop = priced(wire, plan, { side: 'shop_money', currency });
  warnings.push(...shop.warnings);
  const presentment = presentmentOf(wire, plan, shop, warnings);

  const lines = plan.lines.map(({ item, kept, taxLines }, index): OrderLine => {
    const { taxes, ...amounts } = at(shop.lines, index);
    const availableAt = availableAtOf(wire, item);
    return {
      id: item.id,
      ...optionals({ sku: item.sku.trim(), productId: item.product_id, variantId: item.variant_id }),
      title: item.name || item.title,
      quantity: kept,
      ...amounts,
      taxes: taxLines.map((tax, n) => ({ ...tax.facts, amount: at(taxes, n) })),
      kind: kindOf(item),
      gift: false,
      attributes: orderAttributes(pairs(item.properties), 'properties', warnings),
      ...optionals({ weightG: weightOf(item, kept), availableAt, ...customsOf(item) }),
    };
  });
  const charges = shop.charges.map(({ charge, total, taxes }) => ({
    ...charge.facts,
    total,
    taxes: charge.taxLines.map((tax, n) => ({ ...tax.facts, amount: at(taxes, n) })),
  }));

  const status = statusOf(wire);
  if (wire.fulfillment_status === 'scheduled' && lines.every(({ availableAt }) => !availableAt)) {
    warnings.push('fulfillment_status is scheduled: the date stands in the fulfilment orders only');
  }
  const placedAt = utcMoment(zoned(wire.processed_at) || zoned(wire.created_at));
  if (!placedAt) throw new UnreadableOrder('processed_at', 'holds no moment');
  const orderId = /^gid:\/\/shopify\/Order\/(\d+)$/.exec(wire.admin_graphql_api_id)?.[1] ?? wire.id;
  const { giftCards } = shop;
  const payment = paymentOf(wire, shop.total, settings, warnings);
  // Money that went back for lines that were taken off is no refund here: captures less that are what was paid.
  const isWhole = wire.refunds.every(
    (refund) => !hasPaidBack(refund) || shop.refunds.some(({ id }) => id === refund.id),
  );
  const payments = isWhole ? paymentsOf(wire, payment.method, shop.payments) : undefined;
  const refunds = shop.refunds.map((refund): OrderRefund => {
    const stated = wire.refunds.find(({ id }) => id === refund.id);
    const paidBy = stated && paidBackBy(stated, payment.method);
    return paidBy ? { ...refund, payment: paidBy } : refund;
  });

  const content: Omit<OrderChangedV1, 'sourceVersion' | 'contentHash'> = {
    source: connection,
    orderId,
    orderNumber: wire.name.replace(/^#/, '') || orderId,
    placedAt,
    status,
    sourceStatus: sourceStatusOf(wire),
    test: wire.test,
    ...optionals({ channel: wire.source_name }),
    currency,
    ...(presentment && { presentment }),
    pricesIncludeTax: wire.taxes_included,
    lines,
    charges,
    discounts: shop.discounts,
    giftCards,
    rounding: shop.rounding,
    tax: shop.tax,
    total: shop.total,
    payment,
    ...optionals({ payments }),
    refunds,
    buyer: buyerOf(wire, settings),
    ...optionals({
      billing: address(wire.billing_address, 'billing_address', warnings),
      shipping: address(wire.shipping_address, 'shipping_address', warnings),
      buyerNote: wire.note,
      requestedDelivery: noteAttribute(wire, settings.deliveryDateKeys),
    }),
    attributes: [
      ...orderAttributes(pairs(wire.note_attributes), 'note_attributes', warnings),
      ...Object.entries(
        optionals({
          po_number: wire.po_number.trim(),
          company_id: wire.company.id,
          company_location_id: wire.company.location_id,
        }),
      ).map(([name, value]) => ({ name, value })),
    ],
    adminUrl: settings.url
      ? `${settings.url}/admin/orders/${orderId}`
      : `https://admin.shopify.com/store/${settings.shop.replace('.myshopify.com', '')}/orders/${orderId}`,
  };
  const value = {
    ...content,
    sourceVersion: versionOf(wire, triggeredAt, warnings),
    contentHash: stableHash(webhookContent(content)),
  };
  return { value, warnings };
};

type Content = Omit<OrderChangedV1, 'sourceVersion' | 'contentHash'>;

/**
 * What webhook and GraphQL both say. Without it an order read again would never have the hash of its own webhook:
 * only GraphQL names transactions, so their ids, times and the part that gift cards paid.
 */
const webhookContent = ({
  giftCards: _,
  payments: _payments,
  presentment,
  payment,
  refunds,
  ...content
}: Content): unknown => {
  const { reference: _reference, paidAt: _paidAt, ...alike } = payment;
  return {
    ...content,
    payment: alike,
    refunds: refunds.map((refund) => ({ ...refund, payment: undefined })),
    presentment: presentment && { ...presentment, giftCards: undefined, payments: undefined },
  };
};

/** The list was made from the same plan: an index beyond its end is a mistake here. */
const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index];
  if (found === undefined) throw new TypeError('amounts and plan differ in length');
  return found;
};

const presentmentOf = (
  wire: ShOrder,
  plan: ReturnType<typeof planOf>,
  shop: ReturnType<typeof priced>,
  warnings: string[],
): OrderChangedV1['presentment'] => {
  if (wire.presentment_currency === '' || wire.presentment_currency === wire.currency) return undefined;
  try {
    const currency = readCurrency(wire.presentment_currency, 'presentment_currency');
    const buyer = priced(wire, plan, { side: 'presentment_money', currency }, shop);
    return {
      currency,
      total: buyer.total,
      rate: buyer.rate,
      lines: buyer.lines,
      charges: buyer.charges.map(({ total, taxes }) => ({ total, taxes })),
      discounts: buyer.discounts.map(({ amount }) => amount),
      giftCards: buyer.giftCards.map(({ amount }) => amount),
      ...optionals({ payments: buyer.payments?.filter((_, n) => (shop.payments?.[n]?.minor ?? 0) > 0) }),
      refunds: buyer.refunds.map(({ total }) => total),
      rounding: buyer.rounding,
      tax: buyer.tax,
    };
  } catch (error) {
    if (!(error instanceof UnreadableOrder)) throw error;
    warnings.push(`the buyer's currency is left out: ${error.message}`);
    return undefined;
  }
};

// --- status and time ---------------------------------------------------------------------------------------

/** Fulfilment orders that somebody may work on now. */
const WORKABLE = ['open', 'in_progress'];

const isHeld = ({ fulfillment_status, fulfillment_orders }: ShOrder): boolean => {
  const states = fulfillment_orders.map(({ status }) => status.toLowerCase());
  return states.length > 0
    ? states.includes('on_hold') && !states.some((state) => WORKABLE.includes(state))
    : fulfillment_status === 'on_hold';
};

const statusOf = (wire: ShOrder): OrderChangedV1['status'] => {
  if (wire.cancelled_at !== '') return 'cancelled';
  if (wire.financial_status === 'refunded') return 'refunded';
  if (wire.financial_status === 'voided') return 'failed';
  if (wire.fulfillment_status === 'fulfilled' || wire.closed_at !== '') return 'completed';
  return isHeld(wire) ? 'on-hold' : 'open';
};

/** Both of Shopify's words, as its admin shows them: "paid, unfulfilled". */
const sourceStatusOf = (wire: ShOrder): string =>
  [
    ...(wire.cancelled_at === '' ? [] : ['cancelled']),
    wire.financial_status || 'unknown',
    wire.fulfillment_status || 'unfulfilled',
  ].join(', ');

const versionOf = (wire: ShOrder, triggeredAt: string | undefined, warnings: string[]): number => {
  const updatedMs = Date.parse(zoned(wire.updated_at));
  if (!Number.isNaN(updatedMs)) return updatedMs;
  const triggeredMs = Date.parse(zoned(triggeredAt ?? ''));
  if (Number.isNaN(triggeredMs)) throw new UnreadableOrder('updated_at', 'holds no moment');
  warnings.push('updated_at is missing: the time of the webhook is the version');
  return triggeredMs;
};

// --- lines -------------------------------------------------------------------------------------------------

const kindOf = (item: ShLineItem): OrderLine['kind'] => {
  if (item.gift_card) return 'gift-card';
  if (item.requires_shipping === true) return 'goods';
  return item.requires_shipping === false ? 'digital' : 'unknown';
};

const weightOf = ({ grams }: ShLineItem, kept: number): number | undefined =>
  grams === undefined || Number(grams) <= 0 ? undefined : Math.round(Number(grams) * kept);

const customsOf = ({ duties }: ShLineItem): Pick<OrderLine, 'hsCode' | 'originCountry'> => {
  const origin = duties.map((duty) => duty.country_code_of_origin).find((code) => /^[A-Z]{2}$/.test(code));
  return {
    hsCode: duties.map((duty) => duty.harmonized_system_code).find(Boolean),
    originCountry: origin,
  };
};

/** From fulfilment orders that wait for their day; webhooks carry none. */
const availableAtOf = ({ fulfillment_orders }: ShOrder, item: ShLineItem): string | undefined =>
  fulfillment_orders
    .filter(({ status, line_items }) => {
      const isScheduled = status.toLowerCase() === 'scheduled';
      return isScheduled && line_items.some(({ line_item_id }) => line_item_id === item.id);
    })
    .flatMap(({ fulfill_at }) => zonedMoment(fulfill_at) ?? [])
    .sort()
    .at(-1);

// --- people ------------------------------------------------------------------------------------------------

type NameValues = ShOrder['note_attributes'];

const pairs = (list: NameValues): (readonly [string, unknown, string])[] =>
  list.map(({ name, value }) => [name, value, name]);

const noteAttribute = ({ note_attributes }: ShOrder, names: readonly string[]): string | undefined =>
  names
    .map((name) => scalar(note_attributes.find((entry) => entry.name === name)?.value)?.trim())
    .find(Boolean);

const buyerOf = (wire: ShOrder, settings: ShopifySettings): OrderChangedV1['buyer'] => {
  const { customer, billing_address: billing, shipping_address: shipping } = wire;
  return {
    ...optionals({
      id: customer.id,
      email: (wire.email || wire.contact_email || customer.email).trim().toLowerCase(),
      phone: (wire.phone || customer.phone || billing.phone).trim(),
      name:
        personName(customer.first_name, customer.last_name) ??
        personName(billing.first_name, billing.last_name) ??
        personName(shipping.first_name, shipping.last_name),
      company: billing.company.trim() || wire.company.name.trim(),
      taxNumber: noteAttribute(wire, settings.taxNumberKeys),
      locale: wire.customer_locale,
    }),
    masked: false,
  };
};

const address = (wire: ShAddress, path: string, warnings: string[]): OrderAddress | undefined =>
  orderAddress(
    {
      // Without parts, e.g. from wallets that know one name only.
      first: wire.first_name || wire.last_name ? wire.first_name : wire.name,
      last: wire.last_name,
      company: wire.company,
      line1: wire.address1,
      line2: wire.address2,
      city: wire.city,
      region: wire.province_code || wire.province,
      postcode: wire.zip,
      country: wire.country_code,
      phone: wire.phone,
    },
    `${path}.country_code`,
    warnings,
  );
