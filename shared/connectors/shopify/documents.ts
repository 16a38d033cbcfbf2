/**
 * GraphQL documents of the Admin API. The number beside each is its cost, counted by the published rule (object 1,
 * scalar 0, connection: what one node costs, times `first`; shopify.dev, API rate limits) with lists of at most
 * `first` entries counted like connections: an upper bound, which a test computes again. One query may cost 1,000.
 */
export interface Document {
  readonly text: string;
  readonly cost: number;
}

const BAG = `fragment Bag on MoneyBag {
  shopMoney { amount currencyCode }
  presentmentMoney { amount currencyCode }
}`;

const TAX = `fragment Tax on TaxLine { title rate priceSet { ...Bag } }`;

/** So many that most orders need one answer, and the answer costs little. */
const FIRST_LINES = 12;
const LINES_PER_PAGE = 25;
/** An order with so many refunds is refused instead of cut: their list cannot be paged. */
export const MAX_REFUNDS = 50;
const LINE = `fragment Lines on LineItemConnection {
  pageInfo { hasNextPage endCursor }
  nodes {
    id name title sku quantity currentQuantity isGiftCard requiresShipping
    product { id }
    variant { id }
    weight { unit value }
    customAttributes { key value }
    originalUnitPriceSet { ...Bag }
    discountAllocations { allocatedAmountSet { ...Bag } discountApplication { index } }
    taxLines { ...Tax }
    duties { id harmonizedSystemCode countryCodeOfOrigin price { ...Bag } taxLines { ...Tax } }
  }
}`;

const ADDRESS = `fragment Address on MailingAddress {
  firstName lastName name company address1 address2 city province provinceCode zip countryCodeV2 phone
}`;

/** The order with its first lines. */
export const ORDER: Document = {
  cost: 560,
  text: `query Order($id: ID!) {
  order(id: $id) {
    id name test createdAt processedAt updatedAt cancelledAt closedAt
    currencyCode presentmentCurrencyCode taxesIncluded dutiesIncluded
    displayFinancialStatus displayFulfillmentStatus
    paymentGatewayNames sourceName note poNumber email phone customerLocale
    customAttributes { key value }
    totalPriceSet { ...Bag }
    currentTotalPriceSet { ...Bag }
    totalTaxSet { ...Bag }
    currentTotalTaxSet { ...Bag }
    totalTipReceivedSet { ...Bag }
    originalTotalAdditionalFeesSet { ...Bag }
    paymentTerms { paymentTermsName }
    customer {
      id firstName lastName
      defaultEmailAddress { emailAddress }
      defaultPhoneNumber { phoneNumber }
    }
    purchasingEntity { ... on PurchasingCompany { company { id name } location { id } } }
    billingAddress { ...Address }
    shippingAddress { ...Address }
    discountApplications(first: 20) {
      nodes {
        index
        ... on DiscountCodeApplication { code }
        ... on AutomaticDiscountApplication { title }
        ... on ManualDiscountApplication { title }
        ... on ScriptDiscountApplication { title }
      }
    }
    shippingLines(first: 5, includeRemovals: true) {
      nodes {
        id code title isRemoved
        originalPriceSet { ...Bag }
        discountedPriceSet { ...Bag }
        discountAllocations { allocatedAmountSet { ...Bag } discountApplication { index } }
        taxLines { ...Tax }
      }
    }
    transactions(first: 20) { id kind status gateway paymentId processedAt amountSet { ...Bag } }
    refunds(first: ${MAX_REFUNDS}) { id }
    lineItems(first: ${FIRST_LINES}) { ...Lines }
  }
}
${LINE}
${ADDRESS}
${TAX}
${BAG}`,
};

/** The lines after a cursor. */
export const ORDER_LINES: Document = {
  cost: 627,
  text: `query OrderLines($id: ID!, $after: String!) {
  order(id: $id) { updatedAt lineItems(first: ${LINES_PER_PAGE}, after: $after) { ...Lines } }
}
${LINE}
${TAX}
${BAG}`,
};

const REFUND_LINE = `fragment RefundLines on RefundLineItemConnection {
  pageInfo { hasNextPage endCursor }
  nodes { quantity restockType lineItem { id } subtotalSet { ...Bag } totalTaxSet { ...Bag } }
}`;

/** One refund with its first lines. Of its other lists more than this is refused instead of cut. */
export const REFUND: Document = {
  cost: 427,
  text: `query Refund($id: ID!) {
  refund(id: $id) {
    order { updatedAt }
    id note createdAt processedAt
    return { id }
    duties { amountSet { ...Bag } originalDuty { id } }
    refundLineItems(first: 40) { ...RefundLines }
    refundShippingLines(first: 5) { pageInfo { hasNextPage } nodes { subtotalAmountSet { ...Bag } taxAmountSet { ...Bag } } }
    orderAdjustments(first: 5) { pageInfo { hasNextPage } nodes { amountSet { ...Bag } } }
    transactions(first: 10) { pageInfo { hasNextPage } nodes { id kind status gateway amountSet { ...Bag } } }
  }
}
${REFUND_LINE}
${BAG}`,
};

/** The lines of a refund after a cursor. */
export const REFUND_LINES: Document = {
  cost: 643,
  text: `query RefundLines($id: ID!, $after: String!) {
  refund(id: $id) {
    order { updatedAt }
    refundLineItems(first: 80, after: $after) { ...RefundLines }
  }
}
${REFUND_LINE}
${BAG}`,
};

/** Only for orders that are not shipped altogether. Without a fulfilment-order scope the list is empty. */
export const ORDER_FULFILMENT: Document = {
  cost: 906,
  text: `query OrderFulfilment($id: ID!) {
  order(id: $id) {
    updatedAt
    fulfillmentOrders(first: 5) {
      nodes { status fulfillAt lineItems(first: 90) { nodes { lineItem { id } } } }
    }
  }
}`,
};

/** Orders that changed, oldest change first. */
export const CHANGED_ORDERS: Document = {
  cost: 101,
  text: `query ChangedOrders($query: String!, $after: String) {
  orders(first: 100, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id name updatedAt test }
  }
}`,
};

export const DOCUMENTS = { ORDER, ORDER_LINES, REFUND, REFUND_LINES, ORDER_FULFILMENT, CHANGED_ORDERS };
