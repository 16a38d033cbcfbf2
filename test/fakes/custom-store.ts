import { createHash, createHmac } from 'node:crypto';
import Big from 'big.js';
import type { FastifyRequest } from 'fastify';
import { type PeerServer, startPeerServer } from './peer-server.ts';

/**
 * A merchant's own store: reads, stock and prices of our contract, and signed webhooks. Keeps state in memory.
 *
 * Sources, named where they are used:
 * [S]  standard-webhooks/standard-webhooks, spec/standard-webhooks.md
 * [C]  our contract: shared/connectors/custom-store/README.md and order.schema.json
 *
 * It signs by itself, without the package that the connector verifies with: an error would not cancel out.
 */

export interface FakeStoreTax {
  readonly key: string;
  readonly title: string;
  readonly percent: string;
}

export interface FakeStoreProduct {
  readonly sku: string;
  readonly title: string;
  /** As prices are shown, with or without tax. */
  readonly price: string;
  readonly kind?: 'goods' | 'digital' | 'gift-card' | 'service';
  readonly weightG?: number;
  readonly hsCode?: string;
  readonly originCountry?: string;
  /** Pieces at its one place. Absent: they are not counted. */
  readonly stock?: number;
}

/** What buyers see of a product. */
export interface FakeStoreListing {
  readonly id: string;
  readonly sku: string;
  readonly title: string;
  quantity: number | null;
  status: 'active' | 'hidden';
  price: string;
  salePrice: string | null;
  saleFrom: string | null;
  saleUntil: string | null;
}

export interface FakeCustomStoreOptions {
  readonly port?: number;
  readonly currency: string;
  /** Decimals of the currency. Default 2. */
  readonly decimals?: number;
  readonly pricesIncludeTax?: boolean;
  /** All of them on every line and on shipping, side by side. */
  readonly taxes?: readonly FakeStoreTax[];
  readonly products?: readonly FakeStoreProduct[];
  readonly apiToken: string;
  readonly nowMs?: () => number;
  /** Waits between attempts; default: not at all, so that a test need not. Move an injected clock here. */
  readonly wait?: (ms: number) => Promise<void>;
}

export interface FakeStoreOrderSpec {
  readonly lines: readonly {
    readonly sku: string;
    readonly quantity: number;
    /** Off the whole line, as prices are shown. */
    readonly discount?: string;
    readonly title?: string;
  }[];
  readonly shipping?: { readonly method: string; readonly title: string; readonly total: string };
  readonly charges?: readonly {
    readonly kind: 'fee' | 'duty' | 'tip';
    readonly title: string;
    readonly total: string;
  }[];
  /** Default: paid online. */
  readonly payment?: Readonly<Record<string, unknown>>;
  readonly status?: string;
  readonly buyer?: Readonly<Record<string, unknown>>;
  readonly address?: Readonly<Record<string, unknown>>;
  /** Any other field of the contract, or one that breaks it. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface FakeStoreOrderPatch {
  readonly status?: string;
  readonly payment?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
  /** Default order.updated. */
  readonly type?: string;
}

