import * as z from 'zod';
import { CredentialsError, RetryableError } from '../../core/errors.ts';
import type { CallContext, Clock } from '../../core/ports.ts';
import { type FetchJsonResponse, fetchJson, statusError } from '../../http/fetch-json.ts';
import { firstProblem, jsonOf } from '../../http/json.ts';
import {
  CHANGED_ORDERS,
  type Document,
  MAX_REFUNDS,
  ORDER,
  ORDER_FULFILMENT,
  ORDER_LINES,
  REFUND,
  REFUND_LINES,
} from './documents.ts';
import {
  ChangedAnswer,
  FulfilmentAnswer,
  type GraphqlFulfilment,
  type GraphqlOrder,
  type GraphqlRefund,
  idOf,
  type LineItems,
  LinesAnswer,
  OrderAnswer,
  RefundAnswer,
  RefundLinesAnswer,
  webhookShape,
} from './graphql-order.ts';
import { manifest, type ShopifyCredentials, type ShopifySettings } from './manifest.ts';
import { ShOrder } from './wire.ts';

export interface ShopifyClientOptions {
  readonly settings: Pick<ShopifySettings, 'shop' | 'url'>;
  readonly credentials: Pick<ShopifyCredentials, 'accessToken'>;
  readonly nowMs: Clock;
  /** Longest one call may take. Default 20 seconds. */
  readonly deadlineMs?: number;
  /** Longest answer that is read. Default 8 MiB. */
  readonly maxBytes?: number;
}

/** The shop's cost bucket as its last answer stated it, for whoever decides how fast to go on. */
export interface Throttle {
  /** Points. */
  readonly maximum: number;
  readonly available: number;
  /** Points that come back each second. */
  readonly restorePerSecond: number;
}

export interface ChangedOrder {
  readonly id: string;
  readonly number: string;
  readonly updatedAtMs: number;
  readonly test: boolean;
}

export interface ChangedPage {
  /** Oldest change first. */
  readonly orders: readonly ChangedOrder[];
  /** Asks for the page after this one; undefined: there is none. */
  readonly nextCursor: string | undefined;
  readonly throttle: Throttle | undefined;
}

/**
 * Reads of one shop's GraphQL Admin API. Nothing is retried.
 *
 * Every method throws CredentialsError (401, 403, a missing scope, or no token in the credentials) or RetryableError
 * (everything else: throttled, with the time until the points are back; 5xx, a locked or frozen shop, answers that do
 * not fit, time-outs) and nothing else.
 */
export interface ShopifyClient {
  /**
   * As a webhook would carry it, with what only GraphQL says (transactions, holds and schedules). One or two calls, one
   * more for each refund, and more for many lines; an order that changes between them is a RetryableError
   * CHANGED_WHILE_READ.
   * undefined: the shop has no such order, or it is older than the app may see (60 days without `read_all_orders`).
   */
  order(
    id: string,
    call: CallContext,
  ): Promise<{ readonly order: ShOrder; readonly throttle: Throttle | undefined } | undefined>;
  /** Orders whose last change is at `sinceMs` or later, 100 a page. */
  ordersUpdatedSince(sinceMs: number, cursor: string | undefined, call: CallContext): Promise<ChangedPage>;
}

const DEFAULT_DEADLINE_MS = 20_000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

