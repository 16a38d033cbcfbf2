import Big from 'big.js';
import * as z from 'zod';

/**
 * What WooCommerce sends (REST API v3, which webhooks carry too), as far as Waybill reads it.
 *
 * Liberal on purpose: versions and plug-ins differ in whether an id or an amount is a string or a number,
 * whether an absent text is "", null or missing, and PHP writes an empty object as [] and an array with gaps
 * as an object. After parsing, texts are strings ('' when absent), ids are strings (undefined when absent or
 * 0), and amounts are plain decimal strings without exponent or noise (undefined when absent).
 */

/** Optional, because zod refuses absent keys otherwise: what absence means is the transform's to say. */
const Anything = z.unknown().optional();

const scalarText = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'bigint'
      ? String(value)
      : '';

const Text = Anything.transform(scalarText);

const RequiredText = Anything.transform((value, context) => {
  const text = scalarText(value).trim();
  if (text === '') context.addIssue('missing');
  return text;
});

const Id = Anything.transform((value) => {
  const text = scalarText(value).trim();
  return text === '' || text === '0' ? undefined : text;
});

const RequiredId = Anything.transform((value, context) => {
  const text = scalarText(value).trim();
  if (text === '' || text === '0') context.addIssue('is no id');
  return text;
});

/** PHP writes floats as "1.0E-5"; JSON numbers carry noise such as 134.54999999999998. */
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?$/;
const NUMBER_DECIMALS = 8;

const Decimal = Anything.transform((value, context): string | undefined => {
  if (value === null || value === undefined || value === false) return undefined;
  if (typeof value === 'number') return new Big(value).round(NUMBER_DECIMALS, Big.roundHalfUp).toFixed();
  const text = typeof value === 'string' ? value.trim() : undefined;
  if (text === '') return undefined;
  if (text === undefined || text.length > 40 || !DECIMAL.test(text)) {
    context.addIssue('is no decimal amount');
    return undefined;
  }
  return new Big(text).toFixed();
});

const Quantity = Anything.transform((value, context) => {
  const text = scalarText(value).trim();
  const number = Number(text);
  if (text === '' || !Number.isFinite(number)) context.addIssue('is no number');
  return number;
});

const Flag = Anything.transform((value) => [true, 1, '1', 'yes', 'true'].includes(value as string));

const elements = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.values(value).filter((element) => element !== null && element !== undefined)
    : value;

/** A list that must be there, though it may be empty. */
const RequiredList = <T extends z.ZodType>(item: T) => Anything.transform(elements).pipe(z.array(item));

const List = <T extends z.ZodType>(item: T) =>
  Anything.transform((value) =>
    value === null || value === undefined || value === '' || value === false ? [] : elements(value),
  ).pipe(z.array(item));

const Part = <S extends z.ZodRawShape>(shape: S) =>
  Anything.transform((value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {},
  ).pipe(z.object(shape));

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

/**
 * JSON as WooCommerce writes it. Integers beyond 2^53 become strings instead of losing their last digits.
 * @throws SyntaxError
 */
export const parseJson = (text: string): unknown =>
  JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? context?.source
      : value,
  );

/** The first thing that does not fit: where, and what. Names fields and types, never values. */
export const firstProblem = (error: z.ZodError): string => {
  const issue = error.issues[0];
  if (!issue) return 'unknown problem';
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return `${path.replace(/^\./, '') || 'body'}: ${issue.message}`;
};