export interface FakeStoreRefundSpec {
  readonly amount: string;
  readonly reason?: string;
  /** `lines`, `charges`, `refundedAt`, as the contract has them. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** An order as the contract has it; open, because tests break it on purpose. */
export interface FakeStoreOrder extends Record<string, unknown> {
  readonly id: string;
  readonly version: number;
  readonly updatedAt: string;
  readonly total: string;
}

export interface FakeStoreDelivery {
  readonly type: string;
  readonly orderId: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly attempt: number;
  readonly sentAtMs: number;
  /** undefined while under way; 0 when no answer came. */
  status: number | undefined;
  reply: string;
}

export interface FakeStoreWebhook {
  readonly deliveryUrl: string;
  /** All of them sign, as during a rotation. */
  readonly secrets: readonly string[];
  status: 'active' | 'disabled';
}

export interface FakeCustomStore {
  readonly url: string;
  readonly server: PeerServer;
  /** Places the order; webhooks follow in the background (wait with `settled`). */
  placeOrder(spec: FakeStoreOrderSpec): FakeStoreOrder;
  updateOrder(id: string, patch: FakeStoreOrderPatch): FakeStoreOrder;
  refund(id: string, spec: FakeStoreRefundSpec): FakeStoreOrder;
  order(id: string): FakeStoreOrder | undefined;
  orders(): FakeStoreOrder[];
  /** The first with that SKU. */
  listing(sku: string): FakeStoreListing;
  removeListing(sku: string): void;
  /** Requests that set stock or prices, and how many entries each had: repeated ones, too. */
  readonly writes: readonly { readonly path: string; readonly entries: number }[];
  registerWebhook(spec: { deliveryUrl: string; secret: string | readonly string[] }): FakeStoreWebhook;
  readonly webhooks: readonly FakeStoreWebhook[];
  /** Every attempt, in the order in which they were sent. */
  readonly deliveries: readonly FakeStoreDelivery[];
  /** The same bytes and headers once more; resolves to the status answered, 0 for none. */
  redeliver(index: number): Promise<number>;
  /** Any event, signed as one of this store's. */
  send(type: string, data: unknown): void;
  /** Nothing is queued or under way. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Pauses between attempts [S, "Retry schedule"]; the first one comes at once. */
export const RETRY_DELAYS_MS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map(
  (seconds) => seconds * 1000,
);
const DELIVERY_TIMEOUT_MS = 20_000; // [S: 15 to 30 seconds]

export const startFakeCustomStore = async (options: FakeCustomStoreOptions): Promise<FakeCustomStore> => {
  const store = new Store(options);
  const server = await startPeerServer((app) => routes(app, store), {
    ...(options.port && { port: options.port }),
  });
  const { webhooks } = store;
  return {
    url: server.url,
    server,
    placeOrder: (spec) => store.place(spec),
    updateOrder: (id, { type = 'order.updated', more, ...fields }) =>
      store.change(id, { ...fields, ...more }, type),
    refund: (id, spec) => store.refund(id, spec),
    order: (id) => store.orders.get(id),
    orders: () => [...store.orders.values()],
    listing: (sku) => store.listing(sku),
    removeListing: (sku) => void store.listings.delete(store.listing(sku).id),
    writes: store.writes,
    registerWebhook: ({ deliveryUrl, secret }) => webhooks.register(deliveryUrl, [secret].flat()),
    webhooks: webhooks.all,
    deliveries: webhooks.deliveries,
    redeliver: (index) => webhooks.redeliver(index),
    send: (type, data) => webhooks.enqueue(type, '', data),
    settled: () => webhooks.settled(),
    stop: async () => {
      webhooks.stop();
      await webhooks.settled();
      await server.stop();
    },
  };
};

// --- state -------------------------------------------------------------------------------------------------

const ADDRESS = {
  name: 'Ada Lovelace',
  line1: 'Lindenstr. 1',
  city: 'Berlin',
  postcode: '10969',
  country: 'DE',
  phone: '+49301234567',
};

class Store {
  readonly orders = new Map<string, FakeStoreOrder>();
  readonly listings = new Map<string, FakeStoreListing>();
  readonly writes: { readonly path: string; readonly entries: number }[] = [];
  /** What was answered to each idempotency key. */
  readonly answers = new Map<string, { readonly body: string; readonly answer: unknown }>();
  readonly options: FakeCustomStoreOptions;
  readonly webhooks: Webhooks;
  #number = 1000;
  #lastMs = 0;

  constructor(options: FakeCustomStoreOptions) {
    this.options = options;
    this.webhooks = new Webhooks(options);
    for (const [index, { sku, title, price, stock }] of (options.products ?? []).entries()) {
      const id = `prd_${String(index).padStart(5, '0')}`;
      const quantity = stock ?? null;
      const sale = { salePrice: null, saleFrom: null, saleUntil: null };
      this.listings.set(id, { id, sku, title, quantity, status: 'active', price, ...sale });
    }
  }

  listing(sku: string): FakeStoreListing {
    const listing = [...this.listings.values()].find((each) => each.sku === sku);
    if (!listing) throw new Error(`the store has no product "${sku}"`);
    return listing;
  }

  /** Never twice the same, so that it can serve as the version [C: grows with every change]. */
  now(): number {
    this.#lastMs = Math.max((this.options.nowMs ?? Date.now)(), this.#lastMs + 1);
    return this.#lastMs;
  }

