import { createHmac, randomBytes } from 'node:crypto';
import OAuth from 'oauth-1.0a';
import * as z from 'zod';
import { CredentialsError, RetryableError } from '../../core/errors.ts';
import type { CallContext, Clock } from '../../core/ports.ts';
import { type FetchJsonResponse, fetchJson, statusError } from '../../http/fetch-json.ts';
import { jsonOf } from '../../http/json.ts';
import { peerClock } from '../../http/peer-clock.ts';
import { readAnswer } from '../../http/read-answer.ts';
import type { WooCommerceCredentials, WooCommerceSettings } from './manifest.ts';
import { WcError, WcOrder, WcProduct, WcRefund } from './wire.ts';

export interface WooCommerceClientOptions {
  readonly settings: Pick<WooCommerceSettings, 'url'>;
  readonly credentials: Pick<WooCommerceCredentials, 'consumerKey' | 'consumerSecret'>;
  readonly nowMs: Clock;
  /** Longest one call may take. Default 30 seconds: shared hosting is slow. */
  readonly deadlineMs?: number;
  /** Longest answer that is read. Default 8 MiB: a hundred long products. */
  readonly maxBytes?: number;
  /** 32 characters that were never used before with this key, for OAuth. */
  readonly nonce?: () => string;
}

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

const DEFAULT_DEADLINE_MS = 30_000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
const PER_PAGE = 100;

export const wooCommerceClient = (options: WooCommerceClientOptions): WooCommerceClient => {
  const { settings, nowMs, deadlineMs = DEFAULT_DEADLINE_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
  const peer = new URL(settings.url).host;

  const get = async (path: string, { signal }: CallContext): Promise<FetchJsonResponse> => {
    const { url, headers } = authorised(`${settings.url}/wp-json/wc/v3${path}`, options);
    const response = await fetchJson({
      url,
      headers: { accept: 'application/json', ...headers },
      signal,
      deadlineMs,
      maxBytes,
      write: false,
    });
    const error = statusError(response, { peer, write: false, nowMs: nowMs() });
    if (error) throw error;
    return response;
  };

  const read = <T>(response: FetchJsonResponse, schema: z.ZodType<T>): T =>
    readAnswer(response, schema, { peer, errorCode: errorCode(response) });

  const totalPagesOf = ({ headers }: FetchJsonResponse): number => {
    const totalPages = Number(headers.get('x-wp-totalpages') ?? Number.NaN);
    if (Number.isSafeInteger(totalPages)) return totalPages;
    // Without it nobody can tell a complete listing from a cut one.
    throw new RetryableError('ANSWER_NOT_UNDERSTOOD', `${peer}: no X-WP-TotalPages header`);
  };

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
        pages = totalPagesOf(response);
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
      return { orders, next: page < totalPagesOf(response) ? { page: page + 1, total } : undefined };
    },
    clock: async (call) => peerClock(await get('/orders?per_page=1&_fields=id', call), peer),
    products: async (page, call) => {
      const response = await get(`/products?per_page=${PER_PAGE}&page=${page}&orderby=id&order=asc`, call);
      const products = read(response, z.array(WcProduct));
      return { products, totalPages: totalPagesOf(response) };
    },
  };
};

/**
 * Over https: Basic. Over plain http (this machine only) WooCommerce refuses Basic with 401 and takes OAuth
 * 1.0a without a token, parameters in the query (REST docs, Authentication; class-wc-rest-authentication.php).
 */
const authorised = (
  url: string,
  { credentials, nowMs, nonce }: WooCommerceClientOptions,
): { url: string; headers: Record<string, string> } => {
  const { consumerKey: key, consumerSecret: secret } = credentials;
  if (!key || !secret) {
    throw new CredentialsError('CREDENTIALS_MISSING', 'the connection has no consumerKey and consumerSecret');
  }
  if (url.startsWith('https:')) {
    const basic = Buffer.from(`${key}:${secret}`).toString('base64');
    return { url, headers: { authorization: `Basic ${basic}` } };
  }
  const oauth = new OAuth({
    consumer: { key, secret },
    signature_method: 'HMAC-SHA256',
    hash_function: (text, signingKey) => createHmac('sha256', signingKey).update(text).digest('base64'),
  });
  oauth.getTimeStamp = () => Math.floor(nowMs() / 1000);
  oauth.getNonce = nonce ?? (() => randomBytes(16).toString('hex'));
  const signed = new URL(url);
  for (const [name, value] of Object.entries(oauth.authorize({ url, method: 'GET' }))) {
    signed.searchParams.set(name, String(value));
  }
  return { url: signed.href, headers: {} };
};

/** WooCommerce's own 404. WordPress's (no such route: WooCommerce is off) and a proxy's say nothing about an order. */
const isMissing = (response: FetchJsonResponse): boolean =>
  response.status === 404 && (errorCode(response)?.startsWith('woocommerce_rest_') ?? false);

const errorCode = ({ text }: FetchJsonResponse): string | undefined => {
  const code = WcError.safeParse(jsonOf(text)).data?.code;
  return code !== undefined && /^[\w-]{1,80}$/.test(code) ? code : undefined;
};