export const shopifyClient = (options: ShopifyClientOptions): ShopifyClient => {
  const {
    settings,
    credentials,
    nowMs,
    deadlineMs = DEFAULT_DEADLINE_MS,
    maxBytes = DEFAULT_MAX_BYTES,
  } = options;
  const base = settings.url ?? `https://${settings.shop}`;
  const peer = settings.shop;
  const notUnderstood = (what: string, context = {}) =>
    new RetryableError('ANSWER_NOT_UNDERSTOOD', `${peer}: ${what}`, context);

  const ask = async <T>(
    { text }: Document,
    variables: Readonly<Record<string, unknown>>,
    schema: z.ZodType<T>,
    { signal }: CallContext,
  ): Promise<{ data: T; throttle: Throttle | undefined }> => {
    if (!credentials.accessToken) {
      throw new CredentialsError('CREDENTIALS_MISSING', 'the connection has no accessToken');
    }
    const response = await fetchJson({
      url: `${base}/admin/api/${manifest.apiVersion}/graphql.json`,
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        'x-shopify-access-token': credentials.accessToken,
      },
      body: JSON.stringify({ query: text, variables }),
      signal,
      deadlineMs,
      maxBytes,
      write: false,
    });
    const answer = Answer.safeParse(jsonOf(response.text)).data;
    if (answer?.errors) throw graphqlError(answer, peer);
    const failed = statusError(response, { peer, write: false, nowMs: nowMs() });
    if (failed) throw failed;
    if (response.status !== 200 || !answer) {
      throw notUnderstood(describe(response), { status: response.status });
    }
    const data = schema.safeParse(answer.data);
    if (!data.success) throw notUnderstood(firstProblem(data.error));
    return { data: data.data, throttle: throttleOf(answer) };
  };

  return {
    order: async (id, call) => {
      const gid = { id: `gid://shopify/Order/${id}` };
      const first = await ask(ORDER, gid, OrderAnswer, call);
      const head = first.data.order;
      if (!head) return undefined;
      let { throttle } = first;

      const changed = () =>
        new RetryableError('CHANGED_WHILE_READ', `${peer}: the order changed while it was read`);
      /** One more part of the same order, as it was when the first one was read. */
      const part = async <P extends { readonly updatedAt: string }>(
        document: Document,
        variables: Readonly<Record<string, unknown>>,
        schema: z.ZodType<{ order: P | null }>,
      ): Promise<P> => {
        const answer = await ask(document, { ...gid, ...variables }, schema, call);
        throttle = answer.throttle;
        if (answer.data.order?.updatedAt !== head.updatedAt) throw changed();
        return answer.data.order;
      };
      const refundPart = async <P extends { readonly order: { readonly updatedAt: string } }>(
        document: Document,
        variables: Readonly<Record<string, unknown>>,
        schema: z.ZodType<{ refund: P | null }>,
      ): Promise<P> => {
        const answer = await ask(document, variables, schema, call);
        throttle = answer.throttle;
        if (answer.data.refund?.order.updatedAt !== head.updatedAt) throw changed();
        return answer.data.refund;
      };

      const lines: LineItems['nodes'] = [...head.lineItems.nodes];
      for (let page = head.lineItems.pageInfo; page.hasNextPage; ) {
        const { lineItems } = await part(ORDER_LINES, { after: page.endCursor }, LinesAnswer);
        lines.push(...lineItems.nodes);
        page = lineItems.pageInfo;
      }
      const isCut = head.refunds.length >= MAX_REFUNDS;
      const refunds: GraphqlRefund[] = [];
      for (const { id: refundId } of isCut ? [] : head.refunds) {
        const refund = await refundPart(REFUND, { id: refundId }, RefundAnswer);
        const { nodes } = refund.refundLineItems;
        for (let page = refund.refundLineItems.pageInfo; page.hasNextPage; ) {
          const variables = { id: refundId, after: page.endCursor };
          const { refundLineItems } = await refundPart(REFUND_LINES, variables, RefundLinesAnswer);
          nodes.push(...refundLineItems.nodes);
          page = refundLineItems.pageInfo;
        }
        refunds.push(refund);
      }
      if (isCut || refunds.some(isCutRefund)) {
        const message = `${peer}: the order has more refunds, or more in one, than can be read`;
        throw new RetryableError('ANSWER_NOT_COMPLETE', message);
      }
      const fulfilment: GraphqlFulfilment['nodes'] = isShipped(head)
        ? []
        : (await part(ORDER_FULFILMENT, {}, FulfilmentAnswer)).fulfillmentOrders.nodes;

      const order = ShOrder.safeParse(webhookShape(head, lines, refunds, fulfilment));
      if (!order.success) throw notUnderstood(firstProblem(order.error));
      return { order: order.data, throttle };
    },

    ordersUpdatedSince: async (sinceMs, cursor, call) => {
      const query = `updated_at:>='${new Date(sinceMs).toISOString()}'`;
      const { data, throttle } = await ask(
        CHANGED_ORDERS,
        { query, after: cursor ?? null },
        ChangedAnswer,
        call,
      );
      const { nodes, pageInfo } = data.orders;
      if (pageInfo.hasNextPage && !pageInfo.endCursor) throw notUnderstood('a next page without a cursor');
      return {
        orders: nodes.map(({ id, name, updatedAt, test }) => {
          const updatedAtMs = Date.parse(updatedAt);
          if (Number.isNaN(updatedAtMs)) throw notUnderstood('updatedAt holds no moment');
          return { id: idOf(id), number: name.replace(/^#/, ''), updatedAtMs, test };
        }),
        nextCursor: pageInfo.hasNextPage ? (pageInfo.endCursor ?? undefined) : undefined,
        throttle,
      };
    },
  };
};

const isShipped = ({ displayFulfillmentStatus: status, cancelledAt }: GraphqlOrder): boolean =>
  cancelledAt !== null || ['FULFILLED', 'RESTOCKED', 'FULFILLMENT_NOT_REQUIRED'].includes(status);

/** Part of a refund would be a wrong amount. */
const isCutRefund = ({ refundShippingLines, orderAdjustments, transactions }: GraphqlRefund): boolean =>
  [refundShippingLines, orderAdjustments, transactions].some(({ pageInfo }) => pageInfo.hasNextPage);

// --- answers and errors ------------------------------------------------------------------------------------

const Cost = z.object({
  requestedQueryCost: z.number(),
  throttleStatus: z.object({
    maximumAvailable: z.number(),
    currentlyAvailable: z.number(),
    restoreRate: z.number().positive(),
  }),
});

/** Errors of GraphQL are a list; those of the gateway before it (401, 402, 404, 423) a text or anything. */
const Answer = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        extensions: z.object({ code: z.string() }).optional().catch(undefined),
      }),
    )
    .nonempty()
    .optional()
    .catch(undefined),
  extensions: z.object({ cost: Cost }).optional().catch(undefined),
});
type Answer = z.infer<typeof Answer>;

