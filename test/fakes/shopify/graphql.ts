import { readFileSync } from 'node:fs';
import { buildSchema, type DocumentNode, execute, GraphQLError, Kind, parse, validate } from 'graphql';
import { type CostBucket, MAX_QUERY_COST, MUTATION_COST, queryCost } from './cost.ts';
import type { Inventory } from './inventory.ts';
import type { Order, OrderJson, Shop } from './shop.ts';

/** Our own part of the Admin API's schema; `test/contract/shopify-subset.ts` proves that it is one. */
export const SCHEMA_FILE = new URL('./schema.graphql', import.meta.url);
export const schema = buildSchema(readFileSync(SCHEMA_FILE, 'utf8'));
// Everything else is read from the objects below by the name of its field.
const discountType = schema.getType('DiscountApplication') as unknown as {
  resolveType: (value: unknown) => string;
};
discountType.resolveType = (value) =>
  'code' in (value as object) ? 'DiscountCodeApplication' : 'AutomaticDiscountApplication';
const purchasingType = schema.getType('PurchasingEntity') as unknown as {
  resolveType: (value: unknown) => string;
};
purchasingType.resolveType = (value) => ('company' in (value as object) ? 'PurchasingCompany' : 'Customer');

export interface GraphqlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** One POST to graphql.json: throttled by its cost, validated, executed [shopify.dev, API rate limits, Response codes]. */
export const answerGraphql = async (
  { shop, inventory }: { readonly shop: Shop; readonly inventory: Inventory },
  bucket: CostBucket,
  text: string,
): Promise<GraphqlAnswer> => {
  let request: { query?: unknown; variables?: Record<string, unknown> };
  try {
    request = JSON.parse(text) as typeof request;
  } catch {
    return { status: 400, body: { errors: 'Bad Request' } };
  }
  const refuse = (message: string, code: string, extensions = {}): GraphqlAnswer => ({
    status: 200,
    body: { errors: [{ message, extensions: { code } }], extensions },
  });
  try {
    const { document, problems } = read(String(request.query));
    if (problems.length > 0) {
      return {
        status: 200,
        body: {
          errors: problems.map(({ message }) => ({ message, extensions: { code: 'undefinedField' } })),
        },
      };
    }
    const requested = queryCost(schema, document, request.variables ?? {});
    const cost = (actual: number | null) => ({
      cost: {
        requestedQueryCost: requested,
        actualQueryCost: actual,
        throttleStatus: {
          maximumAvailable: bucket.maximum,
          currentlyAvailable: bucket.available,
          restoreRate: bucket.restorePerSecond,
        },
      },
    });
    if (requested > MAX_QUERY_COST) {
      const message = `Query cost is ${requested}, which exceeds the single query max cost limit (${MAX_QUERY_COST}).`;
      return refuse(message, 'MAX_COST_EXCEEDED', cost(null));
    }
    if (!bucket.take(requested)) return refuse('Throttled', 'THROTTLED', cost(null));
    const result = await execute({
      schema,
      document,
      rootValue: { ...root(shop, inventory), ...inventory.queries(), ...inventory.mutations() },
      variableValues: request.variables ?? {},
    });
    const actual = Math.min(requested, mutationsIn(document) * MUTATION_COST + objectsIn(result.data));
    bucket.giveBack(requested - actual);
    return { status: 200, body: { ...result, extensions: cost(actual) } };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return refuse(error.message, 'BAD_REQUEST');
  }
};

/** Programs ask the same few questions again and again. */
const questions = new Map<
  string,
  { readonly document: DocumentNode; readonly problems: readonly GraphQLError[] }
>();
const read = (text: string) => {
  const known = questions.get(text);
  if (known) return known;
  const document = parse(text);
  const question = { document, problems: validate(schema, document) };
  questions.set(text, question);
  return question;
};

