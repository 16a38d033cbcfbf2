import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import Big from 'big.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type PeerServer, startPeerServer } from './peer-server.ts';

/**
 * A WooCommerce shop: REST API v3 over plain http, and webhooks. Keeps state in memory.
 *
 * Sources, named where they are used:
 * [O]  observed on WooCommerce 10.2.4 with WordPress 6.9.1 (captures in test/fixtures/woocommerce)
 * [W]  woocommerce/woocommerce, includes/class-wc-webhook.php and wc-webhook-functions.php
 * [A]  woocommerce/woocommerce, includes/class-wc-rest-authentication.php
 * [D]  WooCommerce REST API documentation, v3
 * [P]  woocommerce/woocommerce, class-wc-rest-products-controller.php
 */

export interface FakeTaxRate {
  /** Country code; '' for everywhere. */
  readonly country: string;
  readonly state?: string;
  readonly percent: string;
  readonly name: string;
  /** Computed on top of the rates before it. */
  readonly compound?: boolean;
  /** Also taxes shipping. Default true. */
  readonly shipping?: boolean;
}

export interface FakeProduct {
  readonly sku: string;
  readonly name: string;
  readonly price: string;
  /** Absent: stock is not managed. */
  readonly stock?: number;
  readonly type?: 'simple' | 'variable' | 'variation';
  /** SKU of the parent, for a variation. */
  readonly parentSku?: string;
  readonly virtual?: boolean;
  /** Default publish. */
  readonly status?: 'publish' | 'draft' | 'private';
}

/** What buyers see of a product. */
export interface FakeProductState {
  readonly id: number;
  readonly stock: number | undefined;
  readonly price: string;
  readonly salePrice: string;
  readonly saleFrom: string;
  readonly saleTo: string;
  readonly status: string;
}

export interface FakeWooCommerceOptions {
  readonly port?: number;
  readonly currency: string;
  /** Decimals of prices, the shop's own setting. Default 2. */
  readonly decimals?: number;
  readonly taxRates?: readonly FakeTaxRate[];
  readonly products?: readonly FakeProduct[];
  readonly coupons?: readonly FakeCoupon[];
  readonly consumerKey: string;
  readonly consumerSecret: string;
  readonly pricesIncludeTax?: boolean;
  /** Order numbers of a sequential-numbers plug-in instead of the id. */
  readonly sequentialNumbers?: boolean;
  /** Deliveries sent at the same time. Default 1, like one run of the Action Scheduler. */
  readonly deliveryConcurrency?: number;
  /** Waits before a queued delivery is built and sent; changes meanwhile are in it. Default 0. */
  readonly deliveryDelayMs?: number;
  readonly nowMs?: () => number;
}

export interface FakeCoupon {
  readonly code: string;
  readonly type: 'percent' | 'fixed_cart';
  readonly amount: string;
}

export interface FakeAddress {
  readonly first_name?: string;
  readonly last_name?: string;
  readonly company?: string;
  readonly address_1?: string;
  readonly address_2?: string;
  readonly city?: string;
  readonly state?: string;
  readonly postcode?: string;
  readonly country?: string;
  readonly email?: string;
  readonly phone?: string;
}

export interface FakeMeta {
  readonly key: string;
  readonly value: unknown;
}

export interface FakeOrderSpec {
  /** How it is made. Default 'checkout'; 'store-api' is the block checkout, which starts as a draft. */
  readonly via?: 'checkout' | 'store-api' | 'rest-api';
  readonly lines: readonly {
    /** '' or unknown: a line whose product was deleted. */
    readonly sku: string;
    readonly quantity: number;
    readonly name?: string;
    /** Price of one piece instead of the product's, as prices are shown. */
    readonly price?: string;
    readonly meta?: readonly FakeMeta[];
  }[];
  readonly shipping?: { readonly method: string; readonly title: string; readonly total: string };
  /** `taxable: false` is ignored for negative fees, as in WooCommerce [O 048]. */
  readonly fees?: readonly { readonly name: string; readonly total: string; readonly taxable?: boolean }[];
  readonly coupons?: readonly string[];
  readonly paymentMethod?: string;
  readonly paymentTitle?: string;
  readonly transactionId?: string;
  /** Paid at once: processing, or completed for cash on delivery [O 041]. */
  readonly paid?: boolean;
  /** Status after placing. Default: by payment method, as the gateways of WooCommerce do. */
  readonly status?: string;
  readonly billing?: FakeAddress;
  /** Default: the billing address. null: none, as for virtual goods. */
  readonly shippingAddress?: FakeAddress | null;
  readonly customerId?: number;
  readonly note?: string;
  readonly meta?: readonly FakeMeta[];
  readonly currency?: string;
}

export interface FakeOrderPatch {
  readonly status?: string;
  /** `quantity` alone leaves the amounts as they are [O 057]; 0 removes the line. */
  readonly lines?: readonly {
    readonly id?: number;
    readonly sku?: string;
    readonly quantity: number;
    readonly total?: string;
  }[];
  readonly transactionId?: string;
  readonly note?: string;
  readonly billing?: FakeAddress;
  readonly shippingAddress?: FakeAddress;
  readonly meta?: readonly FakeMeta[];
}

export interface FakeRefundSpec {
  /** Positive. Default: what the parts are worth; without parts what is left. */
  readonly amount?: string;
  readonly reason?: string;
  readonly lines?: readonly { readonly id: number; readonly quantity: number }[];
  /** Shipping and fees, by their ids. */
  readonly charges?: readonly number[];
  /** Default true. */
  readonly restock?: boolean;
}

export interface FakeDelivery {
  /** 'ping' for the test that follows saving a webhook. */
  readonly topic: string;
  readonly webhookId: number;
  /** Order, product, ...; 0 for a ping. */
  readonly orderId: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly sentAtMs: number;
  answeredAtMs: number | undefined;
  /** undefined while under way; 0 when no answer came. */
  status: number | undefined;
}

export interface FakeWebhook {
  readonly id: number;
  readonly topic: string;
  readonly deliveryUrl: string;
  readonly secret: string;
  status: 'active' | 'paused' | 'disabled';
  failures: number;
  /** Ping not answered with 200 yet. */
  pendingDelivery: boolean;
}

export type FakeOrderJson = ReturnType<Shop['orderJson']>;