const throttleOf = ({ extensions }: Answer): Throttle | undefined => {
  const status = extensions?.cost.throttleStatus;
  return (
    status && {
      maximum: status.maximumAvailable,
      available: status.currentlyAvailable,
      restorePerSecond: status.restoreRate,
    }
  );
};

/** `extensions.code` as shopify.dev, Response codes, lists them. Messages may quote what was asked: not passed on. */
const graphqlError = (answer: Answer, peer: string): RetryableError => {
  const codes = answer.errors?.map(({ extensions }) => extensions?.code ?? '') ?? [];
  if (codes.includes('THROTTLED')) {
    const cost = answer.extensions?.cost;
    const missing = cost ? cost.requestedQueryCost - cost.throttleStatus.currentlyAvailable : 0;
    const retryAfterMs = cost && Math.max(0, Math.ceil((missing / cost.throttleStatus.restoreRate) * 1000));
    const message = `${peer}: the shop's cost limit is used up`;
    return new RetryableError('RATE_LIMITED', message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }
  if (codes.includes('ACCESS_DENIED')) {
    return new CredentialsError(
      'SCOPE_MISSING',
      `${peer}: the token may not read this: scopes read_orders and read_customers are needed`,
    );
  }
  const code = codes.find((each) => /^[\w-]{1,60}$/.test(each));
  return ['INTERNAL_SERVER_ERROR', 'TIMEOUT', 'SHOP_INACTIVE'].includes(code ?? '')
    ? new RetryableError('PEER_FAILED', `${peer}: ${code}`)
    : new RetryableError('QUERY_REFUSED', `${peer}: refused the query (${code ?? 'without a code'})`);
};

/** shopify.dev, Response codes. */
const STATUS: Readonly<Record<number, string>> = {
  402: 'the shop is frozen: its bill is not paid',
  404: `there is no such shop, or API version ${manifest.apiVersion} is withdrawn`,
  423: 'the shop is locked',
  430: 'refused for security reasons',
};

const describe = ({ status, headers }: FetchJsonResponse): string => {
  if (status >= 300 && status < 400) {
    const location = headers.get('location') ?? '';
    return `redirects to ${URL.canParse(location) ? new URL(location).origin : 'elsewhere'}: correct "shop"`;
  }
  return `HTTP ${status}: ${STATUS[status] ?? 'no answer of the GraphQL API'}`;
};
