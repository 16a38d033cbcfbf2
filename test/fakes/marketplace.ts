import { createHmac } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type PeerServer, startPeerServer } from './peer-server.ts';

/**
 * A marketplace: a push says which order changed and nothing else, the order is fetched by its id. Keeps state in memory.
 *
 * It behaves like Shopee where they differ (Shopee Open Platform v2: developer guide "Push Mechanism" and "API calls",
 * pages v2.order.get_order_list, v2.order.get_order_detail, v2.payment.get_escrow_detail, v2.product.update_stock), because the contract has
 * to fit that before its connector is written; names are simplified, so nothing here is proof of Shopee's API.
 */

export interface FakeMarketplaceOptions {
  readonly partnerId: number;
  readonly partnerKey: string;
  readonly shopId: number;
  readonly accessToken: string;
  readonly products: readonly FakeMarketplaceProduct[];
  readonly nowMs?: () => number;
}

export interface FakeMarketplaceProduct {
  readonly modelSku: string;
  readonly name: string;
  /** Tax is in the price, and stated nowhere. */
  readonly price: number;
  readonly discounted?: number;
  readonly stock: number;
  /** Pieces that a running promotion holds: the seller can set no less, and not change the price. */
  readonly promotionStock?: number;
}

export interface FakeMarketplaceOrderSpec {
  readonly lines: readonly { readonly modelSku: string; readonly quantity: number }[];
  readonly shippingFee?: number;
  /** The platform pays this part of what the buyer would have paid. */
  readonly platformVoucher?: number;
  readonly cashOnDelivery?: boolean;
  readonly note?: string;
}

/** As it is answered; seconds, and amounts as numbers. */
export interface FakeMarketplaceOrder {
  readonly order_sn: string;
  order_status: string;
  update_time: number;
  readonly [field: string]: unknown;
}

export interface FakeMarketplacePush {
  readonly url: string;
  readonly authorization: string;
  readonly body: string;
  /** undefined while under way; 0 when no answer came. */
  status: number | undefined;
  /** The platform wants an answer without a body. */
  answer: string;
}

