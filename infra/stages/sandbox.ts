import { type Settings, type SettingsInput, settings } from '../settings.ts';

/** Where the peers of the sandbox listen. Who is left out is no part of the stage. */
export interface SandboxAddresses {
  readonly woocommerce?: string;
  readonly shopify?: string;
  readonly customStore?: string;
  /** Spoken to over JSON-RPC. */
  readonly odoo?: string;
  /** Spoken to over JSON-2. */
  readonly odoo19?: string;
  readonly stripe?: string;
}

/** The shop's own domain, which every webhook names. */
export const SANDBOX_SHOPIFY = 'waybill-sandbox.myshopify.com';

/** Sandbox peers on this machine, at the addresses given: what `npm start` and the tests run against. */
export const sandbox = (at: SandboxAddresses): Settings => {
  const connections: SettingsInput['connections'] = {
    ...(at.woocommerce && { 'sandbox-woo': { connector: 'woocommerce', url: at.woocommerce } }),
    ...(at.shopify && {
      'sandbox-shopify': { connector: 'shopify', shop: SANDBOX_SHOPIFY, url: at.shopify },
    }),
    ...(at.customStore && { 'sandbox-store': { connector: 'custom-store', url: at.customStore } }),
    ...(at.odoo && { 'sandbox-odoo': { connector: 'odoo', url: at.odoo, database: 'sandbox' } }),
    ...(at.odoo19 && { 'sandbox-odoo-19': { connector: 'odoo', url: at.odoo19, database: 'sandbox' } }),
    ...(at.stripe && { 'sandbox-stripe': { connector: 'stripe', url: at.stripe } }),
  };
  return settings({
    name: 'sandbox',
    region: 'eu-central-1',
    timeZone: 'Europe/Berlin',
    connections,
    orders: ROUTES.filter(({ from, to }) => from in connections && to in connections),
    stock: STOCK.map((route) => ({ ...route, to: route.to.filter((shop) => shop in connections) })).filter(
      ({ from, to }) => from in connections && to.length > 0,
    ),
    payments: PAYMENTS.filter(({ from, orders }) => [from, ...orders].every((id) => id in connections)),
    // Ten minutes of waiting take one: somebody is watching.
    timeScale: 0.1,
  });
};

const startAt = '2020-01-01T00:00:00Z';

const ROUTES: NonNullable<SettingsInput['orders']> = [
  {
    from: 'sandbox-woo',
    to: 'sandbox-odoo',
    startAt,
    accept: { bankTransferPending: 'draft', test: 'confirm' },
    payments: 'book',
  },
  // Booked in what the buyer paid in.
  { from: 'sandbox-shopify', to: 'sandbox-odoo-19', startAt, currency: 'buyer' },
  // One shop, two ERPs: each gets every order, on its own.
  { from: 'sandbox-store', to: 'sandbox-odoo', startAt },
  { from: 'sandbox-store', to: 'sandbox-odoo-19', startAt },
];

/** Two shops sell from one stock: a sale in one lowers the other. */
const STOCK: NonNullable<SettingsInput['stock']> = [
  {
    from: 'sandbox-odoo',
    to: ['sandbox-woo', 'sandbox-store'],
    every: '1 minute',
    // Both show its last piece, whichever of them the test buys it in.
    rules: [{ skus: ['TEE-M-NAVY'], policy: 'shared' }],
    testSkus: ['TEE-M-NAVY'],
  },
  { from: 'sandbox-odoo-19', to: ['sandbox-shopify'], every: '1 minute' },
];

const PAYMENTS: NonNullable<SettingsInput['payments']> = [
  { from: 'sandbox-stripe', orders: ['sandbox-woo'] },
];

/** Nobody listens at these addresses; they let `cdk synth` and `cdk diff` run without arguments. */
export default sandbox({
  woocommerce: 'http://127.0.0.1:8080',
  shopify: 'http://127.0.0.1:8081',
  customStore: 'http://127.0.0.1:8082',
  odoo: 'http://127.0.0.1:8069',
  odoo19: 'http://127.0.0.1:8070',
  stripe: 'http://127.0.0.1:8083',
});