  place(spec: FakeStoreOrderSpec): FakeStoreOrder {
    const number = String(++this.#number);
    const lines = spec.lines.map((line, index) => {
      const product = this.options.products?.find(({ sku }) => sku === line.sku);
      const { title = line.title ?? line.sku, price = '0', ...facts } = product ?? {};
      const subtotal = new Big(price).times(line.quantity);
      const total = subtotal.minus(line.discount ?? 0);
      return {
        id: `li_${index + 1}`,
        ...facts,
        sku: line.sku,
        title: line.title ?? title,
        quantity: line.quantity,
        subtotal: this.#text(subtotal),
        discount: this.#text(new Big(line.discount ?? 0)),
        total: this.#text(total),
        taxes: this.#taxes(total),
      };
    });
    const charges = [
      ...(spec.shipping ? [{ kind: 'shipping', ...spec.shipping }] : []),
      ...(spec.charges ?? []),
    ].map((charge, index) => ({
      id: `ch_${index + 1}`,
      ...charge,
      total: this.#text(new Big(charge.total)),
      taxes: this.#taxes(new Big(charge.total)),
    }));
    const nowMs = this.now();
    const at = new Date(nowMs).toISOString();
    const order: FakeStoreOrder = {
      id: `ord_${createHash('sha256').update(number).digest('hex').slice(0, 12)}`,
      number,
      version: nowMs,
      placedAt: at,
      updatedAt: at,
      status: spec.status ?? 'open',
      channel: 'web',
      currency: this.options.currency,
      pricesIncludeTax: this.options.pricesIncludeTax ?? false,
      lines,
      charges,
      total: this.#total([...lines, ...charges]),
      payment: spec.payment ?? { state: 'paid', kind: 'online', method: 'stripe', paidAt: at },
      refunds: [],
      buyer: spec.buyer ?? { email: 'ada@example.com', name: 'Ada Lovelace' },
      billing: spec.address ?? ADDRESS,
      shipping: spec.address ?? ADDRESS,
      ...spec.more,
    };
    this.orders.set(order.id, order);
    for (const { sku, quantity } of spec.lines) {
      const sold = [...this.listings.values()].find((each) => each.sku === sku);
      if (sold && sold.quantity !== null) sold.quantity -= quantity;
    }
    this.webhooks.enqueue('order.created', order.id, order);
    return order;
  }

  change(id: string, fields: Readonly<Record<string, unknown>>, type: string): FakeStoreOrder {
    const before = this.orders.get(id);
    if (!before) throw new Error(`the store has no order ${id}`);
    const nowMs = this.now();
    const order = { ...before, ...fields, version: nowMs, updatedAt: new Date(nowMs).toISOString() };
    this.orders.set(id, order);
    this.webhooks.enqueue(type, id, order);
    return order;
  }

  refund(id: string, { amount, reason, more }: FakeStoreRefundSpec): FakeStoreOrder {
    const refunds = (this.orders.get(id)?.['refunds'] ?? []) as { total: string }[];
    const refund = { id: `re_${refunds.length + 1}`, ...(reason && { reason }), total: amount, ...more };
    return this.change(id, { refunds: [...refunds, refund] }, 'order.refunded');
  }

  #text(amount: Big): string {
    return amount.toFixed(this.options.decimals ?? 2, Big.roundHalfUp);
  }

  /** Side by side on the price without tax, each rounded by itself. */
  #taxes(amount: Big): { key: string; title: string; ratePercent: string; amount: string }[] {
    const taxes = this.options.taxes ?? [];
    const all = taxes.reduce((sum, { percent }) => sum.plus(percent), new Big(0)).div(100);
    const net = this.options.pricesIncludeTax ? amount.div(all.plus(1)) : amount;
    return taxes.map(({ key, title, percent }) => ({
      key,
      title,
      ratePercent: percent,
      amount: this.#text(net.times(percent).div(100)),
    }));
  }

  #total(parts: readonly { total: string; taxes: readonly { amount: string }[] }[]): string {
    const amounts = parts.flatMap(({ total, taxes }) =>
      this.options.pricesIncludeTax ? [total] : [total, ...taxes.map(({ amount }) => amount)],
    );
    return this.#text(amounts.reduce((sum, amount) => sum.plus(amount), new Big(0)));
  }
}

// --- webhooks ----------------------------------------------------------------------------------------------

interface Message {
  readonly id: string;
  readonly type: string;
  readonly orderId: string;
  readonly body: string;
}

class Webhooks {
  readonly all: FakeStoreWebhook[] = [];
  readonly deliveries: FakeStoreDelivery[] = [];
  readonly #options: FakeCustomStoreOptions;
  #underWay = new Set<Promise<void>>();
  #isStopped = false;
  #messages = 0;

