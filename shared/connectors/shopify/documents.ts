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

const LINES_PER_PAGE = 20;
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
  cost: 710,
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
    lineItems(first: ${LINES_PER_PAGE}) { ...Lines }
  }
}
${LINE}
${ADDRESS}
${TAX}
${BAG}`,
};

/** The lines after a cursor. */
export const ORDER_LINES: Document = {
  cost: 502,
  text: `query OrderLines($id: ID!, $after: String!) {
  order(id: $id) { updatedAt lineItems(first: ${LINES_PER_PAGE}, after: $after) { ...Lines } }
}
${LINE}
${TAX}
${BAG}`,
};

/** More than so many refunds, or lines of one refund, are not read: the order is refused instead of cut. */
export const MAX_REFUNDS = 10;

/** Only for orders that gave something back. */
export const ORDER_REFUNDS: Document = {
  cost: 931,
  text: `query OrderRefunds($id: ID!) {
  order(id: $id) {
    updatedAt
    refunds(first: ${MAX_REFUNDS}) {
      id note
      refundLineItems(first: 35) { pageInfo { hasNextPage } nodes { quantity lineItem { id } } }
      refundShippingLines(first: 1) { nodes { subtotalAmountSet { ...Bag } } }
      transactions(first: 4) { pageInfo { hasNextPage } nodes { id kind status gateway amountSet { ...Bag } } }
    }
  }
}
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

export const DOCUMENTS = { ORDER, ORDER_LINES, ORDER_REFUNDS, ORDER_FULFILMENT, CHANGED_ORDERS };
