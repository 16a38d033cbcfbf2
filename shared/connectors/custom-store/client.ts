import * as z from 'zod';
import type { CallContext } from '../../core/ports.ts';
import type { FetchJsonResponse } from '../../http/fetch-json.ts';
import { jsonOf, problems } from '../../http/json.ts';
import { peerClock } from '../../http/peer-clock.ts';
import { readAnswer } from '../../http/read-answer.ts';
import { type CustomStoreCallOptions, customStoreCall } from './calls.ts';
import { CustomStoreError, CustomStoreOrder, CustomStorePage, PROBLEMS_TOLD } from './wire.ts';

export type CustomStoreClientOptions = CustomStoreCallOptions;

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

const PER_PAGE = 100;

export const customStoreClient = (options: CustomStoreClientOptions): CustomStoreClient => {
  const { nowMs } = options;
  const peer = new URL(options.settings.url).host;
  const get = (path: string, call: CallContext) => customStoreCall(options, path, call);

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