  constructor(options: FakeCustomStoreOptions) {
    this.#options = options;
  }

  register(deliveryUrl: string, secrets: readonly string[]): FakeStoreWebhook {
    const webhook: FakeStoreWebhook = { deliveryUrl, secrets, status: 'active' };
    this.all.push(webhook);
    return webhook;
  }

  /** The body is made now, as an outbox keeps it; every message goes its own way, so they may overtake each other. */
  enqueue(type: string, orderId: string, data: unknown): void {
    const timestamp = new Date(this.#nowMs()).toISOString();
    const message: Message = {
      id: `msg_${++this.#messages}`,
      type,
      orderId,
      body: JSON.stringify({ type, timestamp, data }),
    };
    for (const webhook of this.all) {
      const work = this.#deliver(webhook, message).finally(() => this.#underWay.delete(work));
      this.#underWay.add(work);
    }
  }

  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** No further attempt. */
  stop(): void {
    this.#isStopped = true;
  }

  async redeliver(index: number): Promise<number> {
    const before = this.deliveries[index];
    if (!before) throw new Error(`there was no delivery ${index}`);
    return (await this.#send({ ...before, sentAtMs: this.#nowMs(), status: undefined, reply: '' })).status;
  }

  /** Any 2xx ends it; 410 switches the webhook off; anything else is sent again, as the receiver asks [S]. */
  async #deliver(webhook: FakeStoreWebhook, message: Message): Promise<void> {
    for (const [index, pauseMs] of [...RETRY_DELAYS_MS, 0].entries()) {
      if (webhook.status !== 'active' || this.#isStopped) return;
      const { status, retryAfterMs } = await this.#send(this.#signed(webhook, message, index + 1));
      if (status >= 200 && status < 300) return;
      if (status === 410) webhook.status = 'disabled';
      await (this.#options.wait ?? (() => new Promise(setImmediate)))(retryAfterMs ?? pauseMs);
    }
    webhook.status = 'disabled'; // [S: after long failure; a real store also tells somebody]
  }

  /** Signed anew in every attempt: the time is the attempt's [S, "webhook-timestamp"]. */
  #signed(
    webhook: FakeStoreWebhook,
    { id, type, orderId, body }: Message,
    attempt: number,
  ): FakeStoreDelivery {
    const sentAtMs = this.#nowMs();
    const timestamp = String(Math.floor(sentAtMs / 1000));
    const signatures = webhook.secrets.map((secret) => {
      const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    });
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.join(' '),
    };
    const { deliveryUrl: url } = webhook;
    return { type, orderId, url, headers, body, attempt, sentAtMs, status: undefined, reply: '' };
  }

  async #send(delivery: FakeStoreDelivery): Promise<{ status: number; retryAfterMs: number | undefined }> {
    this.deliveries.push(delivery);
    try {
      const response = await fetch(delivery.url, {
        method: 'POST',
        headers: delivery.headers,
        body: delivery.body,
        redirect: 'manual',
        signal: AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
      });
      delivery.reply = await response.text();
      delivery.status = response.status;
      const hint = response.headers.get('retry-after');
      return { status: response.status, retryAfterMs: hint ? Number(hint) * 1000 : undefined };
    } catch {
      delivery.status = 0;
      return { status: 0, retryAfterMs: undefined };
    }
  }

  #nowMs(): number {
    return (this.#options.nowMs ?? Date.now)();
  }
}

// --- reads [C] ---------------------------------------------------------------------------------------------

type App = Parameters<Parameters<typeof startPeerServer>[0]>[0];

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const MAX_PAGE = 100;

const routes = (app: App, store: Store): void => {
  app.setErrorHandler((error, _request, reply) => {
    const { status, code } = error instanceof Refusal ? error : new Refusal(500, 'internal_error');
    reply.code(status).send({ code });
  });
  app.addHook('preHandler', async (request) => {
    if (request.headers.authorization !== `Bearer ${store.options.apiToken}`) {
      throw new Refusal(401, 'unauthorized');
    }
  });
  app.get('/orders/:id', async (request) => {
    const order = store.orders.get((request.params as { id: string }).id);
    if (!order) throw new Refusal(404, 'order_not_found');
    return order;
  });
  app.get('/orders', async (request, reply) => {
    reply.header('date', new Date((store.options.nowMs ?? Date.now)()).toUTCString());
    return page(store, request);
  });
  app.get('/listings', async (request) => listings(store, request));
  app.post('/stock', async (request) => once(store, request, (update) => setStock(store, update)));
  app.post('/prices', async (request) => once(store, request, (update) => setPrice(store, update)));
};

