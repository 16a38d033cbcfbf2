import Big from 'big.js';
import * as z from 'zod';

/**
 * Answers of the documents in `documents.ts`, and the same order in the shape of a webhook, so that one mapper serves
 * both. Strict: an answer of another shape than asked for is no answer.
 */

const Money = z.object({ amount: z.string(), currencyCode: z.string() });
const Bag = z.object({ shopMoney: Money, presentmentMoney: Money });
type Bag = z.infer<typeof Bag>;
const Tax = z.object({ title: z.string(), rate: z.number().nullable(), priceSet: Bag });
const text = z.string().nullable();
const entity = z.object({ id: z.string() });
const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: text });
const attributes = z.array(z.object({ key: z.string(), value: text }));
const allocations = z.array(
  z.object({ allocatedAmountSet: Bag, discountApplication: z.object({ index: z.int() }) }),
);

const LineItems = z.object({
  pageInfo,
  nodes: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      title: z.string(),
      sku: text,
      quantity: z.int(),
      currentQuantity: z.int(),
      isGiftCard: z.boolean(),
      requiresShipping: z.boolean(),
      product: entity.nullable(),
      variant: entity.nullable(),
      weight: z.object({ unit: z.string(), value: z.number() }).nullable(),
      customAttributes: attributes,
      originalUnitPriceSet: Bag,
      discountAllocations: allocations,
      taxLines: z.array(Tax),
      duties: z.array(
        z.object({
          id: z.string(),
          harmonizedSystemCode: text,
          countryCodeOfOrigin: text,
          price: Bag,
          taxLines: z.array(Tax),
        }),
      ),
    }),
  ),
});
export type LineItems = z.infer<typeof LineItems>;

const Transaction = z.object({
  id: z.string(),
  kind: z.string(),
  status: z.string(),
  gateway: text,
  amountSet: Bag,
});

const Address = z.object({
  firstName: text,
  lastName: text,
  name: text,
  company: text,
  address1: text,
  address2: text,
  city: text,
  province: text,
  provinceCode: text,
  zip: text,
  countryCodeV2: text,
  phone: text,
});

export const OrderAnswer = z.object({
  order: z
    .object({
      id: z.string(),
      name: z.string(),
      test: z.boolean(),
      createdAt: z.string(),
      processedAt: z.string(),
      updatedAt: z.string(),
      cancelledAt: text,
      closedAt: text,
      currencyCode: z.string(),
      presentmentCurrencyCode: z.string(),
      taxesIncluded: z.boolean(),
      dutiesIncluded: z.boolean(),
      displayFinancialStatus: text,
      displayFulfillmentStatus: z.string(),
      paymentGatewayNames: z.array(z.string()),
      sourceName: text,
      note: text,
      poNumber: text,
      email: text,
      phone: text,
      customerLocale: text,
      customAttributes: attributes,
      totalPriceSet: Bag,
      currentTotalPriceSet: Bag,
      totalTaxSet: Bag.nullable(),
      currentTotalTaxSet: Bag,
      totalTipReceivedSet: Bag,
      originalTotalAdditionalFeesSet: Bag.nullable(),
      paymentTerms: z.object({ paymentTermsName: z.string() }).nullable(),
      customer: z
        .object({
          id: z.string(),
          firstName: text,
          lastName: text,
          defaultEmailAddress: z.object({ emailAddress: z.string() }).nullable(),
          defaultPhoneNumber: z.object({ phoneNumber: z.string() }).nullable(),
        })
        .nullable(),
      purchasingEntity: z
        .object({
          company: z.object({ id: z.string(), name: z.string() }).optional(),
          location: entity.optional(),
        })
        .nullable(),
      billingAddress: Address.nullable(),
      shippingAddress: Address.nullable(),
      discountApplications: z.object({
        nodes: z.array(
          z.object({ index: z.int(), code: z.string().optional(), title: z.string().optional() }),
        ),
      }),
      shippingLines: z.object({
        nodes: z.array(
          z.object({
            id: text,
            code: text,
            title: z.string(),
            isRemoved: z.boolean(),
            originalPriceSet: Bag,
            discountedPriceSet: Bag,
            discountAllocations: allocations,
            taxLines: z.array(Tax),
          }),
        ),
      }),
      transactions: z.array(Transaction.extend({ paymentId: text, processedAt: text })),
      refunds: z.array(entity),
      lineItems: LineItems,
    })
    .nullable(),
});
export type GraphqlOrder = NonNullable<z.infer<typeof OrderAnswer>['order']>;

const partOf = <S extends z.ZodRawShape>(shape: S) =>
  z.object({ order: z.object({ updatedAt: z.string(), ...shape }).nullable() });

export const LinesAnswer = partOf({ lineItems: LineItems });

const more = z.object({ hasNextPage: z.boolean() });
const refundPartOf = <S extends z.ZodRawShape>(shape: S) =>
  z.object({ refund: z.object({ order: z.object({ updatedAt: z.string() }), ...shape }).nullable() });