export interface FakeWooCommerce {
  readonly url: string;
  readonly server: PeerServer;
  /** Places the order; webhooks follow in the background (wait with `settled`). */
  placeOrder(spec: FakeOrderSpec): Promise<FakeOrderJson>;
  updateOrder(id: number, patch: FakeOrderPatch): FakeOrderJson;
  refund(id: number, spec?: FakeRefundSpec): FakeOrderJson;
  /** To the bin: `order.deleted` with only the id. */
  trash(id: number): void;
  /** Back from the bin: `order.restored`. */
  restore(id: number): FakeOrderJson;
  order(id: number): FakeOrderJson | undefined;
  orders(): FakeOrderJson[];
  /** Of the first product or variation with that SKU. */
  product(sku: string): FakeProductState;
  /** Somebody changes the number by hand, or buys elsewhere; undefined: it is managed no more. */
  setStock(sku: string, stock: number | undefined): void;
  removeProduct(sku: string): void;
  /** Batches of products and variations that asked for changes, and how many of each: whatever became of them. */
  readonly batches: readonly { readonly path: string; readonly entries: number }[];
  /** Saves a webhook, which sends the ping; resolves when that is answered. */
  registerWebhook(spec: { topic: string; deliveryUrl: string; secret: string }): Promise<FakeWebhook>;
  readonly webhooks: readonly FakeWebhook[];
  /** Everything that was sent, in this order. */
  readonly deliveries: readonly FakeDelivery[];
  /** The same bytes and headers once more; resolves to the status answered, 0 for none. */
  redeliver(index: number): Promise<number>;
  /** Nothing is queued or under way. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export const startFakeWooCommerce = async (options: FakeWooCommerceOptions): Promise<FakeWooCommerce> => {
  const shop = new Shop(options);
  const server = await startPeerServer((app) => routes(app, shop), {
    ...(options.port && { port: options.port }),
  });
  shop.url = server.url;
  return {
    url: server.url,
    server,
    placeOrder: async (spec) => shop.orderJson(await shop.place(spec)),
    updateOrder: (id, patch) => shop.orderJson(shop.update(shop.require(id), patch)),
    refund: (id, spec = {}) => {
      shop.refund(shop.require(id), spec);
      return shop.orderJson(shop.require(id));
    },
    trash: (id) => shop.trash(shop.require(id)),
    restore: (id) => shop.orderJson(shop.restore(shop.require(id))),
    order: (id) => {
      const order = shop.orders.get(id);
      return order && shop.orderJson(order);
    },
    orders: () => [...shop.orders.values()].map((order) => shop.orderJson(order)),
    product: (sku) => {
      const { id, stock, price, salePrice, saleFrom, saleTo, status } = shop.requireProduct(sku);
      return { id, stock, price, salePrice, saleFrom, saleTo, status };
    },
    setStock: (sku, stock) => {
      shop.requireProduct(sku).stock = stock;
    },
    removeProduct: (sku) => void shop.products.delete(shop.requireProduct(sku).id),
    batches: shop.batches,
    registerWebhook: (spec) => shop.webhooks.register(spec),
    webhooks: shop.webhooks.all,
    deliveries: shop.webhooks.deliveries,
    redeliver: (index) => shop.webhooks.redeliver(index),
    settled: () => shop.webhooks.settled(),
    stop: async () => {
      await shop.webhooks.stop();
      await server.stop();
    },
  };
};

// --- state -------------------------------------------------------------------------------------------------

interface Rate extends FakeTaxRate {
  readonly id: number;
  readonly code: string;
}

interface Meta {
  readonly id: number;
  readonly key: string;
  value: unknown;
}

/** Unrounded tax by rate id. */
type Taxes = ReadonlyMap<number, Big>;

interface Line {
  readonly id: number;
  name: string;
  readonly product: Product | undefined;
  quantity: number;
  /** Before coupons and after, without tax, unrounded. */
  subtotal: Big;
  total: Big;
  subtotalTaxes: Taxes;
  taxes: Taxes;
  meta: Meta[];
  reduced: number;
}

interface Charge {
  readonly id: number;
  readonly name: string;
  readonly method: string;
  readonly taxable: boolean;
  total: Big;
  taxes: Taxes;
}

interface Refund {
  readonly id: number;
  readonly reason: string;
  readonly amount: Big;
  readonly createdMs: number;
  /** Items of their own, which name the order's. */
  readonly lines: readonly { readonly id: number; readonly line: Line; readonly quantity: number }[];
  readonly charges: readonly { readonly id: number; readonly charge: Charge }[];
}

interface Order {
  readonly id: number;
  readonly number: string;
  readonly currency: string;
  readonly createdVia: string;
  readonly createdMs: number;
  readonly key: string;
  status: string;
  statusBeforeTrash: string;
  modifiedMs: number;
  paidMs: number | undefined;
  completedMs: number | undefined;
  customerId: number;
  note: string;
  paymentMethod: string;
  paymentTitle: string;
  transactionId: string;
  billing: FakeAddress;
  shippingAddress: FakeAddress;
  meta: Meta[];
  lines: Line[];
  shipping: Charge[];
  fees: Charge[];
  coupons: { readonly id: number; readonly coupon: FakeCoupon; discount: Big; tax: Big }[];
  refunds: Refund[];
  /** Item ids of the tax lines, by rate. */
  taxLineIds: Map<number, number>;
}

interface Product {
  readonly id: number;
  sku: string;
  name: string;
  price: string;
  stock: number | undefined;
  readonly type: string;
  readonly parentId: number;
  readonly virtual: boolean;
  readonly createdMs: number;
  modifiedMs: number;
  sold: number;
  status: string;
  /** '' for none; dates in UTC without Z. */
  salePrice: string;
  saleFrom: string;
  saleTo: string;
}

const FIRST_ID = 10;
const VERSION = '10.2.4';
const USER_AGENT = `WooCommerce/${VERSION} Hookshot (WordPress/6.9.1)`;
const STATUSES = [
  'pending',
  'processing',
  'on-hold',
  'completed',
  'cancelled',
  'refunded',
  'failed',
  'checkout-draft',
];
const SYMBOLS: Readonly<Record<string, string>> = {
  TWD: 'NT$',
  USD: '$',
  EUR: '€',
  JPY: '¥',
  THB: '฿',
  KWD: 'د.ك',
};
const half = (amount: Big, decimals: number): Big => amount.round(decimals, Big.roundHalfUp);
const total = (amounts: Iterable<Big>): Big =>
  [...amounts].reduce((sum, amount) => sum.plus(amount), new Big(0));

class Shop {
  url = '';
  readonly decimals: number;
  readonly rates: readonly Rate[];
  readonly products = new Map<number, Product>();
  readonly orders = new Map<number, Order>();
  readonly options: FakeWooCommerceOptions;
  readonly webhooks: Webhooks;
  readonly usedNonces = new Set<string>();
  readonly batches: { readonly path: string; readonly entries: number }[] = [];
  #postId = FIRST_ID;
  #itemId = 1;
  #metaId = 1;
  #number = 1000;

  constructor(options: FakeWooCommerceOptions) {
    this.options = options;
    this.decimals = options.decimals ?? 2;
    this.rates = (options.taxRates ?? []).map((rate, index) => ({
      ...rate,
      id: index + 1,
      // "TW-營業稅-1", "US-CA-CA STATE-1" [O 025, 061]
      code: [rate.country, rate.state, rate.name.toUpperCase(), String(rate.compound ? 2 : 1)]
        .filter(Boolean)
        .join('-'),
    }));
    this.webhooks = new Webhooks(this);
    for (const product of options.products ?? []) this.addProduct(product);
  }

  /** WordPress keeps whole seconds. */
  now(): number {
    return Math.floor((this.options.nowMs ?? Date.now)() / 1000) * 1000;
  }

  addProduct(spec: FakeProduct): Product {
    const now = this.now();
    const product: Product = {
      id: this.#postId++,
      sku: spec.sku,
      name: spec.name,
      price: spec.price,
      stock: spec.stock,
      type: spec.type ?? 'simple',
      parentId: this.bySku(spec.parentSku ?? '')?.id ?? 0,
      virtual: spec.virtual ?? false,
      createdMs: now,
      modifiedMs: now,
      sold: 0,
      status: spec.status ?? 'publish',
      salePrice: '',
      saleFrom: '',
      saleTo: '',
    };
    this.products.set(product.id, product);
    this.webhooks.enqueue('product.created', product.id);
    return product;
  }

  bySku(sku: string): Product | undefined {
    return sku === '' ? undefined : [...this.products.values()].find((product) => product.sku === sku);
  }

  requireProduct(sku: string): Product {
    const product = this.bySku(sku);
    if (!product) throw new Error(`the shop has no product "${sku}"`);
    return product;
  }

  require(id: number): Order {
    const order = this.orders.get(id);
    if (!order) throw new Error(`the shop has no order ${id}`);
    return order;
  }

