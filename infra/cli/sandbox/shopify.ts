import { type FakeOrderSpec, type FakeShopify, startFakeShopify } from '../../../test/fakes/shopify/index.ts';
import { SANDBOX_SHOPIFY } from '../../stages/sandbox.ts';
import type { PlacedOrder, SandboxStorefront } from './peer.ts';
import { PRODUCTS, STOCK } from './products.ts';

const CLIENT_SECRET = 'shpss_sandbox_client_secret';
const ACCESS_TOKEN = 'shpat_sandbox_access_token';
/** As shared/connectors/shopify/README.md asks for them, and the edit that carries no order. */
const TOPICS = ['orders/create', 'orders/updated', 'orders/paid', 'orders/cancelled', 'orders/edited'];

const TAXES = [
  { country: 'US', title: 'CA State Tax', percent: 7.25 },
  { country: 'DE', title: 'MwSt.', percent: 19 },
  { country: 'JP', title: '消費税', percent: 10 },
];

/** A shop in California that sells in USD, and to Europe and Japan in their own money. Its ids have 64 bits. */
export const sandboxShopify = async (): Promise<SandboxStorefront> => {
  const shop = await startFakeShopify({
    shop: SANDBOX_SHOPIFY,
    clientSecret: CLIENT_SECRET,
    accessToken: ACCESS_TOKEN,
    currency: 'USD',
    utcOffset: '-08:00',
    // The smallest plan's (shopify.dev, API rate limits): one reading of an order asks for up to 931 points at once.
    bucket: { maximum: 2000, restorePerSecond: 100 },
    taxRates: TAXES.map(({ country, title, percent }) => ({ country, title, rate: percent / 100 })),
    products: PRODUCTS.map(({ sku, name, USD, hsCode }) => ({
      sku,
      title: name,
      price: USD.toFixed(2),
      grams: 150,
      stock: STOCK,
      ...(hsCode && { hsCode, origin: 'TW' }),
    })),
  });
  return {
    id: 'sandbox-shopify',
    url: shop.url,
    secrets: { webhookSecrets: [CLIENT_SECRET], accessToken: ACCESS_TOKEN },
    // Shopify has no id of a rate: title and percentage name it.
    taxes: TAXES.map(({ title, percent }) => ({ key: `${title} ${percent}%`, percent })),
    connect: async (deliveryUrl) => {
      for (const topic of TOPICS) shop.registerWebhook({ topic, deliveryUrl });
    },
    placeOrders: async () => {
      const placed: PlacedOrder[] = [];
      for (const spec of ORDERS) {
        const { id } = await shop.placeOrder(spec);
        placed.push({ orderId: id, expect: spec.test ? 'ignored' : 'written' });
      }
      placed.push({ orderId: await editedBeforeItIsPaid(shop), expect: 'written' });
      return placed;
    },
    shows: (sku) => [...shop.inventory.find(sku).levels.values()][0]?.available,
    unexplained: (sku) => UNEXPLAINED[sku] ?? 0,
    replay: async () => {
      await shop.settled();
      const count = shop.deliveries.length;
      for (let index = 0; index < count; index += 1) await shop.redeliver(index);
      return count;
    },
    stop: () => shop.stop(),
  };
};

/**
 * Authorised, edited, captured: three states of one order within one of Shopify's seconds, so that their copies
 * contradict each other and the shop is asked. Nothing is written before the money is there.
 */
const editedBeforeItIsPaid = async (shop: FakeShopify): Promise<string> => {
  const { id } = await shop.placeOrder({
    lines: [
      { sku: 'MUG-TH-01', quantity: 4 },
      { sku: 'TEE-M-NAVY', quantity: 1 },
    ],
    shipping: { code: 'ECONOMY', title: 'Economy', price: '5.00' },
    financialStatus: 'authorized',
    ...CALIFORNIA,
  });
  await shop.settled();
  shop.edit(id, [
    { sku: 'MUG-TH-01', quantity: 2 },
    { sku: 'TEE-M-NAVY', quantity: 0 },
    { sku: 'CUP-JP-02', quantity: 1 },
  ]);
  await shop.settled();
  shop.markPaid(id);
  return id;
};

/** Of the order that is a test, and of the one that is edited: Shopify leaves it to staff whether edits put pieces back. */
const UNEXPLAINED: Readonly<Record<string, number>> = { 'TEA-OOL-150': 1, 'MUG-TH-01': 2, 'TEE-M-NAVY': 1 };

const CALIFORNIA = {
  email: 'ada.example@example.test',
  customer: { id: 7400000000001, first_name: 'Ada', last_name: 'Example' },
  locale: 'en-US',
  billing: {
    first_name: 'Ada',
    last_name: 'Example',
    address1: '1 Example Street',
    city: 'San Francisco',
    province_code: 'CA',
    zip: '94103',
    country_code: 'US',
  },
} satisfies Partial<FakeOrderSpec>;

/** Discount, gift card, tip and duties, a buyer's currency with and without decimals, cash, a test. */
const ORDERS: readonly FakeOrderSpec[] = [
  {
    lines: [
      { sku: 'TEA-OOL-150', quantity: 3 },
      { sku: 'MUG-TH-01', quantity: 1, properties: [{ name: 'Engraving', value: 'A & B' }] },
    ],
    shipping: { code: 'STANDARD', title: 'Standard', price: '7.50' },
    discounts: [{ code: 'WELCOME10', percent: '10' }],
    note: 'leave at the door, please',
    ...CALIFORNIA,
  },
  {
    lines: [
      { sku: 'TEE-M-NAVY', quantity: 2 },
      { sku: 'TEA-OOL-150', quantity: 1 },
    ],
    shipping: { code: 'INTL', title: 'Internationaler Versand', price: '12.00' },
    presentment: { currency: 'EUR', rate: '0.92' },
    giftCardPays: '25.00',
    tip: '3.00',
    dutyRate: 0.12,
    email: 'juergen@example.test',
    customer: { id: 7400000000002, first_name: 'Jürgen', last_name: 'Groß' },
    locale: 'de-DE',
    billing: {
      first_name: 'Jürgen',
      last_name: 'Groß',
      company: 'Groß & Söhne GmbH',
      address1: 'Musterstraße 1',
      city: 'Köln',
      zip: '50667',
      country_code: 'DE',
    },
    attributes: [{ name: 'vat_number', value: 'DE123456788' }],
  },
  {
    lines: [{ sku: 'CUP-JP-02', quantity: 2 }],
    shipping: { code: 'INTL', title: '国際配送', price: '12.00' },
    presentment: { currency: 'JPY', rate: '151.25' },
    email: 'hanako@example.test',
    customer: { id: 7400000000003, first_name: '花子', last_name: '見本' },
    locale: 'ja-JP',
    billing: {
      first_name: '花子',
      last_name: '見本',
      address1: '見本 2-2',
      city: '渋谷区',
      zip: '150-0001',
      country_code: 'JP',
    },
  },
  {
    lines: [{ sku: 'MUG-TH-01', quantity: 1 }],
    shipping: { code: 'COURIER', title: 'Courier', price: '9.00' },
    gateway: 'Cash on Delivery (COD)',
    ...CALIFORNIA,
  },
  { lines: [{ sku: 'TEA-OOL-150', quantity: 1 }], test: true, ...CALIFORNIA },
];