const refundLineItems = z.object({
  pageInfo,
  nodes: z.array(
    z.object({
      quantity: z.int(),
      restockType: z.string(),
      lineItem: entity,
      subtotalSet: Bag,
      totalTaxSet: Bag,
    }),
  ),
});

export const RefundAnswer = refundPartOf({
  id: z.string(),
  note: text,
  createdAt: text,
  processedAt: z.string(),
  return: entity.nullable(),
  duties: z.array(z.object({ amountSet: Bag, originalDuty: entity.nullable() })).nullable(),
  refundLineItems,
  refundShippingLines: z.object({
    pageInfo: more,
    nodes: z.array(z.object({ subtotalAmountSet: Bag, taxAmountSet: Bag })),
  }),
  orderAdjustments: z.object({ pageInfo: more, nodes: z.array(z.object({ amountSet: Bag })) }),
  transactions: z.object({ pageInfo: more, nodes: z.array(Transaction) }),
});
export type GraphqlRefund = NonNullable<z.infer<typeof RefundAnswer>['refund']>;

export const RefundLinesAnswer = refundPartOf({ refundLineItems });

export const FulfilmentAnswer = partOf({
  fulfillmentOrders: z.object({
    nodes: z.array(
      z.object({
        status: z.string(),
        fulfillAt: text,
        lineItems: z.object({ nodes: z.array(z.object({ lineItem: entity })) }),
      }),
    ),
  }),
});
export type GraphqlFulfilment = NonNullable<z.infer<typeof FulfilmentAnswer>['order']>['fulfillmentOrders'];

export const ChangedAnswer = z.object({
  orders: z.object({
    pageInfo,
    nodes: z.array(z.object({ id: z.string(), name: z.string(), updatedAt: z.string(), test: z.boolean() })),
  }),
});

/** `gid://shopify/Order/123` is order 123 everywhere else. */
export const idOf = (gid: string): string => gid.replace(/^.*\/([^/?]+)(\?.*)?$/, '$1');

/** The order as a webhook would say it, for `ShOrder` to read. */
export const webhookShape = (
  order: GraphqlOrder,
  lines: LineItems['nodes'],
  refunds: readonly GraphqlRefund[],
  fulfilment: GraphqlFulfilment['nodes'],
): unknown => ({
  id: idOf(order.id),
  admin_graphql_api_id: order.id,
  name: order.name,
  test: order.test,
  created_at: order.createdAt,
  processed_at: order.processedAt,
  updated_at: order.updatedAt,
  cancelled_at: order.cancelledAt,
  closed_at: order.closedAt,
  currency: order.currencyCode,
  presentment_currency: order.presentmentCurrencyCode,
  taxes_included: order.taxesIncluded,
  duties_included: order.dutiesIncluded,
  financial_status: order.displayFinancialStatus?.toLowerCase(),
  fulfillment_status: FULFILMENT[order.displayFulfillmentStatus],
  total_price_set: bag(order.totalPriceSet),
  current_total_price_set: bag(order.currentTotalPriceSet),
  total_tax_set: order.totalTaxSet && bag(order.totalTaxSet),
  current_total_tax_set: bag(order.currentTotalTaxSet),
  total_tip_received_set: bag(order.totalTipReceivedSet),
  original_total_additional_fees_set:
    order.originalTotalAdditionalFeesSet && bag(order.originalTotalAdditionalFeesSet),
  payment_gateway_names: order.paymentGatewayNames,
  payment_terms: order.paymentTerms && { payment_terms_name: order.paymentTerms.paymentTermsName },
  source_name: order.sourceName,
  note: order.note,
  note_attributes: pairs(order.customAttributes),
  po_number: order.poNumber,
  email: order.email,
  phone: order.phone,
  customer_locale: order.customerLocale,
  customer: order.customer && {
    id: idOf(order.customer.id),
    first_name: order.customer.firstName,
    last_name: order.customer.lastName,
    email: order.customer.defaultEmailAddress?.emailAddress,
    phone: order.customer.defaultPhoneNumber?.phoneNumber,
  },
  company: order.purchasingEntity?.company && {
    id: idOf(order.purchasingEntity.company.id),
    location_id: idOf(order.purchasingEntity.location?.id ?? ''),
    name: order.purchasingEntity.company.name,
  },
  billing_address: order.billingAddress && address(order.billingAddress),
  shipping_address: order.shippingAddress && address(order.shippingAddress),
  discount_applications: order.discountApplications.nodes.toSorted((a, b) => a.index - b.index),
  line_items: lines.map((line) => ({
    id: idOf(line.id),
    product_id: line.product && idOf(line.product.id),
    variant_id: line.variant && idOf(line.variant.id),
    sku: line.sku,
    title: line.title,
    name: line.name,
    quantity: line.quantity,
    current_quantity: line.currentQuantity,
    price_set: bag(line.originalUnitPriceSet),
    grams: line.weight && gramsOf(line.weight),
    gift_card: line.isGiftCard,
    requires_shipping: line.requiresShipping,
    properties: pairs(line.customAttributes),
    tax_lines: line.taxLines.map(tax),
    duties: line.duties.map((duty) => ({
      id: idOf(duty.id),
      harmonized_system_code: duty.harmonizedSystemCode,
      country_code_of_origin: duty.countryCodeOfOrigin,
      ...bag(duty.price),
      tax_lines: duty.taxLines.map(tax),
    })),
    discount_allocations: line.discountAllocations.map(allocation),
  })),
  shipping_lines: order.shippingLines.nodes.map((line) => ({
    id: line.id && idOf(line.id),
    code: line.code,
    title: line.title,
    is_removed: line.isRemoved,
    price_set: bag(line.originalPriceSet),
    discounted_price_set: bag(line.discountedPriceSet),
    tax_lines: line.taxLines.map(tax),
    discount_allocations: line.discountAllocations.map(allocation),
  })),
  transactions: order.transactions.map((each) => ({
    ...transaction(each),
    payment_id: each.paymentId,
    processed_at: each.processedAt,
  })),
  refunds: refunds.map((refund) => ({
    id: idOf(refund.id),
    note: refund.note,
    created_at: refund.createdAt,
    processed_at: refund.processedAt,
    return: refund.return && { id: idOf(refund.return.id) },
    refund_line_items: refund.refundLineItems.nodes.map((line) => ({
      line_item_id: idOf(line.lineItem.id),
      quantity: line.quantity,
      restock_type: line.restockType.toLowerCase(),
      subtotal_set: bag(line.subtotalSet),
      total_tax_set: bag(line.totalTaxSet),
    })),
    refund_shipping_lines: refund.refundShippingLines.nodes.map(({ subtotalAmountSet, taxAmountSet }) => ({
      subtotal_amount_set: bag(subtotalAmountSet),
      tax_amount_set: bag(taxAmountSet),
    })),
    duties: refund.duties?.map(({ amountSet, originalDuty }) => ({
      duty_id: originalDuty && idOf(originalDuty.id),
      amount_set: bag(amountSet),
    })),
    order_adjustments: refund.orderAdjustments.nodes.map(({ amountSet }) => ({ amount_set: bag(amountSet) })),
    transactions: refund.transactions.nodes.map(transaction),
  })),
  fulfillment_orders: fulfilment.map(({ status, fulfillAt, lineItems }) => ({
    status: status.toLowerCase(),
    fulfill_at: fulfillAt,
    line_items: lineItems.nodes.map(({ lineItem }) => ({ line_item_id: idOf(lineItem.id) })),
  })),
});