export interface FakeMarketplace {
  readonly url: string;
  readonly server: PeerServer;
  placeOrder(spec: FakeMarketplaceOrderSpec): FakeMarketplaceOrder;
  /** The seller packs it: the platform assigns carrier and tracking number, which nobody can change. */
  arrange(orderSn: string): FakeMarketplaceOrder;
  /** The buyer has it; what the platform keeps for itself is known only now. */
  complete(orderSn: string): FakeMarketplaceOrder;
  cancel(orderSn: string): FakeMarketplaceOrder;
  order(orderSn: string): FakeMarketplaceOrder | undefined;
  /** One address for the whole app. */
  subscribe(callbackUrl: string, pushKey: string): void;
  readonly pushes: readonly FakeMarketplacePush[];
  /** Something else that is pushed, e.g. the change of a promotion. */
  push(code: number, data: object, shopId?: number): void;
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Push codes of Shopee. */
export const PUSH = { shopAuthorised: 1, orderStatus: 3, trackingNumber: 4, promotion: 9 } as const;

/** Of `get_order_list`: 15 days. */
const LONGEST_WINDOW_S = 15 * 24 * 60 * 60;

const COMMISSION = 0.06;
const TRANSACTION_FEE = 0.02;

export const startFakeMarketplace = async (options: FakeMarketplaceOptions): Promise<FakeMarketplace> => {
  const { partnerId, partnerKey, shopId, accessToken, nowMs = Date.now } = options;
  const nowS = () => Math.floor(nowMs() / 1000);
  const orders = new Map<string, FakeMarketplaceOrder>();
  const stock = new Map(options.products.map((product) => [product.modelSku, product.stock]));
  const incomes = new Map<string, Record<string, number>>();
  const pushes: FakeMarketplacePush[] = [];
  const underWay = new Set<Promise<void>>();
  let hook: { url: string; key: string } | undefined;

  const send = (code: number, data: object, shop = shopId): void => {
    if (!hook) return;
    const { url, key } = hook;
    const body = JSON.stringify({ data, shop_id: shop, code, timestamp: nowS() });
    const authorization = createHmac('sha256', key).update(`${url}|${body}`).digest('hex');
    const push: FakeMarketplacePush = { url, authorization, body, status: undefined, answer: '' };
    pushes.push(push);
    const sent = fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body,
    })
      .then(async (response) => {
        push.answer = await response.text();
        push.status = response.status;
      })
      .catch(() => {
        push.status = 0;
      })
      .finally(() => underWay.delete(sent));
    underWay.add(sent);
  };

  const require = (orderSn: string): FakeMarketplaceOrder => {
    const order = orders.get(orderSn);
    if (!order) throw new Error(`the fake marketplace has no order ${orderSn}`);
    return order;
  };
  const change = (orderSn: string, status: string, more: object = {}): FakeMarketplaceOrder => {
    const order: FakeMarketplaceOrder = {
      ...require(orderSn),
      ...more,
      order_status: status,
      update_time: nowS(),
    };
    orders.set(orderSn, order);
    // The id is called `ordersn` in a push and `order_sn` everywhere else.
    send(PUSH.orderStatus, { ordersn: orderSn, status, update_time: order.update_time, items: [] });
    return order;
  };

  const place = (spec: FakeMarketplaceOrderSpec): FakeMarketplaceOrder => {
    const { shippingFee = 60, platformVoucher = 0, cashOnDelivery = false } = spec;
    const orderSn = `2611${String(21_000_000 + orders.size + 1)}ABCD`;
    const items = spec.lines.map(({ modelSku, quantity }, index) => {
      const product = options.products.find((each) => each.modelSku === modelSku);
      if (!product) throw new Error(`the fake marketplace does not sell ${modelSku}`);
      stock.set(modelSku, (stock.get(modelSku) ?? 0) - quantity);
      return {
        order_item_id: 3_400_133_011 + index,
        item_name: product.name,
        model_sku: modelSku,
        model_quantity_purchased: quantity,
        model_original_price: product.price,
        model_discounted_price: product.discounted ?? product.price,
      };
    });
    const goods = items.reduce((sum, i) => sum + i.model_discounted_price * i.model_quantity_purchased, 0);
    orders.set(orderSn, {
      order_sn: orderSn,
      region: 'TW',
      currency: 'TWD',
      cod: cashOnDelivery,
      order_status: 'READY_TO_SHIP',
      create_time: nowS(),
      update_time: nowS(),
      pay_time: cashOnDelivery ? null : nowS(),
      total_amount: goods + shippingFee - platformVoucher,
      actual_shipping_fee: shippingFee,
      voucher_from_platform: platformVoucher,
      payment_method: cashOnDelivery ? 'Cash on Delivery' : 'Credit Card',
      message_to_seller: spec.note ?? '',
      buyer_user_id: 258_065,
      buyer_username: 'b****r',
      shipping_carrier: '7-ELEVEN',
      // Masked: two buyers called Wang share it.
      recipient_address: {
        name: '王****',
        phone: '****23',
        full_address: '****',
        city: '台北市',
        zipcode: '110',
        region: 'TW',
      },
      item_list: items,
      package_list: [],
    });
    return change(orderSn, 'READY_TO_SHIP');
  };

  /** `sign`: HMAC over partner, path, time, token and shop, without separators; five minutes old at most. */
  const refusal = ({ url }: FastifyRequest): string | undefined => {
    const { pathname, searchParams: query } = new URL(url, 'http://x');
    const timestamp = query.get('timestamp') ?? '';
    if (Math.abs(Number(timestamp) - nowS()) > 300) return 'error_sign';
    if (query.get('access_token') !== accessToken) return 'error_auth';
    const text = `${partnerId}${pathname}${timestamp}${accessToken}${shopId}`;
    const wanted = createHmac('sha256', partnerKey).update(text).digest('hex');
    return query.get('sign') === wanted ? undefined : 'error_sign';
  };
  /** Errors come with status 200. */
  const answer = (request: FastifyRequest, respond: (query: URLSearchParams) => object | string): object => {
    const refused = refusal(request);
    const response = refused ?? respond(new URL(request.url, 'http://x').searchParams);
    return typeof response === 'string'
      ? { request_id: 'r', error: response, message: `refused: ${response}` }
      : { request_id: 'r', error: '', message: '', response };
  };

  const server = await startPeerServer((app) => {
    app.get('/api/v2/order/get_order_detail', (request) =>
      Promise.resolve(
        answer(request, (query) => {
          const ids = (query.get('order_sn_list') ?? '').split(',');
          // What does not exist, or is another shop's, is left out.
          return { order_list: ids.flatMap((id) => orders.get(id) ?? []) };
        }),
      ),
    );
    app.get('/api/v2/order/get_order_list', (request) =>
      Promise.resolve(
        answer(request, (query) => {
          const [from, to] = [Number(query.get('time_from')), Number(query.get('time_to'))];
          const size = Number(query.get('page_size'));
          if (query.get('time_range_field') !== 'update_time' || !(size >= 1 && size <= 100)) {
            return 'error_param';
          }
          if (!(from < to) || to - from > LONGEST_WINDOW_S) return 'order.order_list_invalid_time';
          // Ids and nothing else, in no order that is stated; both ends belong to the window.
          const found = [...orders.values()].filter(
            ({ update_time: at }) => Number(at) >= from && Number(at) <= to,
          );
          const start = Number(query.get('cursor') ?? '') || 0;
          const end = start + size;
          return {
            order_list: found.slice(start, end).map(({ order_sn }) => ({ order_sn })),
            more: end < found.length,
            next_cursor: end < found.length ? String(end) : '',
          };
        }),
      ),
    );
    app.get('/api/v2/payment/get_escrow_detail', (request) =>
      Promise.resolve(
        answer(request, (query) => {
          const income = incomes.get(query.get('order_sn') ?? '');
          return income ? { order_income: income } : 'error_not_found';
        }),
      ),
    );
    app.post('/api/v2/product/update_stock', (request) =>
      Promise.resolve(
        answer(request, () => {
          const { model_sku: sku, stock: wanted } = JSON.parse(String(request.body)) as {
            model_sku: string;
            stock: number;
          };
          const product = options.products.find(({ modelSku }) => modelSku === sku);
          if (!product) return 'error_not_found';
          if (wanted < (product.promotionStock ?? 0)) return 'error_cannt_edit_stock_in_promotion';
          stock.set(sku, wanted);
          return { success_list: [{ model_sku: sku, stock: wanted }], failure_list: [] };
        }),
      ),
    );
  });

  return {
    url: server.url,
    server,
    placeOrder: place,
    arrange: (orderSn) =>
      change(orderSn, 'PROCESSED', {
        package_list: [{ package_number: 'OFG1', tracking_number: `TW${orderSn.slice(4, 12)}` }],
      }),
    complete: (orderSn) => {
      const order = require(orderSn);
      const paid = Number(order['total_amount']) + Number(order['voucher_from_platform']);
      incomes.set(orderSn, {
        commission_fee: Math.round(paid * COMMISSION),
        seller_transaction_fee: Math.round(paid * TRANSACTION_FEE),
      });
      return change(orderSn, 'COMPLETED');
    },
    cancel: (orderSn) => change(orderSn, 'CANCELLED'),
    order: (orderSn) => orders.get(orderSn),
    subscribe: (url, key) => {
      hook = { url, key };
    },
    pushes,
    push: send,
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    stop: async () => {
      await Promise.all(underWay);
      await server.stop();
    },
  };
};
