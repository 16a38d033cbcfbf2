import * as z from 'zod';
import { Money } from '../core/money.ts';

const text = (description: string) => z.string().meta({ description });

export const OrderTax = z.object({
  key: z.string().min(1).meta({ description: "The storefront's id of the rate; mapping tables use it" }),
  title: text('As the buyer saw it'),
  ratePercent: z.string().optional().meta({ description: 'Decimal string, e.g. "7.25"' }),
  compound: z.boolean().default(false),
  amount: Money,
});
export type OrderTax = z.infer<typeof OrderTax>;

export const OrderAttribute = z.object({ name: z.string(), value: z.string() });

export const OrderLine = z.object({
  id: text("The storefront's id of the line"),
  sku: z.string().min(1).optional().meta({ description: 'Absent when the shop has none' }),
  productId: z.string().optional(),
  variantId: z.string().optional(),
  title: text('As the buyer saw it'),
  quantity: z.number().positive().meta({ description: 'Current quantity, removed pieces not counted' }),
  subtotal: Money.meta({ description: 'Before discount, without tax, for the whole quantity' }),
  discount: Money.meta({ description: 'Zero or positive, without tax: subtotal - discount = total' }),
  total: Money.meta({ description: 'After discount, without tax' }),
  taxes: z.array(OrderTax),
  kind: z
    .enum(['goods', 'digital', 'gift-card', 'service', 'unknown'])
    .default('unknown')
    .meta({ description: 'unknown: the storefront does not say on the line' }),
  gift: z.boolean().default(false),
  attributes: z.array(OrderAttribute).default([]),
  weightG: z.number().nonnegative().optional().meta({ description: 'Grams, for the whole quantity' }),
  hsCode: z.string().optional().meta({ description: 'Customs: harmonised system code' }),
  originCountry: z.string().length(2).optional().meta({ description: 'Customs: ISO 3166-1 alpha-2' }),
  availableAt: z.iso.datetime().optional().meta({ description: 'Pre-order: not to be shipped before' }),
});
export type OrderLine = z.infer<typeof OrderLine>;

/** Shipping, fee or duty: an amount without a product. */
export const OrderCharge = z.object({
  id: z.string(),
  kind: z.enum(['shipping', 'fee', 'duty', 'tip']),
  method: z.string().optional().meta({ description: 'Shipping method or fee code; mapping tables use it' }),
  title: z.string(),
  total: Money.meta({ description: 'Without tax, after discount; a fee may be negative' }),
  taxes: z.array(OrderTax),
});
export type OrderCharge = z.infer<typeof OrderCharge>;

export const OrderAddress = z.object({
  name: z
    .string()
    .optional()
    .meta({ description: 'In the order of the script: family name first for Chinese' }),
  company: z.string().optional(),
  line1: z.string().optional(),
  line2: z.string().optional(),
  city: z.string().optional(),
  region: z.string().optional().meta({ description: "The storefront's state or province code or name" }),
  postcode: z.string().optional(),
  country: z.string().length(2).optional().meta({ description: 'ISO 3166-1 alpha-2' }),
  phone: z.string().optional(),
});
export type OrderAddress = z.infer<typeof OrderAddress>;

export const OrderRefund = z.object({
  id: z.string().min(1),
  reason: z.string().optional(),
  total: Money.meta({ description: 'Positive: what the buyer got back' }),
  refundedAt: z.iso.datetime().optional(),
  payment: z
    .object({
      method: z.string().optional().meta({ description: "The storefront's code, if not the order's" }),
      reference: z.string().optional().meta({ description: 'Refund at the payment provider' }),
    })
    .optional()
    .meta({ description: 'How the money went back. Absent: the storefront does not say' }),
  lines: z
    .array(
      z.object({
        lineId: z.string().meta({ description: 'Of lines' }),
        quantity: z.number().nonnegative().meta({ description: 'Pieces; 0: money back, nothing returned' }),
        total: Money.meta({ description: 'Positive, without tax' }),
        taxes: z.array(OrderTax),
        restock: z.boolean().optional().meta({ description: 'Absent: the storefront does not say' }),
      }),
    )
    .optional()
    .meta({
      description: 'Absent, as charges: the storefront states no parts. What parts leave over is an amount',
    }),
  charges: z
    .array(
      z.object({
        chargeId: z.string().meta({ description: 'Of charges' }),
        total: Money.meta({ description: 'Positive, without tax' }),
        taxes: z.array(OrderTax),
      }),
    )
    .optional(),
});
export type OrderRefund = z.infer<typeof OrderRefund>;

/** One capture: money that came in for an order. */
export const OrderPayment = z.object({
  id: z.string().min(1).meta({ description: "The storefront's immutable id of the capture" }),
  amount: Money.meta({ description: 'Positive: what was captured' }),
  method: z.string().meta({ description: "The storefront's code; mapping tables use it" }),
  title: z.string().optional(),
  reference: z.string().optional().meta({ description: 'Transaction id at the payment provider' }),
  fee: Money.optional().meta({ description: 'What the provider keeps' }),
  paidAt: z.iso.datetime().optional(),
});
export type OrderPayment = z.infer<typeof OrderPayment>;

