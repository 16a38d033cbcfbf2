import * as z from 'zod';
import { RetryableError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import { peerClock } from '../../http/peer-clock.ts';
import { isMissing, totalPagesOf, type WooCommerceRestOptions, wooCommerceRest } from './rest.ts';
import { WcOrder, WcProduct, WcRefund } from './wire.ts';

export type WooCommerceClientOptions = WooCommerceRestOptions;

export interface ProductPage {
  readonly products: readonly WcProduct[];
  /** Pages there are in all, from `X-WP-TotalPages`. */
  readonly totalPages: number;
}

export interface OrderPage {
  /** Unread: one that does not fit must not hide the others. */
  readonly orders: readonly unknown[];
  readonly next: OrderCursor | undefined;
}

/** The page after this one, of a list of so many. */
export interface OrderCursor {
  readonly page: number;
  readonly total: string | null;
}

/**
 * Reads of one shop's REST API v3. Nothing is retried.
 *
 * Every method throws CredentialsError (401, 403, or no key in the credentials) or RetryableError (everything
 * else: 429 and 5xx with the shop's hint, answers that are no JSON or do not fit, time-outs) and nothing else.
 */
export interface WooCommerceClient {
  /** undefined: the shop says that there is no such order (deleted for good). */
  order(id: string, call: CallContext): Promise<WcOrder | undefined>;
  /** What the refunds of an order are for, newest first. undefined: no such order. */
  refunds(orderId: string, call: CallContext): Promise<readonly WcRefund[] | undefined>;
  /**
   * Orders that changed in whole seconds, from the first second of `sinceMs` on, oldest change first, 100 a page.
   * A list that grew or shrank since the cursor was made is a RetryableError CHANGED_WHILE_READ.
   */
  changedOrders(sinceMs: number, cursor: OrderCursor | undefined, call: CallContext): Promise<OrderPage>;
  /** The shop's clock, as the header `Date` of an answer states it. */
  clock(call: CallContext): Promise<number>;
  /** By ascending id, 100 a page, counted from 1. */
  products(page: number, call: CallContext): Promise<ProductPage>;
}

const PER_PAGE = 100;

export const wooCommerceClient = (options: WooCommerceClientOptions): WooCommerceClient => {
  const { peer, get, read } = wooCommerceRest(options);

  return {
    order: async (id, call) => {
      const response = await get(`/orders/${encodeURIComponent(id)}`, call);
      return isMissing(response) ? undefined : read(response, WcOrder);
    },
    refunds: async (orderId, call) => {
      const refunds: WcRefund[] = [];
      for (let page = 1, pages = 1; page <= pages; page += 1) {
        const path = `/orders/${encodeURIComponent(orderId)}/refunds?per_page=${PER_PAGE}&page=${page}`;
        const response = await get(path, call);
        if (isMissing(response)) return undefined;
        refunds.push(...read(response, z.array(WcRefund)));
        pages = totalPagesOf(response, peer);
      }
      return refunds;
    },
    changedOrders: async (sinceMs, cursor, call) => {
      // `modified_after` leaves out the moment that it names (WP_Date_Query, `inclusive` false).
      const after = new Date(Math.floor(sinceMs / 1000) * 1000 - 1000).toISOString().slice(0, 19);
      const query = new URLSearchParams({
        modified_after: after,
        dates_are_gmt: 'true',
        orderby: 'modified',
        order: 'asc',
        per_page: String(PER_PAGE),
        page: String(cursor?.page ?? 1),
      });
      const response = await get(`/orders?${query}`, call);
      const orders = read(response, z.array(z.unknown()));
      const total = response.headers.get('x-wp-total');
      if (cursor && cursor.total !== total) {
        throw new RetryableError('CHANGED_WHILE_READ', `${peer}: orders changed while pages were turned`);
      }
      const page = cursor?.page ?? 1;
      return { orders, next: page < totalPagesOf(response, peer) ? { page: page + 1, total } : undefined };
    },
    clock: async (call) => peerClock(await get('/orders?per_page=1&_fields=id', call), peer),
    products: async (page, call) => {
      const response = await get(`/products?per_page=${PER_PAGE}&page=${page}&orderby=id&order=asc`, call);
      const products = read(response, z.array(WcProduct));
      return { products, totalPages: totalPagesOf(response, peer) };
    },
  };
};
