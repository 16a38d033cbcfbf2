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

/** What WooCommerce sends (REST API v3, which webhooks carry too), as far as Waybill reads it. */

export const WcMeta = z.object({
  key: Text,
  value: Anything,
  /** Since WooCommerce 4; cleaned of tags, HTML entities left in. */
  display_key: Text,
  display_value: Anything,
});
export type WcMeta = z.infer<typeof WcMeta>;

/** Part of a line's tax. `total` is absent where the rate does not apply to the line. */
export const WcTax = z.object({ id: Id, total: Decimal });

export const WcTaxLine = z.object({
  rate_id: Id,
  rate_code: Text,
  label: Text,
  compound: Flag,
  rate_percent: Decimal,
});

export const WcLineItem = z.object({
  id: Text,
  name: Text,
  product_id: Id,
  variation_id: Id,
  quantity: Quantity,
  sku: Text,
  subtotal: Decimal,
  total: Decimal,
  total_tax: Decimal,
  taxes: List(WcTax),
  meta_data: List(WcMeta),
});
export type WcLineItem = z.infer<typeof WcLineItem>;

const charge = { id: Text, total: Decimal, total_tax: Decimal, taxes: List(WcTax) };
export const WcShippingLine = z.object({ ...charge, method_id: Text, method_title: Text });
export const WcFeeLine = z.object({ ...charge, name: Text });
export const WcCouponLine = z.object({ code: Text, discount: Decimal });
/** `total` is negative. */
export const WcOrderRefund = z.object({ id: RequiredId, reason: Text, total: Decimal });

const refunded = { total: Decimal, total_tax: Decimal, taxes: List(WcTax), meta_data: List(WcMeta) };
const WcRefundedCharge = z.object(refunded);
/**
 * What a refund is for, as `/orders/{id}/refunds` has it: amounts and pieces are negative, and the meta entry
 * `_refunded_item_id` of a part names the order's item.
 */
export const WcRefund = z.object({
  id: RequiredId,
  date_created: Text,
  date_created_gmt: Text,
  line_items: List(z.object({ ...refunded, quantity: Quantity })),
  shipping_lines: List(WcRefundedCharge),
  fee_lines: List(WcRefundedCharge),
});
export type WcRefund = z.infer<typeof WcRefund>;

/** WooCommerce Gift Cards (official extension), since 1.8: REST field `gift_cards` of an order. */
export const WcGiftCard = z.object({ id: Id, amount: Decimal });

export const WcAddress = Part({
  first_name: Text,
  last_name: Text,
  company: Text,
  address_1: Text,
  address_2: Text,
  city: Text,
  state: Text,
  postcode: Text,
  country: Text,
  phone: Text,
  email: Text,
});
export type WcAddress = z.infer<typeof WcAddress>;

export const WcOrder = z.object({
  id: RequiredId,
  parent_id: Id,
  number: Text,
  status: RequiredText,
  currency: RequiredText,
  prices_include_tax: Flag,
  /** Site-local without zone; `*_gmt` are UTC without Z. */
  date_created: Text,
  date_created_gmt: Text,
  date_modified: Text,
  date_modified_gmt: Text,
  date_paid: Text,
  date_paid_gmt: Text,
  total: Decimal,
  total_tax: Decimal,
  /** 0 for a guest. */
  customer_id: Id,
  customer_note: Text,
  created_via: Text,
  payment_method: Text,
  payment_method_title: Text,
  transaction_id: Text,
  billing: WcAddress,
  shipping: WcAddress,
  line_items: RequiredList(WcLineItem),
  tax_lines: List(WcTaxLine),
  shipping_lines: List(WcShippingLine),
  fee_lines: List(WcFeeLine),
  coupon_lines: List(WcCouponLine),
  refunds: List(WcOrderRefund),
  gift_cards: List(WcGiftCard),
  meta_data: List(WcMeta),
});
export type WcOrder = z.infer<typeof WcOrder>;

/** What every entry of a list of orders must have, whatever else is wrong with it. */
export const WcListed = WcOrder.pick({ id: true, date_modified: true, date_modified_gmt: true });

/** Products and variations; `stock_quantity` is absent while stock is not managed. */
export const WcProduct = z.object({
  id: RequiredId,
  parent_id: Id,
  name: Text,
  type: Text,
  status: Text,
  sku: Text,
  price: Decimal,
  regular_price: Decimal,
  manage_stock: Anything.transform((value) => value === true || value === 'parent'),
  stock_quantity: Decimal,
  stock_status: Text,
  date_modified_gmt: Text,
});
export type WcProduct = z.infer<typeof WcProduct>;

export const WcWebhook = z.object({ id: RequiredId, status: RequiredText, topic: Text, delivery_url: Text });

/** Any entity of which only the id matters here: customers, coupons, tax rates, what was deleted. */
export const WcEntity = z.object({ id: RequiredId });

/** How WordPress says that something went wrong, with any HTTP status, or inside a webhook. */
export const WcError = z.object({ code: z.string(), message: z.string(), data: Anything });

/** Meta data that marks an order as a test of ours. */
export const TEST_MARK = '_waybill_test';
