import type { FastifyRequest } from 'fastify';
import { type PeerServer, startPeerServer } from '../peer-server.ts';
import { CostBucket } from './cost.ts';
import { answerGraphql } from './graphql.ts';
import { Inventory } from './inventory.ts';
import {
  type FakeExchangeSpec,
  type FakeOrderSpec,
  type FakeRefundSpec,
  type FakeShopOptions,
  type Order,
  type OrderJson,
  Shop,
  shopifyJson,
} from './shop.ts';
import { type FakeDelivery, type FakeWebhook, RETRY_DELAYS_MS, Webhooks } from './webhooks.ts';

export type { FakeAddress, FakeOrderSpec, FakeProduct, FakeRefundSpec } from './shop.ts';
export type { FakeDelivery, FakeWebhook } from './webhooks.ts';

export interface FakeShopifyOptions extends Omit<FakeShopOptions, 'nowMs' | 'shop'> {
  readonly port?: number;
  /** Default acme.myshopify.com. */
  readonly shop?: string;
  readonly apiVersion?: string;
  /** The app's client secret: signs every webhook. */
  readonly clientSecret: string;
  readonly accessToken: string;
  /** Scripted clock. Without it real time passes, and retries send themselves. */
  readonly nowMs?: () => number;
  /** Default: the documented eight, four hours in all. */
  readonly retryDelaysMs?: readonly number[];
  /** Points of the cost bucket. Default 1000, 50 a second. */
  readonly bucket?: { readonly maximum: number; readonly restorePerSecond: number };
  /** Numbers of its locations, the main one first. Default: one, 1. */
  readonly locations?: readonly string[];
}

/** An order as placed; `id` is text, because the number has 64 bits. */
export interface PlacedOrder {
  readonly id: string;
  readonly name: string;
  readonly json: OrderJson;
}