  newMeta(entries: readonly FakeMeta[] = []): Meta[] {
    return entries.map(({ key, value }) => ({ id: this.#metaId++, key, value }));
  }

  async place(spec: FakeOrderSpec): Promise<Order> {
    const order = this.create(spec);
    if (order.createdVia === 'store-api') {
      // The block checkout keeps a draft first, and updating it fires before anything was created [O 083].
      this.webhooks.enqueue('order.updated', order.id);
      await this.webhooks.sent(order.id);
    }
    this.setStatus(order, spec.status ?? statusByGateway(order, spec.paid ?? false));
    // One order fires both topics [O 025, 026].
    this.webhooks.enqueue('order.created', order.id);
    this.webhooks.enqueue('order.updated', order.id);
    return order;
  }

  create(spec: FakeOrderSpec): Order {
    const now = this.now();
    const id = this.#postId++;
    const via = spec.via ?? 'checkout';
    const billing = spec.billing ?? DEFAULT_ADDRESS;
    const { email: _, ...shippingAddress } =
      spec.shippingAddress === null ? {} : (spec.shippingAddress ?? billing);
    const order: Order = {
      id,
      number: this.options.sequentialNumbers ? String(++this.#number) : String(id),
      currency: spec.currency ?? this.options.currency,
      createdVia: via,
      createdMs: now,
      key: `wc_order_${createHash('sha256').update(String(id)).digest('base64url').slice(0, 13)}`,
      status: via === 'store-api' ? 'checkout-draft' : 'pending',
      statusBeforeTrash: 'pending',
      modifiedMs: now,
      paidMs: undefined,
      completedMs: undefined,
      customerId: spec.customerId ?? 0,
      note: spec.note ?? '',
      paymentMethod: spec.paymentMethod ?? 'bacs',
      paymentTitle: spec.paymentTitle ?? '',
      transactionId: spec.transactionId ?? '',
      billing,
      shippingAddress,
      meta: this.newMeta(spec.meta),
      lines: [],
      shipping: [],
      fees: [],
      coupons: [],
      refunds: [],
      taxLineIds: new Map(),
    };
    for (const line of spec.lines) {
      const product = this.bySku(line.sku);
      order.lines.push(
        this.newLine(
          order,
          product,
          line.quantity,
          line.price ?? product?.price ?? '0',
          line.name,
          line.meta,
        ),
      );
    }
    const charge = (name: string, method: string, amount: string, taxable: boolean): Charge => ({
      id: this.#itemId++,
      name,
      method,
      taxable,
      total: new Big(amount),
      taxes: new Map(),
    });
    if (spec.shipping)
      order.shipping.push(charge(spec.shipping.title, spec.shipping.method, spec.shipping.total, true));
    for (const fee of spec.fees ?? []) {
      order.fees.push(charge(fee.name, '', fee.total, (fee.taxable ?? true) || fee.total.startsWith('-')));
    }
    for (const code of spec.coupons ?? []) this.applyCoupon(order, code);
    this.computeTaxes(order);
    this.orders.set(id, order);
    return order;
  }

  newLine(
    order: Order,
    product: Product | undefined,
    quantity: number,
    price: string,
    name?: string,
    meta?: readonly FakeMeta[],
  ): Line {
    const shown = new Big(price).times(quantity);
    const net = this.options.pricesIncludeTax ? shown.div(grossFactor(this.ratesFor(order))) : shown;
    return {
      id: this.#itemId++,
      name: name ?? product?.name ?? 'Deleted product',
      product,
      quantity,
      subtotal: net,
      total: net,
      subtotalTaxes: new Map(),
      taxes: new Map(),
      meta: this.newMeta(meta),
      reduced: 0,
    };
  }

  ratesFor(order: Order): Rate[] {
    const { country = '', state = '' } = order.shippingAddress.country
      ? order.shippingAddress
      : order.billing;
    return this.rates.filter(
      (rate) => (!rate.country || rate.country === country) && (!rate.state || rate.state === state),
    );
  }

  /** Percent of the price before coupons; a fixed amount is spread over the pieces [O 036, 045, 093]. */
  applyCoupon(order: Order, code: string): void {
    const coupon = this.options.coupons?.find((each) => each.code === code);
    if (!coupon) throw new Error(`the shop has no coupon "${code}"`);
    const rates = this.ratesFor(order);
    const factor = this.options.pricesIncludeTax ? grossFactor(rates) : new Big(1);
    const pieces = order.lines.reduce((sum, line) => sum + line.quantity, 0);
    let discount = new Big(0);
    let tax = new Big(0);
    for (const line of order.lines) {
      const share =
        coupon.type === 'percent'
          ? line.subtotal.times(factor).times(coupon.amount).div(100)
          : new Big(coupon.amount).div(pieces).times(line.quantity);
      const shown = half(share, this.decimals);
      const left = line.total.times(factor);
      const gross = shown.gt(left) ? left : shown;
      const net = gross.div(factor);
      line.total = line.total.minus(net);
      const lineTax = total(taxesOn(net, rates).values());
      discount = discount.plus(half(net, this.decimals));
      tax = tax.plus(half(lineTax, this.decimals));
    }
    order.coupons.push({ id: this.#itemId++, coupon, discount, tax });
  }

  computeTaxes(order: Order): void {
    const rates = this.ratesFor(order);
    for (const line of order.lines) {
      line.subtotalTaxes = taxesOn(line.subtotal, rates);
      line.taxes = taxesOn(line.total, rates);
    }
    const shippingRates = rates.filter((rate) => rate.shipping ?? true);
    for (const charge of order.shipping) charge.taxes = taxesOn(charge.total, shippingRates);
    for (const fee of order.fees) fee.taxes = fee.taxable ? taxesOn(fee.total, rates) : new Map();
    for (const rate of rates)
      if (!order.taxLineIds.has(rate.id)) order.taxLineIds.set(rate.id, this.#itemId++);
  }

  update(order: Order, patch: FakeOrderPatch): Order {
    for (const change of patch.lines ?? []) this.changeLine(order, change);
    if (patch.lines) {
      order.lines = order.lines.filter((line) => line.quantity > 0);
      this.computeTaxes(order);
    }
    order.note = patch.note ?? order.note;
    order.transactionId = patch.transactionId ?? order.transactionId;
    order.billing = { ...order.billing, ...patch.billing };
    order.shippingAddress = { ...order.shippingAddress, ...patch.shippingAddress };
    for (const entry of patch.meta ?? []) {
      const known = order.meta.find((meta) => meta.key === entry.key);
      if (known) known.value = entry.value;
      else order.meta.push(...this.newMeta([entry]));
    }
    order.modifiedMs = this.now();
    if (patch.status !== undefined) this.setStatus(order, patch.status);
    this.webhooks.enqueue('order.updated', order.id);
    return order;
  }

  changeLine(order: Order, change: NonNullable<FakeOrderPatch['lines']>[number]): void {
    const line = order.lines.find((each) => each.id === change.id);
    if (line) {
      line.quantity = change.quantity;
      if (change.total !== undefined) line.subtotal = line.total = new Big(change.total);
      return;
    }
    const product = this.bySku(change.sku ?? '');
    order.lines.push(this.newLine(order, product, change.quantity, product?.price ?? '0'));
  }

  setStatus(order: Order, status: string): void {
    const now = this.now();
    order.status = status;
    order.modifiedMs = now;
    // Paid at the status that the gateway calls paid: completed for cash on delivery [O 027, 030].
    const paidAt = order.paymentMethod === 'cod' ? ['completed'] : ['processing', 'completed'];
    if (paidAt.includes(status)) order.paidMs ??= now;
    if (status === 'completed') order.completedMs ??= now;
    const holds = ['processing', 'completed', 'on-hold'].includes(status);
    const frees = ['cancelled', 'pending'].includes(status);
    for (const line of order.lines) {
      if (holds && line.reduced === 0) this.moveStock(line, line.quantity);
      else if (frees && line.reduced > 0) this.moveStock(line, -line.reduced);
    }
  }

  /** Positive: sold. The hidden meta entry is how WooCommerce remembers it [O 027, 033]. */
  moveStock(line: Line, quantity: number): void {
    if (line.product?.stock === undefined) return;
    line.product.stock -= quantity;
    line.product.sold += quantity;
    line.product.modifiedMs = this.now();
    line.reduced += quantity;
    line.meta = line.meta.filter((meta) => meta.key !== '_reduced_stock');
    if (line.reduced > 0)
      line.meta.push(...this.newMeta([{ key: '_reduced_stock', value: String(line.reduced) }]));
    this.webhooks.enqueue('product.updated', line.product.id);
  }

  /** @throws Error more than is left */
  refund(order: Order, spec: FakeRefundSpec): Refund {
    const left = this.totalOf(order).minus(total(order.refunds.map((refund) => refund.amount)));
    const now = this.now();
    const lines = (spec.lines ?? []).flatMap(({ id, quantity }) => {
      const line = order.lines.find((each) => each.id === id);
      return line ? [{ id: this.#itemId++, line, quantity }] : [];
    });
    const charges = [...order.shipping, ...order.fees]
      .filter(({ id }) => spec.charges?.includes(id))
      .map((charge) => ({ id: this.#itemId++, charge }));
    const worth = total([
      ...lines.map(({ line, quantity }) => {
        const { total: net, total_tax: tax } = this.lineJson(line, quantity);
        return new Big(net).plus(tax);
      }),
      ...charges.map(({ charge }) => half(charge.total, this.decimals).plus(this.taxOf(charge.taxes))),
    ]);
    const amount = spec.amount === undefined ? (worth.gt(0) ? worth : left) : new Big(spec.amount);
    if (amount.gt(left) || amount.lte(0)) throw new Error('Invalid refund amount.');
    const refund: Refund = {
      id: this.#postId++,
      reason: spec.reason ?? '',
      amount,
      createdMs: now,
      lines,
      charges,
    };
    order.refunds.unshift(refund); // newest first [O 035]
    for (const { line, quantity } of spec.restock === false ? [] : lines) {
      const pieces = Math.min(quantity, line.reduced);
      this.moveStock(line, -pieces);
      if (pieces > 0) this.countRestocked(line, pieces);
    }
    order.modifiedMs = now;
    if (amount.eq(left)) this.setStatus(order, 'refunded');
    this.webhooks.enqueue('order.updated', order.id);
    return refund;
  }

  /** A hidden meta entry, over all refunds [O rest/12]. */
  countRestocked(line: Line, pieces: number): void {
    const key = '_restock_refunded_items';
    const before = line.meta.find((meta) => meta.key === key);
    if (before) before.value = String(Number(before.value) + pieces);
    else line.meta.push(...this.newMeta([{ key, value: String(pieces) }]));
  }

  trash(order: Order): void {
    order.statusBeforeTrash = order.status;
    this.setStatus(order, 'trash');
    this.webhooks.enqueue('order.deleted', order.id);
  }

  restore(order: Order): Order {
    this.setStatus(order, order.statusBeforeTrash);
    this.webhooks.enqueue('order.restored', order.id);
    return order;
  }

  // --- JSON ------------------------------------------------------------------------------------------------

  dec(amount: Big): string {
    return half(amount, this.decimals).toFixed(this.decimals);
  }

  /** Each line, charge and tax rounded by itself, then added up. */
  totalOf(order: Order): Big {
    return total(
      [...order.lines, ...order.shipping, ...order.fees].map((part) =>
        half(part.total, this.decimals).plus(this.taxOf(part.taxes)),
      ),
    );
  }

  taxOf(taxes: Taxes): Big {
    return total([...taxes.values()].map((tax) => half(tax, this.decimals)));
  }

  rateTax(parts: readonly { readonly taxes: Taxes }[], rateId: number): Big {
    return total(parts.map(({ taxes }) => half(taxes.get(rateId) ?? new Big(0), this.decimals)));
  }

  taxesJson(taxes: Taxes, before?: Taxes) {
    return [...taxes].map(([id, tax]) => ({
      id,
      total: this.dec(tax),
      subtotal: before ? this.dec(before.get(id) ?? new Big(0)) : '',
    }));
  }

  /** Keys and their order as captured [O 025]. */
  orderJson(order: Order) {
    const goods = [...order.lines, ...order.fees];
    const cartTax = total(goods.map((part) => this.taxOf(part.taxes)));
    const shippingTax = total(order.shipping.map((part) => this.taxOf(part.taxes)));
    const discount = total(order.lines.map((line) => line.subtotal.minus(line.total)));
    const discountTax = total(
      order.lines.map((line) => total(line.subtotalTaxes.values()).minus(total(line.taxes.values()))),
    );
    const api = `${this.url}/wp-json/wc/v3`;
    const isPending = ['pending', 'on-hold', 'failed', 'checkout-draft'].includes(order.status);
    return {
      id: order.id,
      parent_id: 0,
      status: order.status,
      currency: order.currency,
      version: VERSION,
      prices_include_tax: this.options.pricesIncludeTax ?? false,
      date_created: gmt(order.createdMs),
      date_modified: gmt(order.modifiedMs),
      discount_total: this.dec(discount),
      discount_tax: this.dec(discountTax),
      shipping_total: this.dec(total(order.shipping.map((charge) => charge.total))),
      shipping_tax: this.dec(shippingTax),
      cart_tax: this.dec(cartTax),
      total: this.dec(this.totalOf(order)),
      total_tax: this.dec(cartTax.plus(shippingTax)),
      customer_id: order.customerId,
      order_key: order.key,
      billing: {
        ...addressJson(order.billing),
        email: order.billing.email ?? '',
        phone: order.billing.phone ?? '',
      },
      shipping: { ...addressJson(order.shippingAddress), phone: order.shippingAddress.phone ?? '' },
      payment_method: order.paymentMethod,
      payment_method_title: order.paymentTitle,
      transaction_id: order.transactionId,
      customer_ip_address: '',
      customer_user_agent: '',
      created_via: order.createdVia,
      customer_note: order.note,
      date_completed: gmt(order.completedMs),
      date_paid: gmt(order.paidMs),
      cart_hash: '',
      number: order.number,
      meta_data: order.meta,
      line_items: order.lines.map((line) => this.lineJson(line)),
      tax_lines: this.ratesFor(order).map((rate) => ({
        id: order.taxLineIds.get(rate.id) ?? 0,
        rate_code: rate.code,
        rate_id: rate.id,
        label: rate.name,
        compound: rate.compound ?? false,
        tax_total: this.dec(this.rateTax(goods, rate.id)),
        shipping_tax_total: this.dec(this.rateTax(order.shipping, rate.id)),
        rate_percent: Number(rate.percent),
        meta_data: [] as Meta[],
      })),
      shipping_lines: order.shipping.map((charge) => ({
        id: charge.id,
        method_title: charge.name,
        method_id: charge.method,
        instance_id: '',
        total: this.dec(charge.total),
        total_tax: this.dec(this.taxOf(charge.taxes)),
        taxes: this.taxesJson(charge.taxes),
        tax_status: 'taxable',
        meta_data: [] as Meta[],
      })),
      fee_lines: order.fees.map((fee) => ({
        id: fee.id,
        name: fee.name,
        tax_class: '',
        tax_status: fee.taxable ? 'taxable' : 'none',
        amount: '',
        total: this.dec(fee.total),
        total_tax: this.dec(this.taxOf(fee.taxes)),
        taxes: this.taxesJson(fee.taxes),
        meta_data: [] as Meta[],
      })),
      coupon_lines: order.coupons.map(({ id, coupon, discount: amount, tax }) => ({
        id,
        code: coupon.code,
        discount: amount.toFixed(), // not padded: "52.5" [O 045]
        discount_tax: tax.toFixed(),
        meta_data: [] as Meta[],
        discount_type: coupon.type,
        nominal_amount: Number(coupon.amount),
        free_shipping: false,
      })),
      refunds: order.refunds.map(({ id, reason, amount }) => ({ id, reason, total: `-${this.dec(amount)}` })),
      payment_url: `${this.url}/checkout/order-pay/${order.id}/?pay_for_order=true&key=${order.key}`,
      is_editable: ['pending', 'on-hold'].includes(order.status),
      needs_payment: isPending && order.status !== 'on-hold',
      needs_processing: !order.lines.every((line) => line.product?.virtual),
      date_created_gmt: gmt(order.createdMs),
      date_modified_gmt: gmt(order.modifiedMs),
      date_completed_gmt: gmt(order.completedMs),
      date_paid_gmt: gmt(order.paidMs),
      currency_symbol: SYMBOLS[order.currency] ?? order.currency,
      _links: {
        self: [{ href: `${api}/orders/${order.id}` }],
        collection: [{ href: `${api}/orders` }],
      },
    };
  }

  lineJson(line: Line, quantity = line.quantity, sign = 1) {
    const share = new Big(quantity).div(line.quantity || 1).times(sign);
    const scaled = (taxes: Taxes): Taxes => new Map([...taxes].map(([id, tax]) => [id, tax.times(share)]));
    const [amount, before] = [line.total.times(share), line.subtotal.times(share)];
    const { product } = line;
    return {
      id: line.id,
      name: line.name,
      product_id: product ? product.parentId || product.id : 0,
      variation_id: product?.parentId ? product.id : 0,
      quantity: quantity * sign,
      tax_class: '',
      subtotal: this.dec(before),
      subtotal_tax: this.dec(this.taxOf(scaled(line.subtotalTaxes))),
      total: this.dec(amount),
      total_tax: this.dec(this.taxOf(scaled(line.taxes))),
      taxes: this.taxesJson(scaled(line.taxes), scaled(line.subtotalTaxes)),
      meta_data: line.meta.map((meta) => ({ ...meta, display_key: meta.key, display_value: meta.value })),
      sku: product?.sku ?? '',
      global_unique_id: '',
      // A quotient of floats, noise and all: 134.54999999999998 [O 036].
      price: line.quantity ? Number(line.total) / line.quantity : 0,
      image: { id: '', src: '' },
      parent_name: null,
    };
  }

  refundJson(refund: Refund) {
    return {
      id: refund.id,
      date_created: gmt(refund.createdMs),
      date_created_gmt: gmt(refund.createdMs),
      amount: this.dec(refund.amount),
      reason: refund.reason,
      refunded_by: 1,
      refunded_payment: false,
      meta_data: [] as Meta[],
      line_items: refund.lines.map(({ id, line, quantity }) => ({
        ...this.lineJson(line, quantity, -1),
        id,
        meta_data: this.refundedItem(line.id),
      })),
      shipping_lines: this.refundedCharges(refund, ({ method }) => method !== ''),
      tax_lines: [],
      fee_lines: this.refundedCharges(refund, ({ method }) => method === ''),
    };
  }

  refundedItem(id: number) {
    const key = '_refunded_item_id';
    return [{ id: 0, key, value: String(id), display_key: key, display_value: String(id) }];
  }

  refundedCharges({ charges }: Refund, isOne: (charge: Charge) => boolean) {
    const negative = (amount: Big) => this.dec(amount.times(-1));
    return charges
      .filter(({ charge }) => isOne(charge))
      .map(({ id, charge }) => ({
        id,
        total: negative(charge.total),
        total_tax: negative(this.taxOf(charge.taxes)),
        taxes: [...charge.taxes].map(([rate, tax]) => ({ id: rate, total: negative(tax), subtotal: '' })),
        meta_data: this.refundedItem(charge.id),
      }));
  }

  /** What connectors read of a product, with the types that WooCommerce gives [O products]. */
  productJson(product: Product) {
    // What a variation has not, it has from its product (class-wc-product-variation.php).
    const parent = this.products.get(product.parentId);
    const stock = product.stock ?? parent?.stock;
    return {
      id: product.id,
      name: product.name,
      slug: encodeURIComponent(product.name.toLowerCase().replaceAll(' ', '-')).toLowerCase(),
      permalink: `${this.url}/?p=${product.id}`,
      date_created: gmt(product.createdMs),
      date_created_gmt: gmt(product.createdMs),
      date_modified: gmt(product.modifiedMs),
      date_modified_gmt: gmt(product.modifiedMs),
      type: product.type,
      status: product.status,
      sku: product.sku || (parent?.sku ?? ''),
      price: product.price,
      regular_price: product.price,
      sale_price: product.salePrice,
      date_on_sale_from_gmt: product.saleFrom || null,
      date_on_sale_to_gmt: product.saleTo || null,
      on_sale: product.salePrice !== '',
      purchasable: true,
      total_sales: product.sold,
      virtual: product.virtual,
      downloadable: false,
      tax_status: 'taxable',
      tax_class: '',
      manage_stock: product.stock !== undefined || (parent?.stock === undefined ? false : 'parent'),
      stock_quantity: stock ?? null,
      backorders: 'no',
      weight: '',
      parent_id: product.parentId,
      categories: [],
      images: [],
      attributes: [],
      variations:
        product.type === 'variable'
          ? [...this.products.values()].filter((each) => each.parentId === product.id).map((each) => each.id)
          : [],
      meta_data: [] as Meta[],
      stock_status: stock === undefined || stock > 0 ? 'instock' : 'outofstock',
    };
  }
}

const DEFAULT_ADDRESS: FakeAddress = {
  first_name: '小明',
  last_name: '王',
  address_1: '測試路一段 1 號',
  city: '台北市',
  postcode: '100',
  country: 'TW',
  email: 'ming.wang@example.test',
  phone: '+886 2 5550 0000',
};

const addressJson = (address: FakeAddress) => ({
  first_name: address.first_name ?? '',
  last_name: address.last_name ?? '',
  company: address.company ?? '',
  address_1: address.address_1 ?? '',
  address_2: address.address_2 ?? '',
  city: address.city ?? '',
  state: address.state ?? '',
  postcode: address.postcode ?? '',
  country: address.country ?? '',
});

/** Bank transfer and cheque wait, cash on delivery is accepted, others wait for the provider [O 084, 087; D]. */
const statusByGateway = (order: Order, paid: boolean): string => {
  if (paid) return order.paymentMethod === 'cod' ? 'completed' : 'processing';
  if (order.createdVia === 'rest-api') return 'pending';
  if (order.paymentMethod === 'cod') return 'processing';
  return ['bacs', 'cheque'].includes(order.paymentMethod) ? 'on-hold' : 'pending';
};

/** Compound rates on top of everything before them; not rounded. */
const taxesOn = (amount: Big, rates: readonly Rate[]): Taxes => {
  const taxes = new Map<number, Big>();
  for (const rate of [...rates].sort((a, b) => Number(a.compound ?? false) - Number(b.compound ?? false))) {
    const base = rate.compound ? amount.plus(total(taxes.values())) : amount;
    taxes.set(rate.id, base.times(rate.percent).div(100));
  }
  return taxes;
};

const grossFactor = (rates: readonly Rate[]): Big =>
  new Big(1).plus(total(taxesOn(new Big(1), rates).values()));

const gmt = <T extends number | undefined>(ms: T): T extends number ? string : string | null =>
  (ms === undefined ? null : new Date(ms).toISOString().slice(0, 19)) as T extends number
    ? string
    : string | null;

/** PHP's json_encode: non-ASCII as \uXXXX, slashes as \/ [O bodies]. */
const phpJson = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll('/', '\\/')
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

// --- webhooks ----------------------------------------------------------------------------------------------

const DELIVERY_TIMEOUT_MS = 60_000; // [W deliver]
const FAILURES_ALLOWED = 5; // [W failed_delivery]

class Webhooks {
  readonly all: FakeWebhook[] = [];
  readonly deliveries: FakeDelivery[] = [];
  readonly #shop: Shop;
  readonly #queue: { readonly webhook: FakeWebhook; readonly id: number; readonly dueMs: number }[] = [];
  readonly #underWay: { readonly webhook: FakeWebhook; readonly id: number }[] = [];
  #waiting: { readonly isOver: () => boolean; readonly resolve: () => void }[] = [];

  constructor(shop: Shop) {
    this.#shop = shop;
  }

  async register(spec: { topic: string; deliveryUrl: string; secret: string }): Promise<FakeWebhook> {
    const webhook: FakeWebhook = {
      id: this.all.length + 1,
      ...spec,
      status: 'active',
      failures: 0,
      pendingDelivery: true,
    };
    this.all.push(webhook);
    await this.ping(webhook);
    return webhook;
  }

  /** Unsigned, without any header of a delivery, and content only with exactly 200 [W deliver_ping; O 001]. */
  async ping(webhook: FakeWebhook): Promise<void> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const status = await this.#send('ping', webhook, 0, headers, `webhook_id=${webhook.id}`);
    webhook.pendingDelivery = status !== 200;
  }

  /**
   * Only active webhooks are queued, and a queued delivery for the same entity covers later changes, because its
   * body is built when it is sent [W should_deliver, wc_webhook_process_delivery; O 111, 112].
   */
  enqueue(topic: string, id: number): void {
    for (const webhook of this.all) {
      if (webhook.status !== 'active' || webhook.topic !== topic) continue;
      if (this.#queue.some((job) => job.webhook === webhook && job.id === id)) continue;
      const dueMs = performance.now() + (this.#shop.options.deliveryDelayMs ?? 0);
      this.#queue.push({ webhook, id, dueMs });
    }
    setImmediate(() => this.#work());
  }

  #work(): void {
    this.#waiting = this.#waiting.filter(({ isOver, resolve }) => {
      if (isOver()) resolve();
      return !isOver();
    });
    while (this.#underWay.length < (this.#shop.options.deliveryConcurrency ?? 1)) {
      const waitMs = (this.#queue[0]?.dueMs ?? 0) - performance.now();
      if (waitMs > 0) return void setTimeout(() => this.#work(), waitMs);
      const job = this.#queue.shift();
      if (!job) return;
      this.#underWay.push(job);
      void this.#deliver(job.webhook, job.id).finally(() => {
        this.#underWay.splice(this.#underWay.indexOf(job), 1);
        this.#work();
      });
    }
  }

  #until(isOver: () => boolean): Promise<void> {
    return isOver() ? Promise.resolve() : new Promise((resolve) => this.#waiting.push({ isOver, resolve }));
  }

  /** Everything queued has been answered. */
  settled(): Promise<void> {
    return this.#until(() => this.#queue.length === 0 && this.#underWay.length === 0);
  }

  /** Everything queued about one entity has been answered. */
  sent(id: number): Promise<void> {
    return this.#until(() => [...this.#queue, ...this.#underWay].every((job) => job.id !== id));
  }

  /** Drops what is queued, waits for what is under way. */
  stop(): Promise<void> {
    this.#queue.length = 0;
    return this.settled();
  }

  async #deliver(webhook: FakeWebhook, id: number): Promise<void> {
    const shop = this.#shop;
    const [resource = '', event = ''] = webhook.topic.split('.');
    const order = shop.orders.get(id);
    const product = shop.products.get(id);
    const payload =
      event === 'deleted'
        ? { id } // [O 070]
        : resource === 'order' && order
          ? shop.orderJson(order)
          : resource === 'product' && product
            ? shop.productJson(product)
            : wpError(`woocommerce_rest_shop_${resource}_invalid_id`, 'Invalid ID.', 404);
    const body = phpJson(payload);
    const headers = {
      'content-type': 'application/json',
      'x-wc-webhook-source': `${shop.url}/`,
      'x-wc-webhook-topic': webhook.topic,
      'x-wc-webhook-resource': resource,
      'x-wc-webhook-event': event,
      'x-wc-webhook-signature': createHmac('sha256', decodedSecret(webhook.secret))
        .update(body)
        .digest('base64'),
      'x-wc-webhook-id': String(webhook.id),
      // A hash of webhook id and second, so two in one second share it [W get_new_delivery_id].
      'x-wc-webhook-delivery-id': createHash('md5').update(`${webhook.id}${shop.now()}`).digest('hex'),
    };
    const status = await this.#send(webhook.topic, webhook, id, headers, body);
    // No repetition. The count goes up to 6; one more failure switches the webhook off [W log_delivery].
    if (status >= 200 && status < 303) webhook.failures = 0;
    else if (webhook.failures > FAILURES_ALLOWED) webhook.status = 'disabled';
    else webhook.failures += 1;
  }

  async redeliver(index: number): Promise<number> {
    const delivery = this.deliveries[index];
    const webhook = this.all.find((each) => each.id === delivery?.webhookId);
    if (!delivery || !webhook) throw new Error(`there was no delivery ${index}`);
    return this.#send(delivery.topic, webhook, delivery.orderId, delivery.headers, delivery.body);
  }

  async #send(
    topic: string,
    webhook: FakeWebhook,
    orderId: number,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<number> {
    const url = webhook.deliveryUrl;
    const delivery: FakeDelivery = {
      topic,
      webhookId: webhook.id,
      orderId,
      url,
      headers,
      body,
      sentAtMs: Date.now(),
      answeredAtMs: undefined,
      status: undefined,
    };
    this.deliveries.push(delivery);
    delivery.status = await fetch(url, {
      method: 'POST',
      headers: { 'user-agent': USER_AGENT, accept: '*/*', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
    }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      () => 0,
    );
    delivery.answeredAtMs = Date.now();
    return delivery.status;
  }
}

/** `wp_specialchars_decode($secret, ENT_QUOTES)` before signing [W generate_signature]. */
const decodedSecret = (secret: string): string =>
  secret
    .replace(/&(lt|#0*60);/g, '<')
    .replace(/&(gt|#0*62);/g, '>')
    .replace(/&(quot|#0*34|#[xX]0*22);/g, '"')
    .replace(/&(#0*39|#[xX]0*27);/g, "'")
    .replace(/&(amp|#0*38|#[xX]0*26);/g, '&');

// --- REST --------------------------------------------------------------------------------------------------

type App = Parameters<Parameters<typeof startPeerServer>[0]>[0];
type Query = Readonly<Record<string, string | undefined>>;

const wpError = (code: string, message: string, status: number) => ({ code, message, data: { status } });

class RestError extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const routes = (app: App, shop: Shop): void => {
  app.addHook('preSerialization', async (_request, reply, payload) => {
    reply.header('content-type', 'application/json; charset=UTF-8');
    reply.header('date', new Date(shop.now()).toUTCString());
    return payload;
  });
  app.setReplySerializer((payload) => phpJson(payload));
  app.setErrorHandler((error, _request, reply) => {
    const { code, message, status } =
      error instanceof RestError
        ? error
        : new RestError('internal_server_error', 'There has been a critical error.', 500);
    reply.code(status).send(wpError(code, message, status));
  });
  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send(wpError('rest_no_route', 'No route was found matching the URL and request method.', 404)),
  );
  app.addHook('preHandler', async (request) => {
    if (request.url.startsWith('/wp-json/wc/v3/') && !request.headers['x-fake-replay'])
      authenticate(request, shop);
  });

  const base = '/wp-json/wc/v3';
  const orderOf = (request: FastifyRequest): Order => {
    const order = shop.orders.get(idOf(request));
    if (!order) throw new RestError('woocommerce_rest_shop_order_invalid_id', 'Invalid ID.', 404); // [O rest/27]
    return order;
  };
  const productOf = (request: FastifyRequest): Product => {
    const product = shop.products.get(idOf(request));
    if (!product) throw new RestError('woocommerce_rest_product_invalid_id', 'Invalid ID.', 404);
    return product;
  };

  app.get(`${base}/orders`, async (request, reply) => {
    const query = request.query as Query;
    const changedAfterMs = query['modified_after']
      ? utcMs(query['modified_after'], 'modified_after')
      : undefined;
    // Strictly, as WP_Date_Query compares unless `inclusive` is set.
    const changedBeforeMs = query['modified_before']
      ? utcMs(query['modified_before'], 'modified_before')
      : undefined;
    const placedAfterMs = query['after'] ? utcMs(query['after'], 'after') : undefined;
    const statuses = query['status'] && query['status'] !== 'any' ? query['status'].split(',') : undefined;
    const by = query['orderby'] ?? 'date';
    // Columns of the database hold whole seconds.
    const secondOf = ({ modifiedMs }: Order) => Math.floor(modifiedMs / 1000) * 1000;
    const key = (order: Order) =>
      by === 'modified' ? secondOf(order) : by === 'id' ? order.id : order.createdMs;
    const direction = query['order'] === 'asc' ? 1 : -1;
    const found = [...shop.orders.values()]
      .filter((order) => (statuses ? statuses.includes(order.status) : order.status !== 'trash'))
      .filter((order) => changedAfterMs === undefined || secondOf(order) > changedAfterMs)
      .filter((order) => changedBeforeMs === undefined || secondOf(order) < changedBeforeMs)
      .filter((order) => placedAfterMs === undefined || order.createdMs > placedAfterMs)
      .sort((a, b) => direction * (key(a) - key(b) || a.id - b.id));
    return page(found, request, reply).map((order) => shop.orderJson(order));
  });
  app.get(`${base}/orders/:id`, async (request) => shop.orderJson(orderOf(request)));
  app.post(`${base}/orders`, async (request, reply) => {
    const order = await shop.place({ ...specFromRest(bodyOf(request), shop), via: 'rest-api' });
    return reply.code(201).send(shop.orderJson(order));
  });
  const updateOrder = async (request: FastifyRequest) => {
    const body = bodyOf(request);
    const status = body['status'] as string | undefined;
    if (status !== undefined && !STATUSES.includes(status)) {
      throw new RestError('rest_invalid_param', 'Invalid parameter(s): status', 400);
    }
    return shop.orderJson(shop.update(orderOf(request), patchFromRest(body, shop)));
  };
  app.put(`${base}/orders/:id`, updateOrder);
  app.post(`${base}/orders/:id`, updateOrder);
  app.delete(`${base}/orders/:id`, async (request) => {
    const order = orderOf(request);
    if ((request.query as Query)['force'] !== 'true') {
      shop.trash(order);
      return shop.orderJson(order);
    }
    shop.orders.delete(order.id); // fires nothing [O rest/18]
    return shop.orderJson(order);
  });
  app.get(`${base}/orders/:id/refunds`, async (request, reply) =>
    page(orderOf(request).refunds, request, reply).map((each) => shop.refundJson(each)),
  );
  app.post(`${base}/orders/:id/refunds`, async (request, reply) => {
    const body = bodyOf(request);
    const items = (body['line_items'] ?? []) as { id: number; quantity: number }[];
    const {
      amount,
      reason,
      api_restock: restock = true,
    } = body as {
      amount?: string;
      reason?: string;
      api_restock?: boolean;
    };
    try {
      const refund = shop.refund(orderOf(request), {
        ...(amount && { amount }),
        reason: reason ?? '',
        lines: items,
        restock,
      });
      return reply.code(201).send(shop.refundJson(refund));
    } catch (error) {
      if (error instanceof RestError) throw error;
      throw new RestError('woocommerce_rest_invalid_order_refund', 'Invalid refund amount.', 400);
    }
  });

  app.get(`${base}/products`, async (request, reply) => {
    const query = request.query as Query;
    const direction = (query['order'] ?? 'desc') === 'asc' ? 1 : -1;
    // Split at commas, and as a whole; MySQL folds case. Only by SKU variations are found, too [P prepare_objects_query].
    const skus = query['sku'] && [query['sku'], ...query['sku'].split(',')].map((sku) => sku.toLowerCase());
    const found = [...shop.products.values()]
      .filter((product) => (skus ? skus.includes(product.sku.toLowerCase()) : product.parentId === 0))
      .filter(included(query))
      .sort((a, b) => direction * (a.id - b.id));
    return page(found, request, reply).map((product) => shop.productJson(product));
  });
  app.get(`${base}/products/:id`, async (request) => shop.productJson(productOf(request)));
  app.post(`${base}/products`, async (request, reply) => {
    const body = bodyOf(request) as {
      sku?: string;
      name?: string;
      regular_price?: string;
      stock_quantity?: number;
      manage_stock?: boolean;
      status?: 'publish' | 'draft';
    };
    if (body.sku && shop.bySku(body.sku)) {
      throw new RestError('product_invalid_sku', 'Invalid or duplicated SKU.', 400); // [O rest/30]
    }
    const { sku = '', name = 'Product', regular_price: price = '', stock_quantity: stock } = body;
    const product = shop.addProduct({
      sku,
      name,
      price,
      ...(stock !== undefined && { stock }),
      ...(body.status && { status: body.status }),
    });
    return reply.code(201).send(shop.productJson(product));
  });
  const changeProduct = (product: Product, body: Readonly<Record<string, unknown>>) => {
    const text = (name: string, set: (value: string) => void) => {
      // `isset`: null is not looked at.
      if (typeof body[name] === 'string') set(body[name]);
    };
    text('regular_price', (value) => {
      product.price = value;
    });
    text('name', (value) => {
      product.name = value;
    });
    text('sku', (value) => {
      product.sku = value;
    });
    text('status', (value) => {
      product.status = value;
    });
    text('sale_price', (value) => {
      product.salePrice = value;
    });
    text('date_on_sale_from_gmt', (value) => {
      product.saleFrom = value;
    });
    text('date_on_sale_to_gmt', (value) => {
      product.saleTo = value;
    });
    // Without stock management the number is not kept.
    const manages = body['manage_stock'] ?? product.stock !== undefined;
    if (typeof body['stock_quantity'] === 'number' && manages) product.stock = body['stock_quantity'];
    product.modifiedMs = shop.now();
    shop.webhooks.enqueue('product.updated', product.id);
    return shop.productJson(product);
  };
  app.put(`${base}/products/:id`, async (request) => changeProduct(productOf(request), bodyOf(request)));
  app.delete(`${base}/products/:id`, async (request) => {
    const product = productOf(request);
    shop.products.delete(product.id);
    shop.webhooks.enqueue('product.deleted', product.id);
    return shop.productJson(product);
  });
  app.get(`${base}/products/:id/variations`, async (request, reply) => {
    const parent = productOf(request);
    const query = request.query as Query;
    const found = [...shop.products.values()]
      .filter(({ parentId }) => parentId === parent.id)
      .filter(included(query))
      .sort((a, b) => a.id - b.id);
    return page(found, request, reply).map((product) => shop.productJson(product));
  });
  const batch = (
    request: FastifyRequest,
    find: (id: number) => Product | ReturnType<typeof wpError>,
  ): { update: unknown[] } => {
    const update = (bodyOf(request)['update'] ?? []) as ({ id: number } & Record<string, unknown>)[];
    shop.batches.push({ path: (request.url.split('?')[0] ?? '').replace(base, ''), entries: update.length });
    if (update.length > MAX_BATCH) {
      const message = `Unable to accept more than ${MAX_BATCH} items for this request.`;
      throw new RestError('woocommerce_rest_request_entity_too_large', message, 413);
    }
    // 200 even when some fail [O rest/32].
    return {
      update: update.map((change) => {
        const found = find(change.id);
        return 'sku' in found ? changeProduct(found, change) : { id: change.id, error: found };
      }),
    };
  };
  const unknownProduct = wpError('woocommerce_rest_product_invalid_id', 'Invalid ID.', 400);
  app.post(`${base}/products/batch`, async (request) =>
    batch(request, (id) => {
      const product = shop.products.get(id);
      if (product?.type !== 'variation') return product ?? unknownProduct;
      const message =
        'To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.';
      return wpError('woocommerce_rest_invalid_product_id', message, 404); // [P prepare_object_for_database]
    }),
  );
  app.post(`${base}/products/:id/variations/batch`, async (request) => {
    const parent = idOf(request);
    return batch(request, (id) => {
      const product = shop.products.get(id);
      if (product?.parentId === parent) return product;
      return wpError('woocommerce_rest_product_variation_invalid_id', 'Invalid ID.', 400);
    });
  });
  app.get(`${base}/settings/:group/:id`, async (request) => {
    const { group, id } = request.params as { group: string; id: string };
    const settings: Readonly<Record<string, string>> = {
      'general/woocommerce_currency': shop.options.currency,
      'tax/woocommerce_prices_include_tax': shop.options.pricesIncludeTax ? 'yes' : 'no',
    };
    const value = settings[`${group}/${id}`];
    if (value === undefined) throw new RestError('rest_setting_setting_invalid', 'Invalid setting.', 404);
    return { id, value };
  });

  const webhookJson = (webhook: FakeWebhook) => {
    const [resource, event] = webhook.topic.split('.');
    const { id, status, topic, deliveryUrl: delivery_url } = webhook;
    return { id, name: `Webhook ${id}`, status, topic, resource, event, delivery_url };
  };
  const webhookOf = (request: FastifyRequest): FakeWebhook => {
    const webhook = shop.webhooks.all.find((each) => each.id === idOf(request));
    if (!webhook) throw new RestError('woocommerce_rest_shop_webhook_invalid_id', 'Invalid ID.', 404);
    return webhook;
  };
  app.get(`${base}/webhooks`, async (request, reply) => {
    const { status } = request.query as Query;
    const found = shop.webhooks.all.filter((each) => !status || status === 'all' || each.status === status);
    return page(found, request, reply).map(webhookJson);
  });
  app.get(`${base}/webhooks/:id`, async (request) => webhookJson(webhookOf(request)));
  app.post(`${base}/webhooks`, async (request, reply) => {
    const { topic, delivery_url: deliveryUrl, secret = '' } = bodyOf(request) as Record<string, string>;
    if (!topic || !deliveryUrl)
      throw new RestError('woocommerce_rest_invalid_webhook', 'Missing parameter.', 400);
    return reply.code(201).send(webhookJson(await shop.webhooks.register({ topic, deliveryUrl, secret })));
  });
  app.put(`${base}/webhooks/:id`, async (request) => {
    const webhook = webhookOf(request);
    const { status } = bodyOf(request) as { status?: FakeWebhook['status'] };
    if (status) Object.assign(webhook, { status, failures: 0 });
    if (webhook.pendingDelivery) await shop.webhooks.ping(webhook);
    return webhookJson(webhook);
  });
};

/** Objects in one batch [D, Batch update products]. */
const MAX_BATCH = 100;

const included = (query: Query): ((product: Product) => boolean) => {
  const ids = query['include']?.split(',').map(Number);
  return ({ id }) => ids === undefined || ids.includes(id);
};

const idOf = (request: FastifyRequest): number => Number((request.params as { id: string }).id);

const bodyOf = (request: FastifyRequest): Readonly<Record<string, unknown>> => {
  try {
    return JSON.parse(String(request.body ?? '{}')) as Record<string, unknown>;
  } catch {
    throw new RestError('rest_invalid_json', 'Invalid JSON body passed.', 400);
  }
};

/** Without an offset, in UTC: the shop's zone is UTC here, so `dates_are_gmt` makes no difference. */
const utcMs = (text: string, name: string): number => {
  const ms = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(ms)) throw new RestError('rest_invalid_param', `Invalid parameter(s): ${name}`, 400);
  return ms;
};

/** `X-WP-Total`, `X-WP-TotalPages` and `Link` [O rest/26]; at most 100 a page [D]. */
const page = <T>(found: readonly T[], request: FastifyRequest, reply: FastifyReply): T[] => {
  const query = request.query as Query;
  const size = Number(query['per_page'] ?? 10);
  const number = Number(query['page'] ?? 1);
  if (!(size >= 1 && size <= 100))
    throw new RestError('rest_invalid_param', 'Invalid parameter(s): per_page', 400);
  const pages = Math.ceil(found.length / size);
  reply.header('x-wp-total', String(found.length)).header('x-wp-totalpages', String(pages));
  if (number < pages) {
    const next = new URL(request.url, `http://${request.headers.host}`);
    next.searchParams.set('page', String(number + 1));
    reply.header('link', `<${next.href}>; rel="next"`);
  }
  return found.slice((number - 1) * size, number * size);
};

const specFromRest = (body: Readonly<Record<string, unknown>>, shop: Shop): FakeOrderSpec => {
  const rest = body as {
    status?: string;
    set_paid?: boolean;
    currency?: string;
    customer_id?: number;
    customer_note?: string;
    payment_method?: string;
    payment_method_title?: string;
    transaction_id?: string;
    billing?: FakeAddress;
    shipping?: FakeAddress;
    line_items?: { product_id?: number; variation_id?: number; quantity: number; meta_data?: FakeMeta[] }[];
    shipping_lines?: { method_id: string; method_title: string; total: string }[];
    fee_lines?: { name: string; total: string; tax_status?: string }[];
    coupon_lines?: { code: string }[];
    meta_data?: FakeMeta[];
  };
  const [shipping] = rest.shipping_lines ?? [];
  return {
    lines: (rest.line_items ?? []).map((line) => ({
      sku: shop.products.get(line.variation_id || (line.product_id ?? 0))?.sku ?? '',
      quantity: line.quantity,
      meta: line.meta_data ?? [],
    })),
    ...(shipping && {
      shipping: { method: shipping.method_id, title: shipping.method_title, total: shipping.total },
    }),
    fees: (rest.fee_lines ?? []).map(({ name, total: amount, tax_status }) => ({
      name,
      total: amount,
      taxable: tax_status !== 'none',
    })),
    coupons: (rest.coupon_lines ?? []).map(({ code }) => code),
    paymentMethod: rest.payment_method ?? '',
    paymentTitle: rest.payment_method_title ?? '',
    transactionId: rest.transaction_id ?? '',
    paid: rest.set_paid ?? false,
    ...(rest.status && { status: rest.status }),
    billing: rest.billing ?? {},
    shippingAddress: rest.shipping ?? null,
    customerId: rest.customer_id ?? 0,
    note: rest.customer_note ?? '',
    meta: rest.meta_data ?? [],
    ...(rest.currency && { currency: rest.currency }),
  };
};

const patchFromRest = (body: Readonly<Record<string, unknown>>, shop: Shop): FakeOrderPatch => {
  const rest = body as {
    status?: string;
    customer_note?: string;
    transaction_id?: string;
    billing?: FakeAddress;
    shipping?: FakeAddress;
    line_items?: { id?: number; product_id?: number; quantity: number; total?: string }[];
    meta_data?: FakeMeta[];
  };
  return {
    ...(rest.status !== undefined && { status: rest.status }),
    ...(rest.customer_note !== undefined && { note: rest.customer_note }),
    ...(rest.transaction_id !== undefined && { transactionId: rest.transaction_id }),
    ...(rest.billing && { billing: rest.billing }),
    ...(rest.shipping && { shippingAddress: rest.shipping }),
    ...(rest.meta_data && { meta: rest.meta_data }),
    ...(rest.line_items && {
      lines: rest.line_items.map(({ id, product_id, quantity, total: amount }) => ({
        ...(id !== undefined && { id }),
        sku: shop.products.get(product_id ?? 0)?.sku ?? '',
        quantity,
        ...(amount !== undefined && { total: amount }),
      })),
    }),
  };
};

const OAUTH_WINDOW_S = 15 * 60; // [A check_oauth_timestamp_and_nonce]

/**
 * Over plain http only OAuth 1.0a without token; Basic is not even looked at [A authenticate; O].
 * @throws RestError 401
 */
const authenticate = (request: FastifyRequest, shop: Shop): void => {
  const refuse = (message: string, code = 'woocommerce_rest_authentication_error') => {
    throw new RestError(code, message, 401);
  };
  const query = request.query as Record<string, string>;
  const names = ['consumer_key', 'timestamp', 'nonce', 'signature', 'signature_method'].map(
    (name) => `oauth_${name}`,
  );
  if (names.every((name) => !query[name])) {
    refuse('Sorry, you cannot list resources.', 'woocommerce_rest_cannot_view'); // [O rest/90]
  }
  if (names.some((name) => !query[name])) {
    refuse('Missing OAuth parameters', 'woocommerce_rest_authentication_missing_parameter');
  }
  const { oauth_signature: given = '', ...signed } = query;
  if (signed['oauth_consumer_key'] !== shop.options.consumerKey) refuse('Consumer key is invalid.');
  const method = signed['oauth_signature_method'];
  if (method !== 'HMAC-SHA256' && method !== 'HMAC-SHA1')
    refuse('Invalid signature - signature method is invalid.');
  const address = `http://${request.headers.host}${request.url.split('?')[0]}`;
  const pairs = Object.keys(signed)
    .sort()
    .map((name) => `${encoded(name)}=${encoded(signed[name] ?? '')}`);
  const text = [request.method, encoded(address), encoded(pairs.join('&'))].join('&');
  const wanted = createHmac(method === 'HMAC-SHA1' ? 'sha1' : 'sha256', `${shop.options.consumerSecret}&`)
    .update(text)
    .digest();
  const signature = Buffer.from(given, 'base64');
  if (signature.length !== wanted.length || !timingSafeEqual(signature, wanted)) {
    refuse('Invalid signature - provided signature does not match.');
  }
  const ageS = (shop.options.nowMs ?? Date.now)() / 1000 - Number(signed['oauth_timestamp']);
  if (!(Math.abs(ageS) <= OAUTH_WINDOW_S)) refuse('Invalid timestamp.');
  const nonce = signed['oauth_nonce'] ?? '';
  if (shop.usedNonces.has(nonce)) refuse('Invalid nonce - nonce has already been used.');
  shop.usedNonces.add(nonce);
};

/** RFC 3986. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