const amounts = (description: string) => z.array(Money).optional().meta({ description });

/**
 * The order as the buyer sees it. Amounts stand in the order of their counterparts; a storefront that cannot state
 * all of them leaves them all out.
 */
export const Presentment = z.object({
  currency: z.string().regex(/^[A-Z]{3}$/),
  total: Money,
  rate: z.string().meta({ description: 'Units of presentment currency for one unit of currency' }),
  lines: z
    .array(z.object({ subtotal: Money, discount: Money, total: Money, taxes: z.array(Money) }))
    .optional()
    .meta({ description: 'As in lines' }),
  charges: z
    .array(z.object({ total: Money, taxes: z.array(Money) }))
    .optional()
    .meta({ description: 'As in charges' }),
  discounts: amounts('As in discounts'),
  giftCards: amounts('As in giftCards'),
  refunds: amounts('As in refunds'),
  payments: amounts('As in payments'),
  rounding: Money.optional(),
  tax: Money.optional(),
});
export type Presentment = z.infer<typeof Presentment>;

/**
 * An order changed at a storefront: a full snapshot of it as it is now. Facts only, no instruction.
 * What a consumer does depends on this and on its ledger, never on the order of arrival.
 */
export const OrderChangedV1 = z
  .object({
    source: z.string().min(1).meta({ description: 'Connection id of the storefront' }),
    orderId: z
      .string()
      .min(1)
      .meta({ description: "The storefront's immutable id, not the number shown to the buyer" }),
    orderNumber: text('What buyer and staff call it'),
    sourceVersion: z.int().meta({ description: "Storefront's updated-at, epoch milliseconds; larger wins" }),
    contentHash: text(
      'Hash of everything but the version: equal version with another hash means fetch again',
    ),
    placedAt: z.iso.datetime().meta({ description: 'UTC' }),
    status: z
      .enum(['pending', 'on-hold', 'open', 'completed', 'cancelled', 'failed', 'refunded', 'unknown'])
      .meta({ description: 'pending: the shop itself has not accepted it yet; unknown: see sourceStatus' }),
    sourceStatus: text("The storefront's own word"),
    test: z.boolean().default(false),
    channel: z
      .string()
      .optional()
      .meta({ description: 'How the order was made, e.g. checkout, rest-api, pos' }),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .meta({ description: 'Of every amount unless it says otherwise' }),
    presentment: Presentment.optional().meta({
      description: "Buyer's currency, where it differs from the shop's",
    }),
    pricesIncludeTax: z
      .boolean()
      .meta({ description: 'How the shop shows prices; amounts here never include tax' }),
    lines: z.array(OrderLine),
    charges: z.array(OrderCharge),
    discounts: z
      .array(z.object({ code: z.string(), amount: Money }))
      .meta({ description: 'For people: the amounts are already in the lines' }),
    giftCards: z
      .array(z.object({ id: z.string(), amount: Money }))
      .default([])
      .meta({ description: 'Paid with gift cards: part of total, not a discount' }),
    rounding: Money.meta({ description: 'total minus all parts: what the shop itself rounded away' }),
    tax: Money.meta({ description: "All taxes, the storefront's own sum" }),
    total: Money.meta({ description: 'What the buyer pays' }),
    payment: z.object({
      state: z.enum([
        'pending',
        'paid',
        'partially-paid',
        'refunded',
        'partially-refunded',
        'failed',
        'unknown',
      ]),
      kind: z.enum(['online', 'cash-on-delivery', 'bank-transfer', 'free', 'other']),
      method: z.string().meta({ description: "The storefront's code; mapping tables use it" }),
      title: z.string().optional(),
      reference: z.string().optional().meta({ description: 'Transaction id at the payment provider' }),
      fee: Money.optional(),
      paidAt: z.iso.datetime().optional(),
    }),
    payments: z
      .array(OrderPayment)
      .optional()
      .meta({ description: 'Every capture. Absent: the storefront states no list' }),
    refunds: z.array(OrderRefund),
    buyer: z.object({
      id: z.string().optional().meta({ description: 'Absent: a guest' }),
      email: z.string().optional(),
      phone: z.string().optional(),
      name: z.string().optional(),
      company: z.string().optional(),
      taxNumber: z.string().optional(),
      locale: z.string().optional(),
      masked: z.boolean().default(false).meta({ description: 'The platform hides the buyer (marketplaces)' }),
    }),
    billing: OrderAddress.optional(),
    shipping: OrderAddress.optional(),
    buyerNote: z.string().optional(),
    attributes: z.array(OrderAttribute).default([]),
    requestedDelivery: z.string().optional(),
    adminUrl: z.string().optional().meta({ description: 'Deep link for staff' }),
  })
  .meta({ title: 'Order changed' });
export type OrderChangedV1 = z.infer<typeof OrderChangedV1>;