const mutationsIn = (document: DocumentNode): number =>
  document.definitions.reduce(
    (sum, part) =>
      part.kind === Kind.OPERATION_DEFINITION && part.operation === 'mutation'
        ? sum + part.selectionSet.selections.length
        : sum,
    0,
  );

/** What it did cost: the objects that came. */
const objectsIn = (value: unknown): number => {
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + objectsIn(each), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Object.values(value).reduce<number>((sum, each) => sum + objectsIn(each), 0);
};

// --- resolvers ---------------------------------------------------------------------------------------------

interface Page {
  readonly first?: number;
  readonly after?: string | null;
}

const connection = <T>(all: readonly T[], { first = 50, after }: Page) => {
  const start = after ? Number(Buffer.from(after, 'base64').toString()) : 0;
  const nodes = all.slice(start, start + first);
  const end = start + nodes.length;
  return {
    nodes,
    pageInfo: {
      hasNextPage: end < all.length,
      endCursor: nodes.length > 0 ? Buffer.from(String(end)).toString('base64') : null,
    },
  };
};

/** `updated_at:>='2026-01-05T02:00:00Z'`, the only filter that is understood. */
const UPDATED_SINCE = /^updated_at:>='([^']+)'$/;

const root = (shop: Shop, inventory: Inventory) => ({
  productVariants: ({ query, ...page }: Page & { query?: string | null }) => {
    const { nodes, pageInfo } = connection(inventory.search(query), page);
    return { nodes: nodes.map((variant) => inventory.variantNode(variant)), pageInfo };
  },
  order: ({ id }: { id: string }) => {
    const order = shop.orders.get(/^gid:\/\/shopify\/Order\/(\d+)$/.exec(id)?.[1] ?? '');
    if (!/^gid:\/\/shopify\/Order\/\d+$/.test(id)) throw new GraphQLError(`Invalid global id '${id}'`);
    return order ? graphqlOrder(shop, order) : null;
  },
  orders: ({ query, sortKey, ...page }: Page & { query?: string; sortKey: string }) => {
    const since = UPDATED_SINCE.exec(query ?? '')?.[1];
    if (query && since === undefined) throw new GraphQLError('the fake shop knows no such search');
    // Changes are compared by the second, as they are stated.
    const sinceMs = Math.floor(Date.parse(since ?? '1970-01-01T00:00:00Z') / 1000) * 1000;
    const key = (order: Order) => (sortKey === 'UPDATED_AT' ? order.updatedMs : order.createdMs);
    const found = [...shop.orders.values()]
      .filter((order) => order.updatedMs >= sinceMs)
      .sort((a, b) => key(a) - key(b) || Number(a.id - b.id));
    const { nodes, pageInfo } = connection(found, page);
    return { nodes: nodes.map((order) => graphqlOrder(shop, order)), pageInfo };
  },
  refund: ({ id }: { id: string }) => {
    for (const order of shop.orders.values()) {
      const found = graphqlOrder(shop, order);
      const refund = found.refunds({ first: Number.POSITIVE_INFINITY }).find((each) => each.id === id);
      if (refund) return { ...refund, order: found };
    }
    return null;
  },
});

type Json = OrderJson;
type MoneySet = Json['total_price_set'];

/** Ids of the JSON as text; see `shopifyJson`. */
const idText = (id: string | number): string => String(id).replace(/^\D/, '');
const gid = (type: string, id: string | number) => ({ id: `gid://shopify/${type}/${idText(id)}` });

const bag = (set: MoneySet) => {
  const money = ({ amount, currency_code }: MoneySet['shop_money']) => ({
    // The Decimal scalar has no padding: "10.0".
    amount: amount.includes('.') ? amount.replace(/(\.\d+?)0+$/, '$1') : `${amount}.0`,
    currencyCode: currency_code,
  });
  return { shopMoney: money(set.shop_money), presentmentMoney: money(set.presentment_money) };
};
const utc = (iso: string): string => `${new Date(iso).toISOString().slice(0, 19)}Z`;
const maybeUtc = (iso: string | null): string | null => (iso === null ? null : utc(iso));

