import * as z from 'zod';
import { CredentialsError } from '../../core/errors.ts';
import type { CallContext, Clock } from '../../core/ports.ts';
import { type FetchJsonResponse, fetchJson, statusError } from '../../http/fetch-json.ts';
import { jsonOf, problems } from '../../http/json.ts';
import { peerClock } from '../../http/peer-clock.ts';
import { readAnswer } from '../../http/read-answer.ts';
import type { CustomStoreCredentials, CustomStoreSettings } from './manifest.ts';
import { CustomStoreError, CustomStoreOrder, CustomStorePage, PROBLEMS_TOLD } from './wire.ts';

export interface CustomStoreClientOptions {
  readonly settings: CustomStoreSettings;
  readonly credentials: Pick<CustomStoreCredentials, 'apiToken'>;
  readonly nowMs: Clock;
  /** Longest one call may take. Default 30 seconds: serverless stores start cold. */
  readonly deadlineMs?: number;
  /** Longest answer that is read. Default 8 MiB: a hundred long orders. */
  readonly maxBytes?: number;
}

/** An order that breaks the contract is told with what is wrong, and hides no other. */
export type OrderRead =
  | { readonly kind: 'order'; readonly order: CustomStoreOrder }
  | { readonly kind: 'unreadable'; readonly id: string | undefined; readonly reason: string };

export interface OrderPage {
  readonly orders: readonly OrderRead[];
  /** For the next page; undefined: this was the last. */
  readonly nextCursor: string | undefined;
}

/**
 * The reads that a custom store offers. Nothing is retried.
 *
 * Every method throws CredentialsError (401, 403, or no token in the credentials) or RetryableError (everything
 * else: 429 and 5xx with the store's hint, answers that are not as agreed, time-outs) and nothing else.
 */
export interface CustomStoreClient {
  /** undefined: the store says that there is no such order. */
  order(id: string, call: CallContext): Promise<OrderRead | undefined>;
  /** Orders that changed at or after a moment, by `updatedAt` and id, ascending; a hundred a page. */
  changedSince(sinceMs: number, cursor: string | undefined, call: CallContext): Promise<OrderPage>;
  /** The store's clock, as the header `Date` of an answer states it. */
  clock(call: CallContext): Promise<number>;
}

const DEFAULT_DEADLINE_MS = 30_000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
const PER_PAGE = 100;

export const customStoreClient = (options: CustomStoreClientOptions): CustomStoreClient => {
  const { settings, credentials, nowMs } = options;
  const { deadlineMs = DEFAULT_DEADLINE_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
  const peer = new URL(settings.url).host;

  const get = async (path: string, { signal }: CallContext): Promise<FetchJsonResponse> => {
    if (!credentials.apiToken) {
      throw new CredentialsError('CREDENTIALS_MISSING', 'the connection has no apiToken');
    }
    const headers = { accept: 'application/json', authorization: `Bearer ${credentials.apiToken}` };
    const url = `${settings.url}${path}`;
    const response = await fetchJson({ url, headers, signal, deadlineMs, maxBytes, write: false });
    const error = statusError(response, { peer, write: false, nowMs: nowMs() });
    if (error) throw error;
    return response;
  };

  return {
    order: async (id, call) => {
      const response = await get(`/orders/${encodeURIComponent(id)}`, call);
      const errorCode = errorCodeOf(response);
      // Any other 404 says that the address is wrong, and nothing about the order.
      if (response.status === 404 && errorCode === 'order_not_found') return undefined;
      // Whatever else has another id, or none, was not said by the store about this order.
      return orderRead(readAnswer(response, z.looseObject({ id: z.literal(id) }), { peer, errorCode }));
    },
    changedSince: async (sinceMs, cursor, call) => {
      const query = new URLSearchParams({
        updatedSince: new Date(sinceMs).toISOString(),
        limit: String(PER_PAGE),
        ...(cursor !== undefined && { cursor }),
      });
      const response = await get(`/orders?${query}`, call);
      const page = readAnswer(response, CustomStorePage, { peer, errorCode: errorCodeOf(response) });
      return { orders: page.data.map(orderRead), nextCursor: page.nextCursor ?? undefined };
    },
    clock: async (call) => {
      const query = new URLSearchParams({ updatedSince: new Date(nowMs()).toISOString(), limit: '1' });
      return peerClock(await get(`/orders?${query}`, call), peer);
    },
  };
};

const orderRead = (told: unknown): OrderRead => {
  const { success, data: order, error } = CustomStoreOrder.safeParse(told);
  return success
    ? { kind: 'order', order }
    : { kind: 'unreadable', id: idOf(told), reason: problems(error, PROBLEMS_TOLD) };
};

const errorCodeOf = ({ status, text }: FetchJsonResponse): string | undefined =>
  status === 200 ? undefined : CustomStoreError.safeParse(jsonOf(text)).data?.code;

const idOf = (order: unknown): string | undefined => {
  const { id } = (order ?? {}) as { readonly id?: unknown };
  return typeof id === 'string' ? id : undefined;
};