export interface FakeShopify {
  readonly url: string;
  readonly server: PeerServer;
  /** The order at once; webhooks follow in the background (wait with `settled`). */
  placeOrder(spec: FakeOrderSpec): Promise<PlacedOrder>;
  /** The pieces that each SKU has from now on; 0 takes a line off, an unknown SKU adds one. */
  edit(id: string, lines: readonly { readonly sku: string; readonly quantity: number }[]): PlacedOrder;
  cancel(id: string, reason?: 'customer' | 'inventory' | 'fraud' | 'declined' | 'other'): PlacedOrder;
  refund(id: string, spec?: FakeRefundSpec): PlacedOrder;
  /** A return whose goods are replaced by others; only the difference is paid. */
  exchange(id: string, spec: FakeExchangeSpec): PlacedOrder;
  markPaid(id: string): PlacedOrder;
  fulfil(id: string): PlacedOrder;
  /** Only `fulfillment_orders/*` say so: the order itself does not change. */
  hold(id: string): void;
  release(id: string): void;
  setNote(id: string, note: string): PlacedOrder;
  order(id: string): PlacedOrder | undefined;
  orders(): PlacedOrder[];
  /** What it sells, and how much of it there is. */
  readonly inventory: Inventory;
  /** Queries that it refused because its cost bucket was empty. */
  throttled(): number;
  /** A subscription made through the API. `secret` is the app's and cannot be chosen. */
  registerWebhook(spec: { topic: string; deliveryUrl: string }): FakeWebhook;
  readonly webhooks: readonly FakeWebhook[];
  /** Any other topic, e.g. app/uninstalled. */
  send(topic: string, body: unknown): void;
  /** Everything that was sent, in this order. */
  readonly deliveries: readonly FakeDelivery[];
  /** The same bytes and headers once more; resolves to the status answered, 0 for none. */
  redeliver(index: number): Promise<number>;
  /** Sends the retries whose time has come by the scripted clock. */
  retryDue(): Promise<void>;
  /** Retries that wait. */
  waiting(): number;
  /** Nothing is queued or under way. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** A Shopify shop: signed webhooks, and the GraphQL Admin API executed against a part of its schema. */
export const startFakeShopify = async (options: FakeShopifyOptions): Promise<FakeShopify> => {
  const nowMs = options.nowMs ?? Date.now;
  const domain = options.shop ?? 'acme.myshopify.com';
  const apiVersion = options.apiVersion ?? '2026-10';
  const shop = new Shop({ ...options, shop: domain, nowMs });
  const inventory = new Inventory(shop, options.locations ?? ['1']);
  const bucket = new CostBucket({ maximum: 1000, restorePerSecond: 50, ...options.bucket, nowMs });
  const webhooks = new Webhooks({
    shop: domain,
    apiVersion,
    secret: options.clientSecret,
    nowMs,
    retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
    ticking: options.nowMs === undefined,
  });
  const server = await startPeerServer(
    (app) => {
      app.setErrorHandler((_error, _request, reply) =>
        reply.code(500).send({ errors: 'Internal Server Error' }),
      );
      app.setNotFoundHandler((_request, reply) => reply.code(404).send({ errors: 'Not Found' }));
      app.post(`/admin/api/${apiVersion}/graphql.json`, async (request, reply) => {
        if (request.headers['x-shopify-access-token'] !== options.accessToken) {
          const errors = '[API] Invalid API key or access token (unrecognized login or wrong password)';
          return reply.code(401).send({ errors });
        }
        const { status, body } = await answerGraphql({ shop, inventory }, bucket, textOf(request));
        return reply.code(status).send(body);
      });
    },
    { ...(options.port && { port: options.port }) },
  );

  const placed = (order: Order): PlacedOrder => ({
    id: String(order.id),
    name: `#${order.number}`,
    json: shop.orderJson(order),
  });
  /** The order as it is now, under these topics, and whatever else the action says. */
  const tell = (
    order: Order,
    topics: readonly string[],
    more: readonly [string, unknown][] = [],
  ): PlacedOrder => {
    const body = shopifyJson(shop.orderJson(order));
    webhooks.fire([
      ...more.map(([topic, other]) => ({ topic, body: shopifyJson(other) })),
      ...topics.map((topic) => ({ topic, body })),
    ]);
    return placed(order);
  };
  const fulfilmentOrder = (order: Order, status: string) => ({
    fulfillment_order: { id: `gid://shopify/FulfillmentOrder/${order.number}`, status },
  });

  return {
    url: server.url,
    server,
    placeOrder: async (spec) => {
      const order = shop.place(spec);
      for (const { sku, quantity } of spec.lines) inventory.take(sku, quantity);
      const paid = order.financialStatus === 'paid' ? ['orders/paid'] : [];
      return tell(order, ['orders/create', ...paid, 'orders/updated']);
    },
    edit: (id, lines) => {
      const order = shop.require(id);
      const { additions, removals } = shop.edit(order, lines);
      const edit = {
        id: 78912328793123,
        order_id: shop.orderJson(order).id,
        line_items: { additions, removals },
      };
      return tell(order, ['orders/updated'], [['orders/edited', { order_edit: edit }]]);
    },
    cancel: (id, reason = 'customer') => {
      const order = shop.require(id);
      for (const line of order.lines) {
        inventory.take(line.product.sku, -(line.quantity - line.removed - line.refunded));
      }
      shop.cancel(order, reason);
      return tell(order, ['orders/cancelled', 'orders/updated']);
    },
    refund: (id, spec = {}) => {
      const order = shop.require(id);
      const refund = shop.refund(order, spec);
      if (spec.restock !== 'no_restock') {
        for (const { line, quantity } of refund.lines) inventory.take(line.product.sku, -quantity);
      }
      return tell(order, ['orders/updated'], [['refunds/create', shop.refundJson(order, refund)]]);
    },
    exchange: (id, spec) => {
      const order = shop.require(id);
      shop.exchange(order, spec);
      return tell(order, ['orders/updated']);
    },
    markPaid: (id) => {
      const order = shop.require(id);
      shop.markPaid(order);
      return tell(order, ['orders/paid', 'orders/updated']);
    },
    fulfil: (id) => {
      const order = shop.require(id);
      order.fulfilment = 'FULFILLED';
      shop.touch(order);
      return tell(order, ['orders/fulfilled', 'orders/updated']);
    },
    hold: (id) => {
      const order = shop.require(id);
      order.fulfilment = 'ON_HOLD';
      tell(order, [], [['fulfillment_orders/placed_on_hold', fulfilmentOrder(order, 'on_hold')]]);
    },
    release: (id) => {
      const order = shop.require(id);
      order.fulfilment = 'UNFULFILLED';
      tell(order, [], [['fulfillment_orders/hold_released', fulfilmentOrder(order, 'open')]]);
    },
    setNote: (id, note) => {
      const order = shop.require(id);
      order.note = note;
      shop.touch(order);
      return tell(order, ['orders/updated']);
    },
    order: (id) => {
      const order = shop.orders.get(id);
      return order && placed(order);
    },
    orders: () => [...shop.orders.values()].map(placed),
    inventory,
    throttled: () => bucket.throttled,
    registerWebhook: (spec) => webhooks.register(spec),
    webhooks: webhooks.all,
    send: (topic, body) => webhooks.fire([{ topic, body: shopifyJson(body) }]),
    deliveries: webhooks.deliveries,
    redeliver: (index) => webhooks.redeliver(index),
    retryDue: () => webhooks.retryDue(),
    waiting: () => webhooks.waiting,
    settled: () => webhooks.settled(),
    stop: async () => {
      await webhooks.stop();
      await server.stop();
    },
  };
};

const textOf = (request: FastifyRequest): string => String(request.body ?? '');
