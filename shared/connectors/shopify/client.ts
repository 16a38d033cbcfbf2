import type * as z from 'zod';
import { RetryableError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import { firstProblem } from '../../http/json.ts';
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
import { answerNotUnderstood, type ShopifyGraphqlOptions, shopifyGraphql, type Throttle } from './graphql.ts';
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
import { ShOrder } from './wire.ts';

export type ShopifyClientOptions = Omit<ShopifyGraphqlOptions, 'scopes' | 'budget' | 'pause'>;

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

export const shopifyClient = (options: ShopifyClientOptions): ShopifyClient => {
  const peer = options.settings.shop;
  const ask = shopifyGraphql({ ...options, scopes: 'read_orders and read_customers' });
  const notUnderstood = (what: string) => answerNotUnderstood(peer, what);

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
