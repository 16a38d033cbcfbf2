import Big from 'big.js';
import * as z from 'zod';
import type { Mapped } from '../../../shared/connectors/contract.ts';
import { stableHash } from '../../../shared/core/content-hash.ts';
import { add, type Money, subtract, sum, zero } from '../../../shared/core/money.ts';
import { optionals } from '../../../shared/core/optionals.ts';
import { amountReader, readCurrency, UnreadableOrder } from '../../../shared/core/read-amounts.ts';
import {
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
} from '../../../shared/core/wire-schema.ts';
import type { OrderChangedV1, OrderTax } from '../../../shared/events/order-changed.ts';
import type { MarketplaceSettings } from './manifest.ts';

export const MpOrder = z.object({
  order_sn: RequiredId,
  currency: RequiredText,
  order_status: RequiredText,
  cod: Flag,
  create_time: Quantity,
  update_time: Quantity,
  pay_time: Decimal,
  total_amount: Decimal,
  actual_shipping_fee: Decimal,
  voucher_from_platform: Decimal,
  payment_method: Text,
  message_to_seller: Text,
  buyer_user_id: Id,
  shipping_carrier: Text,
  recipient_address: Part({ city: Text, zipcode: Text, region: Text }),
  item_list: RequiredList(
    z.object({
      order_item_id: RequiredId,
      item_name: Text,
      model_sku: Text,
      model_quantity_purchased: Quantity,
      model_original_price: Decimal,
      model_discounted_price: Decimal,
    }),
  ),
  package_list: List(z.object({ tracking_number: Text })),
});
export type MpOrder = z.infer<typeof MpOrder>;

/** What the platform keeps; known when the order is complete. */
export const MpIncome = z.object({ commission_fee: Decimal, seller_transaction_fee: Decimal });
export type MpIncome = z.infer<typeof MpIncome>;

const STATUS: Readonly<Record<string, OrderChangedV1['status']>> = {
  UNPAID: 'pending',
  READY_TO_SHIP: 'open',
  PROCESSED: 'open',
  SHIPPED: 'completed',
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
};

/** @throws UnreadableOrder */
export const toOrder = (
  wire: MpOrder,
  income: MpIncome | undefined,
  { connection, settings }: { readonly connection: string; readonly settings: MarketplaceSettings },
): Mapped<OrderChangedV1> => {
  const warnings: string[] = [];
  const currency = readCurrency(wire.currency, 'currency');
  const { exact, rounded, optional } = amountReader(currency, warnings);
  const { title, percent } = settings.includedTax;
  const withoutTax = ({ minor }: Money): Money => ({
    minor: new Big(minor).div(new Big(percent).div(100).plus(1)).round(0, Big.roundHalfUp).toNumber(),
    currency,
  });
  const taxIn = (gross: Money): OrderTax[] => [
    {
      key: 'included',
      title,
      ratePercent: percent,
      compound: false,
      amount: subtract(gross, withoutTax(gross)),
    },
  ];

  const lines = wire.item_list.map((item, index): OrderChangedV1['lines'][number] => {
    const path = `item_list[${index}]`;
    const quantity = item.model_quantity_purchased;
    if (!(quantity > 0)) throw new UnreadableOrder(`${path}.model_quantity_purchased`, 'is not positive');
    const times = (decimal: string | undefined, field: string): Money => ({
      minor: rounded(decimal, `${path}.${field}`).minor * quantity,
      currency,
    });
    const paid = times(item.model_discounted_price, 'model_discounted_price');
    const before = times(item.model_original_price ?? item.model_discounted_price, 'model_original_price');
    const total = withoutTax(paid);
    const subtotal = before.minor < paid.minor ? total : withoutTax(before);
    return {
      id: item.order_item_id,
      ...optionals({ sku: item.model_sku.trim() }),
      title: item.item_name,
      quantity,
      subtotal,
      discount: subtract(subtotal, total),
      total,
      taxes: taxIn(paid),
      kind: 'unknown',
      gift: false,
      attributes: [],
    };
  });
  const shipping = optional(wire.actual_shipping_fee, 'actual_shipping_fee') ?? zero(currency);
  const charges: OrderChangedV1['charges'] = [
    {
      id: 'shipping',
      kind: 'shipping',
      ...optionals({ method: wire.shipping_carrier }),
      title: wire.shipping_carrier,
      total: withoutTax(shipping),
      taxes: taxIn(shipping),
    },
  ];
  if (wire.total_amount === undefined) throw new UnreadableOrder('total_amount', 'missing');
  const voucher = optional(wire.voucher_from_platform, 'voucher_from_platform') ?? zero(currency);
  const total = add(exact(wire.total_amount, 'total_amount'), voucher);
  const taxes = [...lines, ...charges].flatMap((part) => part.taxes.map(({ amount }) => amount));
  const parts = [...[...lines, ...charges].map((part) => part.total), ...taxes];
  const moment = (seconds: number, path: string): string => {
    if (!Number.isSafeInteger(seconds) || seconds < 1_000_000_000 || seconds > 4_000_000_000)
      throw new UnreadableOrder(path, 'is no time in seconds');
    return new Date(seconds * 1000).toISOString();
  };
  const status = STATUS[wire.order_status] ?? 'unknown';
  if (status === 'unknown') warnings.push('order_status has no row in STATUS');
  const fees = income && [income.commission_fee, income.seller_transaction_fee];
  const isPaid = wire.pay_time !== undefined;
  const tracking = wire.package_list.map(({ tracking_number: number }) => number).filter(Boolean);

  const content: Omit<OrderChangedV1, 'sourceVersion' | 'contentHash'> = {
    source: connection,
    orderId: wire.order_sn,
    orderNumber: wire.order_sn,
    placedAt: moment(wire.create_time, 'create_time'),
    status,
    sourceStatus: wire.order_status,
    test: false,
    currency,
    pricesIncludeTax: true,
    lines,
    charges,
    discounts: [],
    // The platform pays it in the buyer's place: part of the total, and no discount of the seller's.
    giftCards: voucher.minor === 0 ? [] : [{ id: 'platform-voucher', amount: voucher }],
    rounding: subtract(total, sum(currency, parts)),
    tax: sum(currency, taxes),
    total,
    payment: {
      state: isPaid ? 'paid' : 'pending',
      kind: wire.cod ? 'cash-on-delivery' : 'online',
      method: wire.payment_method,
      // What the platform keeps is no part of what the buyer pays.
      ...(fees && {
        fee: sum(
          currency,
          fees.map((fee) => optional(fee, 'order_income') ?? zero(currency)),
        ),
      }),
      ...(isPaid && { paidAt: moment(Number(wire.pay_time), 'pay_time') }),
    },
    refunds: [],
    // Name, mail and phone are masks: left out, or two buyers would become one customer.
    buyer: { ...optionals({ id: wire.buyer_user_id }), masked: true },
    shipping: optionals({
      city: wire.recipient_address.city || undefined,
      postcode: wire.recipient_address.zipcode || undefined,
      country: wire.recipient_address.region.length === 2 ? wire.recipient_address.region : undefined,
    }),
    ...optionals({ buyerNote: wire.message_to_seller || undefined }),
    attributes: tracking.map((value) => ({ name: 'Tracking number', value })),
  };
  return {
    value: {
      ...content,
      sourceVersion: Date.parse(moment(wire.update_time, 'update_time')),
      contentHash: stableHash(content),
    },
    warnings,
  };
};
