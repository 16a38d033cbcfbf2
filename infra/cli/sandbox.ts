import { createHmac } from 'node:crypto';
import type { MappingRow } from '../../shared/connectors/contract.ts';
import { startFakeOdoo } from '../../test/fakes/odoo.ts';
import { type FakeOrderSpec, startFakeWooCommerce } from '../../test/fakes/woocommerce.ts';
import { parseSecrets, type Secrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import { sandbox } from '../stages/sandbox.ts';
import type { Journeys } from './journeys.ts';
import type { LocalRun } from './run-local.ts';

export interface SandboxPeers {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly sandbox: Sandbox;
}

/** The shop and the ERP that `npm start` brings along: real HTTP servers on this machine. */
export interface Sandbox {
  /** Seeds the mapping table and points the shop's webhooks at us. */
  connect(run: LocalRun): Promise<void>;
  /** Buyers order. */
  placeOrders(): Promise<{ storefront: string; orderId: string; erp: string }[]>;
  /** Sends every delivery once more, byte for byte, and waits until each was seen to be a duplicate. */
  replay(journeys: Journeys, timeoutMs: number): Promise<void>;
  /** A command line that sends a signed webhook. */
  curl(run: LocalRun): string;
  stop(): Promise<void>;
}

const SHOP = 'sandbox-woo';
const ERP = 'sandbox-odoo';
const WEBHOOK_SECRET = 'sandbox-webhook-secret';
const KEYS = { consumerKey: 'ck_sandbox', consumerSecret: 'cs_sandbox' };
const ODOO = { login: 'waybill@sandbox.example', apiKey: 'sandbox-api-key' };

export const startSandboxPeers = async (): Promise<SandboxPeers> => {
  const shop = await startFakeWooCommerce({
    ...KEYS,
    currency: 'TWD',
    decimals: 2,
    sequentialNumbers: true,
    taxRates: [
      { country: 'TW', percent: '5', name: '營業稅', shipping: true },
      { country: 'TH', percent: '7', name: 'VAT ไทย', shipping: true },
      { country: 'JP', percent: '10', name: '消費税', shipping: true },
    ],
    products: PRODUCTS.map(({ sku, name, price }) => ({ sku, name, price: price.toFixed(2), stock: 500 })),
    coupons: [{ code: 'welcome10', type: 'percent', amount: '10' }],
  });
  const erp = await startFakeOdoo({
    version: 18,
    database: 'sandbox',
    ...ODOO,
    companies: [{ name: 'Sandbox Trading', currency: 'TWD' }],
    pricelists: [
      { name: 'Japan', currency: 'JPY' },
      { name: 'Thailand', currency: 'THB' },
    ],
    products: [
      ...PRODUCTS.map(({ sku, name, price }) => ({ sku, name, price, stock: 500 })),
      ...['SHIP', 'FEE', 'DISCOUNT', 'ROUNDING'].map((sku) => ({ sku, name: sku, price: 0, service: true })),
    ],
    taxes: TAXES.map(({ name, amount }) => ({ name, amount })),
  });
  const settings = sandbox({ woocommerce: shop.url, odoo: erp.url });
  const secrets = parseSecrets(
    { [SHOP]: { webhookSecrets: [WEBHOOK_SECRET], ...KEYS }, [ERP]: ODOO },
    settings,
    'sandbox',
  );
  return {
    settings,
    secrets,
    sandbox: {
      connect: async (run) => {
        const rate = new Map(TAXES.map(({ name }, index) => [String(index + 1), name]));
        for (const [key, name] of rate) await run.mappings.put(taxRow(key, name), 'sandbox');
        const deliveryUrl = webhookUrl(run);
        for (const topic of ['order.created', 'order.updated']) {
          await shop.registerWebhook({ topic, deliveryUrl, secret: WEBHOOK_SECRET });
        }
      },
      placeOrders: async () => {
        const placed = [];
        for (const spec of ORDERS) {
          const { id } = await shop.placeOrder(spec);
          placed.push({ storefront: SHOP, orderId: String(id), erp: ERP });
        }
        return placed;
      },
      replay: async (journeys, timeoutMs) => {
        await shop.settled();
        const count = shop.deliveries.length;
        for (let index = 0; index < count; index += 1) await shop.redeliver(index);
        await shop.settled();
        await journeys.until(() => journeys.inFlight() === 0, timeoutMs);
      },
      curl: (run) => {
        const body = JSON.stringify(orderByHand());
        const signature = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('base64');
        return [
          `curl -sS ${webhookUrl(run)}`,
          `-H 'content-type: application/json' -H 'x-wc-webhook-topic: order.created'`,
          `-H 'x-wc-webhook-signature: ${signature}' -d '${body}'`,
        ].join(' ');
      },
      stop: async () => {
        await shop.stop();
        await erp.stop();
      },
    },
  };
};

const webhookUrl = (run: LocalRun): string => {
  const url = run.webhookUrls.get(SHOP);
  if (!url) throw new Error(`there is no webhook address for ${SHOP}`);
  return url;
};

const taxRow = (key: string, to: string): MappingRow => ({
  kind: 'tax',
  source: SHOP,
  destination: ERP,
  key,
  to: [{ value: to, quantity: 1, share: 1 }],
});

/** In the order of the shop's tax rates: the first has id 1. */
const TAXES = [
  { name: '5% VAT (TW)', amount: 5 },
  { name: '7% VAT (TH)', amount: 7 },
  { name: '10% VAT (JP)', amount: 10 },
];

const PRODUCTS = [
  { sku: 'TEA-OOL-150', name: '高山烏龍茶 Oolong 150g', price: 420 },
  { sku: 'MUG-TH-01', name: 'แก้วเซรามิก “Siam”', price: 149.5 },
  { sku: 'CUP-JP-02', name: '湯呑み', price: 500 },
  { sku: 'TEE-M-NAVY', name: 'T-Shirt M navy', price: 1180 },
];

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
