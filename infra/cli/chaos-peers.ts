import type { MappingRow } from '../../shared/connectors/contract.ts';
import { type FakeOdoo, startFakeOdoo } from '../../test/fakes/odoo.ts';
import { type FakeWooCommerce, startFakeWooCommerce } from '../../test/fakes/woocommerce.ts';
import { parseSecrets, type Secrets } from '../secrets.ts';
import { type Settings, settings } from '../settings.ts';
import { CHAOS_PRODUCTS } from './chaos-orders.ts';

export const SHOP = 'chaos-shop';
export const ERP = 'chaos-erp';
export const WEBHOOK_SECRET = 'chaos-webhook-secret';
const KEYS = { consumerKey: 'ck_chaos', consumerSecret: 'cs_chaos' };
const ODOO = { login: 'waybill@chaos.example', apiKey: 'chaos-api-key' };

/** In the order of the shop's tax rates: the first has id 1. */
const TAXES = [
  { country: 'TW', percent: 5, name: '5% VAT (TW)' },
  { country: 'TH', percent: 7, name: '7% VAT (TH)' },
  { country: 'JP', percent: 10, name: '10% VAT (JP)' },
];

export interface ChaosPeers {
  readonly shop: FakeWooCommerce;
  readonly erp: FakeOdoo;
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly mappings: readonly MappingRow[];
  /** Customers beyond one per mail address. */
  duplicatedCustomers(): number;
  stop(): Promise<void>;
}

/** A shop and an ERP, each a real HTTP server on this machine, and the stage that connects them. */
export const startChaosPeers = async (timeScale: number): Promise<ChaosPeers> => {
  const shop = await startFakeWooCommerce({
    ...KEYS,
    currency: 'USD',
    decimals: 2,
    taxRates: TAXES.map(({ country, percent, name }) => ({
      country,
      percent: String(percent),
      name,
      shipping: true,
    })),
    products: CHAOS_PRODUCTS.map(({ sku, name, price }) => ({
      sku,
      name,
      price: price.toFixed(2),
      stock: 1_000_000,
    })),
    coupons: [{ code: 'welcome10', type: 'percent', amount: '10' }],
  });
  const erp = await startFakeOdoo({
    version: 18,
    database: 'chaos',
    ...ODOO,
    companies: [{ name: 'Chaos Trading', currency: 'USD' }],
    pricelists: [
      { name: 'Japan', currency: 'JPY' },
      { name: 'Thailand', currency: 'THB' },
    ],
    products: [
      ...CHAOS_PRODUCTS.map(({ sku, name, price }) => ({ sku, name, price, stock: 1_000_000 })),
      ...['SHIP', 'FEE', 'DISCOUNT', 'ROUNDING'].map((sku) => ({ sku, name: sku, price: 0, service: true })),
    ],
    taxes: TAXES.map(({ name, percent }) => ({ name, amount: percent })),
  });
  const stage = settings({
    name: 'sandbox-chaos',
    region: 'eu-central-1',
    timeZone: 'Europe/Berlin',
    connections: {
      [SHOP]: { connector: 'woocommerce', url: shop.url },
      [ERP]: { connector: 'odoo', url: erp.url, database: 'chaos' },
    },
    orders: [{ from: SHOP, to: ERP, startAt: '2020-01-01T00:00:00Z' }],
    timeScale,
  });
  return {
    shop,
    erp,
    settings: stage,
    secrets: parseSecrets(
      { [SHOP]: { webhookSecrets: [WEBHOOK_SECRET], ...KEYS }, [ERP]: ODOO },
      stage,
      'chaos',
    ),
    mappings: TAXES.map(({ name }, index) => ({
      kind: 'tax',
      source: SHOP,
      destination: ERP,
      key: String(index + 1),
      to: [{ value: name, quantity: 1, share: 1 }],
    })),
    duplicatedCustomers: () => {
      const mails = erp
        .records('res.partner')
        .filter((partner) => !partner['parent_id'])
        .map((partner) => partner['email'])
        .filter((mail) => typeof mail === 'string');
      return mails.length - new Set(mails).size;
    },
    stop: async () => {
      await shop.stop();
      await erp.stop();
    },
  };
};