// --- stock and prices [C stock.schema.json] ------------------------------------------------------------------

type Update = Readonly<Record<string, unknown>> & { readonly id: string };

/** By id; the cursor is the last one told. */
const listings = (store: Store, request: FastifyRequest) => {
  const query = request.query as { limit?: string; cursor?: string; sku?: string | string[] };
  const limit = Number(query.limit ?? MAX_PAGE);
  if (!(limit >= 1 && limit <= MAX_PAGE)) throw new Refusal(400, 'invalid_parameter');
  const skus = query.sku === undefined ? undefined : [query.sku].flat();
  const found = [...store.listings.values()]
    .filter(({ sku }) => skus === undefined || skus.includes(sku))
    .filter(({ id }) => id > (query.cursor ?? ''))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const data = found.slice(0, limit).map((listing) => ({
    ...listing,
    currency: store.options.currency,
    pricesIncludeTax: store.options.pricesIncludeTax ?? false,
  }));
  return { data, nextCursor: found.length > data.length ? (data.at(-1)?.id ?? null) : null };
};

/** A key that was used is answered as it was; it belongs to one body. */
const once = (store: Store, request: FastifyRequest, work: (update: Update) => object) => {
  const body = String(request.body ?? '');
  const { updates } = JSON.parse(body) as { updates: Update[] };
  store.writes.push({ path: request.url, entries: updates.length });
  if (updates.length > MAX_PAGE) throw new Refusal(413, 'too_many');
  const key = String(request.headers['idempotency-key'] ?? '');
  if (key === '') throw new Refusal(400, 'idempotency_key_missing');
  const known = store.answers.get(key);
  if (known && known.body !== body) throw new Refusal(422, 'idempotency_key_reused');
  const answer = known?.answer ?? { results: updates.map((update) => ({ id: update.id, ...work(update) })) };
  store.answers.set(key, { body, answer });
  return answer;
};

const setStock = (store: Store, { id, location, expected, quantity }: Update): object => {
  const listing = store.listings.get(id);
  if (!listing) return { location, result: 'refused', code: 'not_found' };
  if (location !== null) return { location, result: 'refused', code: 'unknown_location' };
  if (listing.quantity === null) return { location, result: 'refused', code: 'not_counted' };
  if (expected !== null && expected !== listing.quantity) {
    return { location, result: 'stale', quantity: listing.quantity };
  }
  listing.quantity = Number(quantity);
  return { location, result: 'written' };
};

const setPrice = (store: Store, update: Update): object => {
  const listing = store.listings.get(update.id);
  if (!listing) return { result: 'refused', code: 'not_found' };
  const { currency, price, salePrice, saleFrom, saleUntil, status } =
    update as unknown as FakeStoreListing & {
      currency: string;
    };
  if (currency !== store.options.currency) {
    return { result: 'refused', code: 'refused', message: `this store sells in ${store.options.currency}` };
  }
  Object.assign(listing, { price, salePrice, saleFrom, saleUntil, ...(status && { status }) });
  return { result: 'written' };
};

/** By `updatedAt` and id; the cursor is the place of the last one told, so that changes meanwhile lose nothing. */
const page = (store: Store, request: FastifyRequest) => {
  const query = request.query as Readonly<Record<string, string | undefined>>;
  const sinceMs = Date.parse(query['updatedSince'] ?? '');
  const limit = Number(query['limit'] ?? MAX_PAGE);
  if (Number.isNaN(sinceMs) || !(limit >= 1 && limit <= MAX_PAGE))
    throw new Refusal(400, 'invalid_parameter');
  const after = query['cursor'] ? Buffer.from(query['cursor'], 'base64url').toString() : '';
  const place = ({ updatedAt, id }: FakeStoreOrder) => `${updatedAt} ${id}`;
  const found = [...store.orders.values()]
    .filter((order) => Date.parse(order.updatedAt) >= sinceMs && place(order) > after)
    .sort((a, b) => (place(a) < place(b) ? -1 : 1));
  const data = found.slice(0, limit);
  const last = data.at(-1);
  const hasMore = found.length > data.length && last !== undefined;
  return { data, nextCursor: hasMore ? Buffer.from(place(last)).toString('base64url') : null };
};