/** What REST calls the states that it knows; the others are "not fulfilled", null in REST. */
const FULFILMENT: Readonly<Record<string, string | undefined>> = {
  FULFILLED: 'fulfilled',
  PARTIALLY_FULFILLED: 'partial',
  RESTOCKED: 'restocked',
  ON_HOLD: 'on_hold',
  SCHEDULED: 'scheduled',
};

const money = ({ amount, currencyCode }: z.infer<typeof Money>) => ({ amount, currency_code: currencyCode });

const bag = ({ shopMoney, presentmentMoney }: Bag) => ({
  shop_money: money(shopMoney),
  presentment_money: money(presentmentMoney),
});

const tax = ({ title, rate, priceSet }: z.infer<typeof Tax>) => ({ title, rate, price_set: bag(priceSet) });

const allocation = ({ allocatedAmountSet, discountApplication }: z.infer<typeof allocations>[number]) => ({
  amount_set: bag(allocatedAmountSet),
  discount_application_index: discountApplication.index,
});

const transaction = ({ id, kind, status, gateway, amountSet }: z.infer<typeof Transaction>) => ({
  id: idOf(id),
  kind: kind.toLowerCase(),
  status: status.toLowerCase(),
  gateway,
  amount_set: bag(amountSet),
});

const pairs = (list: z.infer<typeof attributes>) => list.map(({ key, value }) => ({ name: key, value }));

const address = (wire: z.infer<typeof Address>) => ({
  first_name: wire.firstName,
  last_name: wire.lastName,
  name: wire.name,
  company: wire.company,
  address1: wire.address1,
  address2: wire.address2,
  city: wire.city,
  province: wire.province,
  province_code: wire.provinceCode,
  zip: wire.zip,
  country_code: wire.countryCodeV2,
  phone: wire.phone,
});

const GRAMS: Readonly<Record<string, number>> = {
  GRAMS: 1,
  KILOGRAMS: 1000,
  OUNCES: 28.349523125,
  POUNDS: 453.59237,
};

/** REST has whole grams. */
const gramsOf = ({ unit, value }: { unit: string; value: number }): number | undefined =>
  GRAMS[unit] === undefined ? undefined : new Big(value).times(GRAMS[unit]).round(0).toNumber();