const taxLine = ({ title, rate, price_set }: Json['line_items'][number]['tax_lines'][number]) => ({
  title,
  rate,
  priceSet: bag(price_set),
});

const address = (json: Json['billing_address'] | null) =>
  json && {
    address1: json.address1,
    address2: json.address2,
    city: json.city,
    company: json.company,
    countryCodeV2: json.country_code,
    firstName: json.first_name,
    lastName: json.last_name,
    name: json.name,
    phone: json.phone,
    province: json.province,
    provinceCode: json.province_code,
    zip: json.zip,
  };

/** The same order as its webhook says it, under GraphQL's names. */
const graphqlOrder = (shop: Shop, order: Order) => {
  const json = shop.orderJson(order);
  const applications = json.discount_applications.map((application, index) => ({
    index,
    ...('code' in application ? { code: application.code } : { title: application.title }),
  }));
  const allocations = (list: Json['line_items'][number]['discount_allocations']) =>
    list.map(({ amount_set, discount_application_index }) => ({
      allocatedAmountSet: bag(amount_set),
      discountApplication: applications[discount_application_index],
    }));
  const lines = json.line_items.map((line) => ({
    ...gid('LineItem', line.id),
    currentQuantity: line.current_quantity,
    customAttributes: line.properties.map(({ name, value }) => ({ key: name, value })),
    discountAllocations: allocations(line.discount_allocations),
    duties: line.duties.map((duty) => ({
      ...gid('Duty', duty.id),
      countryCodeOfOrigin: duty.country_code_of_origin,
      harmonizedSystemCode: duty.harmonized_system_code,
      price: bag(duty),
      taxLines: [],
    })),
    isGiftCard: line.gift_card,
    name: line.name,
    originalUnitPriceSet: bag(line.price_set),
    product: gid('Product', line.product_id),
    quantity: line.quantity,
    requiresShipping: line.requires_shipping,
    sku: line.sku,
    taxLines: line.tax_lines.map(taxLine),
    title: line.title,
    variant: gid('ProductVariant', line.variant_id),
    weight: { unit: 'KILOGRAMS', value: line.grams / 1000 },
  }));
  const transactions = order.transactions.map((transaction) => {
    const { kind, status, gateway, payment_id, processed_at, id } = shop.transactionJson(order, transaction);
    return {
      ...gid('OrderTransaction', id),
      amountSet: bag(shop.set((side) => transaction[side], order)),
      gateway,
      kind: kind.toUpperCase(),
      paymentId: payment_id,
      processedAt: utc(processed_at),
      status: status.toUpperCase(),
    };
  });
  const open = lines.filter(
    ({ currentQuantity, requiresShipping }) => currentQuantity > 0 && requiresShipping,
  );
  return {
    ...gid('Order', json.id),
    billingAddress: address(json.billing_address),
    cancelledAt: maybeUtc(json.cancelled_at),
    closedAt: maybeUtc(json.closed_at),
    createdAt: utc(json.created_at),
    currencyCode: json.currency,
    currentTotalPriceSet: bag(json.current_total_price_set),
    currentTotalTaxSet: bag(json.current_total_tax_set),
    customAttributes: json.note_attributes.map(({ name, value }) => ({ key: name, value })),
    customer: json.customer && {
      ...gid('Customer', json.customer.id),
      firstName: json.customer.first_name,
      lastName: json.customer.last_name,
      defaultEmailAddress: json.customer.email && { emailAddress: json.customer.email },
      defaultPhoneNumber: null,
    },
    customerLocale: json.customer_locale,
    discountApplications: (page: Page) => connection(applications, page),
    displayFinancialStatus: json.financial_status.toUpperCase(),
    displayFulfillmentStatus: order.fulfilment,
    dutiesIncluded: json.duties_included,
    email: json.email || null,
    fulfillmentOrders: (page: Page) =>
      connection(
        open.length === 0
          ? []
          : [
              {
                status: FULFILMENT_ORDER[order.fulfilment],
                fulfillAt: order.spec.fulfillAt ?? utc(json.created_at),
                lineItems: (inner: Page) =>
                  connection(
                    open.map((lineItem) => ({ lineItem })),
                    inner,
                  ),
              },
            ],
        page,
      ),
    lineItems: (page: Page) => connection(lines, page),
    name: json.name,
    note: json.note,
    originalTotalAdditionalFeesSet: null,
    paymentGatewayNames: json.payment_gateway_names,
    paymentTerms: json.payment_terms && { paymentTermsName: json.payment_terms.payment_terms_name },
    phone: json.phone,
    poNumber: json.po_number,
    presentmentCurrencyCode: json.presentment_currency,
    processedAt: utc(json.processed_at),
    purchasingEntity: json.company
      ? {
          company: { ...gid('Company', json.company.id), name: order.spec.company?.name },
          location: gid('CompanyLocation', json.company.location_id),
        }
      : json.customer && { ...gid('Customer', json.customer.id) },
    refunds: ({ first = 10 }: Page) =>
      order.refunds.slice(0, first).map((refund) => {
        const told = shop.refundJson(order, refund);
        return {
          ...gid('Refund', String(refund.id)),
          createdAt: utc(told.created_at),
          duties: told.duties.map(({ duty_id, amount_set }) => ({
            amountSet: bag(amount_set),
            originalDuty: gid('Duty', duty_id),
          })),
          note: refund.note,
          orderAdjustments: (page: Page) =>
            connection(
              told.order_adjustments.map(({ amount_set }) => ({ amountSet: bag(amount_set) })),
              page,
            ),
          processedAt: utc(told.processed_at),
          refundLineItems: (page: Page) =>
            connection(
              told.refund_line_items.map((line) => ({
                lineItem: lines.find(({ id }) => id === gid('LineItem', line.line_item_id).id),
                quantity: line.quantity,
                restockType: line.restock_type.toUpperCase(),
                subtotalSet: bag(line.subtotal_set),
                totalTaxSet: bag(line.total_tax_set),
              })),
              page,
            ),
          refundShippingLines: (page: Page) =>
            connection(
              told.refund_shipping_lines.map(({ subtotal_amount_set, tax_amount_set }) => ({
                subtotalAmountSet: bag(subtotal_amount_set),
                taxAmountSet: bag(tax_amount_set),
              })),
              page,
            ),
          return: told.return && gid('Return', told.return.id),
          transactions: (page: Page) =>
            connection(
              refund.transactions.map((each) => transactions[order.transactions.indexOf(each)]),
              page,
            ),
        };
      }),
    shippingAddress: address(json.shipping_address),
    shippingLines: (page: Page) =>
      connection(
        json.shipping_lines.map((line) => ({
          ...gid('ShippingLine', line.id),
          code: line.code,
          discountAllocations: [],
          discountedPriceSet: bag(line.discounted_price_set),
          isRemoved: line.is_removed,
          originalPriceSet: bag(line.price_set),
          taxLines: line.tax_lines.map(taxLine),
          title: line.title,
        })),
        page,
      ),
    sourceName: json.source_name,
    taxesIncluded: json.taxes_included,
    test: json.test,
    totalPriceSet: bag(json.total_price_set),
    totalTaxSet: bag(json.total_tax_set),
    totalTipReceivedSet: bag(shop.set((side) => shop.totals(order, side).tip, order)),
    transactions: ({ first = 20 }: Page) => transactions.slice(0, first),
    updatedAt: utc(json.updated_at),
  };
};

const FULFILMENT_ORDER: Readonly<Record<Order['fulfilment'], string>> = {
  UNFULFILLED: 'OPEN',
  FULFILLED: 'CLOSED',
  ON_HOLD: 'ON_HOLD',
  SCHEDULED: 'SCHEDULED',
};
