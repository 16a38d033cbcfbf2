import { createHmac } from 'node:crypto';
import { type FakeOrderSpec, startFakeWooCommerce } from '../../../test/fakes/woocommerce.ts';
import type { SandboxStorefront } from './peer.ts';
import { PRODUCTS, STOCK } from './products.ts';

const WEBHOOK_SECRET = 'sandbox-webhook-secret';
const KEYS = { consumerKey: 'ck_sandbox', consumerSecret: 'cs_sandbox' };

/** WooCommerce numbers its rates as they are saved: the first one is 1. */
const TAXES = [
  { country: 'TW', percent: 5, name: '營業稅' },
  { country: 'TH', percent: 7, name: 'VAT ไทย' },
  { country: 'JP', percent: 10, name: '消費税' },
];

/** A shop in Taiwan that sells in TWD, THB and JPY, prices without tax. */
export const sandboxWooCommerce = async (): Promise<SandboxStorefront> => {
  const shop = await startFakeWooCommerce({
    ...KEYS,
    currency: 'TWD',
    decimals: 2,
    sequentialNumbers: true,
    taxRates: TAXES.map((tax) => ({ ...tax, percent: String(tax.percent), shipping: true })),
    products: PRODUCTS.map(({ sku, name, TWD }) => ({ sku, name, price: TWD.toFixed(2), stock: STOCK })),
    coupons: [{ code: 'welcome10', type: 'percent', amount: '10' }],
  });
  return {
    id: 'sandbox-woo',
    url: shop.url,
    secrets: { webhookSecrets: [WEBHOOK_SECRET], ...KEYS },
    taxes: TAXES.map(({ percent }, index) => ({ key: String(index + 1), percent })),
    connect: async (deliveryUrl) => {
      for (const topic of ['order.created', 'order.updated'])
        await shop.registerWebhook({ topic, deliveryUrl, secret: WEBHOOK_SECRET });
    },
    placeOrders: async () => {
      const placed = [];
      for (const spec of ORDERS) {
        const { id, currency, total } = await shop.placeOrder(spec);
        const { paymentMethod, transactionId: reference } = spec;
        const paid = paymentMethod === 'stripe' && reference ? { reference, currency, total } : undefined;
        placed.push({ orderId: String(id), expect: 'written' as const, ...(paid && { paid }) });
      }
      return placed;
    },
    replay: async () => {
      await shop.settled();
      const count = shop.deliveries.length;
      for (let index = 0; index < count; index += 1) await shop.redeliver(index);
      return count;
    },
    shows: (sku) => shop.product(sku).stock,
    curl: (webhookUrl) => {
      const body = JSON.stringify(orderByHand());
      const signature = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('base64');
      return [
        `curl -sS ${webhookUrl}`,
        `-H 'content-type: application/json' -H 'x-wc-webhook-topic: order.created'`,
        `-H 'x-wc-webhook-signature: ${signature}' -d '${body}'`,
      ].join(' ');
    },
    stop: () => shop.stop(),
  };
};

/** Taxes, a company with a tax number, a coupon, a fee, Chinese and Thai names, a currency without decimals. */
const ORDERS: readonly FakeOrderSpec[] = [
  {
    via: 'checkout',
    lines: [
      { sku: 'TEA-OOL-150', quantity: 2 },
      { sku: 'CUP-JP-02', quantity: 1 },
    ],
    shipping: { method: 'flat_rate', title: '宅配', total: '60.00' },
    paymentMethod: 'stripe',
    transactionId: 'pi_sandbox_1',
    paid: true,
    billing: {
      first_name: '小明',
      last_name: '王',
      company: '測試股份有限公司',
      address_1: '測試路一段 1 號',
      city: '台北市',
      postcode: '100',
      country: 'TW',
      email: 'ming.wang@example.test',
      phone: '+886 2 5550 0000',
    },
    meta: [{ key: '_billing_vat_number', value: '12345675' }],
    note: '請放管理室，謝謝 🙏',
  },
  {
    via: 'store-api',
    currency: 'THB',
    lines: [{ sku: 'MUG-TH-01', quantity: 3 }],
    coupons: ['welcome10'],
    fees: [{ name: 'Gift wrap', total: '20.00', taxable: true }],
    shipping: { method: 'flat_rate', title: 'ส่งด่วน', total: '45.50' },
    paymentMethod: 'omise',
    transactionId: 'chrg_sandbox_2',
    paid: true,
    billing: {
      first_name: 'สมชาย',
      last_name: 'ใจดี',
      address_1: '99 ถนนตัวอย่าง',
      city: 'กรุงเทพมหานคร',
      postcode: '10110',
      country: 'TH',
      email: 'somchai@example.test',
    },
  },
  {
    via: 'checkout',
    currency: 'JPY',
    lines: [{ sku: 'CUP-JP-02', quantity: 2 }],
    coupons: ['welcome10'],
    shipping: { method: 'flat_rate', title: '配送', total: '600.00' },
    paymentMethod: 'stripe',
    transactionId: 'pi_sandbox_3',
    paid: true,
    billing: {
      first_name: '太郎',
      last_name: '試験',
      address_1: '見本 1-1',
      city: '千代田区',
      postcode: '100-0001',
      country: 'JP',
      email: 'taro@example.test',
    },
  },
  {
    via: 'rest-api',
    lines: [{ sku: 'TEE-M-NAVY', quantity: 1 }],
    shipping: { method: 'flat_rate', title: '貨到付款', total: '60.00' },
    paymentMethod: 'cod',
    status: 'processing',
    billing: {
      first_name: 'Zoë',
      last_name: "O'Neil-Šimić",
      address_1: '2 Example Road',
      city: '高雄市',
      postcode: '800',
      country: 'TW',
      email: 'zoe@example.test',
    },
    shippingAddress: {
      first_name: 'Front desk',
      address_1: '9 Warehouse Road',
      city: '台南市',
      postcode: '700',
      country: 'TW',
    },
  },
  {
    via: 'checkout',
    lines: [{ sku: 'TEA-OOL-150', quantity: 1 }],
    paymentMethod: 'bacs',
    status: 'on-hold',
    billing: {
      first_name: '小明',
      last_name: '王',
      address_1: '測試路一段 1 號',
      city: '台北市',
      postcode: '100',
      country: 'TW',
      email: 'ming.wang@example.test',
    },
  },
];

/** The least that is an order, for the command line; it exists in no shop. */
const orderByHand = () => {
  const now = new Date().toISOString().slice(0, 19);
  return {
    id: 9001,
    number: '9001',
    status: 'processing',
    currency: 'TWD',
    prices_include_tax: false,
    date_created_gmt: now,
    date_modified_gmt: now,
    date_paid_gmt: now,
    total: '441.00',
    total_tax: '21.00',
    payment_method: 'stripe',
    billing: { first_name: 'Grace', last_name: 'Example', country: 'TW', email: 'grace@example.test' },
    line_items: [
      {
        id: 1,
        name: 'Oolong 150g',
        sku: 'TEA-OOL-150',
        quantity: 1,
        subtotal: '420.00',
        total: '420.00',
        total_tax: '21.00',
        taxes: [{ id: 1, total: '21.00' }],
      },
    ],
    tax_lines: [{ rate_id: 1, label: 'VAT', rate_percent: 5, compound: false }],
  };
};
