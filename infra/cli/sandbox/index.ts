import { parseSecrets, type Secrets } from '../../secrets.ts';
import { providersOf, type Settings } from '../../settings.ts';
import { sandbox } from '../../stages/sandbox.ts';
import type { LocalRun } from '../run-local.ts';
import { sandboxCustomStore } from './custom-store.ts';
import { JOURNALS, sandboxOdoo } from './odoo.ts';
import type { BookedPayment, PlacedOrder } from './peer.ts';
import { PRODUCTS } from './products.ts';
import { sandboxShopify } from './shopify.ts';
import { sandboxStripe } from './stripe.ts';
import { sandboxWooCommerce } from './woocommerce.ts';

export interface SandboxPeers {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly sandbox: Sandbox;
}

/** An order, and one ERP that its storefront is routed to. */
export interface ExpectedOrder extends PlacedOrder {
  readonly storefront: string;
  readonly erp: string;
}

/** The shops and ERPs that `npm start` brings along: real HTTP servers on this machine. */
export interface Sandbox {
  /** Seeds the mapping table and points the shops' webhooks at us. */
  connect(run: LocalRun): Promise<void>;
  /** Buyers order, in all shops at once. @returns one entry for each order and ERP */
  placeOrders(): Promise<readonly ExpectedOrder[]>;
  /** Sends every delivery once more. @returns how many that were */
  replay(): Promise<number>;
  /** The wires that each ERP was spoken to over, as it saw them. */
  dialects(): Readonly<Record<string, readonly string[]>>;
  /** What stands in the books of each ERP. */
  payments(): Readonly<Record<string, readonly BookedPayment[]>>;
  /** What each shop shows of its ERP's stock, and what that ERP has. */
  stock(): readonly ShownStock[];
  /** A command line that sends a signed webhook. */
  curl(run: LocalRun): string;
  stop(): Promise<void>;
}

/** One SKU in one shop. */
export interface ShownStock {
  readonly shop: string;
  readonly sku: string;
  /** What buyers see; null: the shop does not count it. */
  readonly shows: number | null;
  readonly erp: string;
  /** What the ERP has that nobody has ordered. */
  readonly available: number;
  /** Of those: pieces that the shop may still hold back, see SandboxStorefront. */
  readonly unexplained: number;
}

export const startSandboxPeers = async (): Promise<SandboxPeers> => {
  const [stripe, woo, shopify, store] = await Promise.all([
    sandboxStripe(),
    sandboxWooCommerce(),
    sandboxShopify(),
    sandboxCustomStore(),
  ]);
  const storefronts = [woo, shopify, store];
  const taxes = storefronts.flatMap((storefront) => storefront.taxes);
  const [odoo, odoo19] = await Promise.all([
    sandboxOdoo({
      id: 'sandbox-odoo',
      version: 18,
      company: { name: 'Sandbox Trading', currency: 'TWD' },
      currencies: ['JPY', 'THB', 'EUR'],
      taxes,
    }),
    sandboxOdoo({
      id: 'sandbox-odoo-19',
      version: 19,
      company: { name: 'Sandbox International', currency: 'USD' },
      currencies: ['USD', 'JPY', 'EUR'],
      taxes,
    }),
  ]);
  const erps = [odoo, odoo19];
  const peers = [...storefronts, ...erps, stripe];
  const settings = sandbox({
    woocommerce: woo.url,
    shopify: shopify.url,
    customStore: store.url,
    odoo: odoo.url,
    odoo19: odoo19.url,
    stripe: stripe.url,
  });
  const secrets = parseSecrets(
    Object.fromEntries(peers.map((peer) => [peer.id, peer.secrets])),
    settings,
    'sandbox',
  );
  const booksPayments = (storefront: string, erp: string) =>
    settings.orders.some(
      ({ from, to, payments }) => from === storefront && to === erp && payments === 'book',
    );
  const erpsOf = (storefront: string) =>
    erps.filter(({ id }) => settings.orders.some(({ from, to }) => from === storefront && to === id));

  return {
    settings,
    secrets,
    sandbox: {
      connect: async (run) => {
        for (const storefront of storefronts) {
          for (const erp of erpsOf(storefront.id)) {
            for (const { key, percent } of storefront.taxes) {
              const to = [{ value: erp.taxName(percent), quantity: 1, share: 1 }];
              const row = { kind: 'tax', source: storefront.id, destination: erp.id, key, to } as const;
              await run.mappings.put(row, 'sandbox');
            }
            if (!booksPayments(storefront.id, erp.id)) continue;
            for (const [key, code] of Object.entries(JOURNALS)) {
              const to = [{ value: code, quantity: 1, share: 1 }];
              const row = { kind: 'journal', source: storefront.id, destination: erp.id, key, to } as const;
              await run.mappings.put(row, 'sandbox');
            }
          }
          await storefront.connect(webhookUrl(run, storefront.id));
        }
        stripe.connect(webhookUrl(run, stripe.id));
      },
      placeOrders: async () => {
        const placed = await Promise.all(
          storefronts.map(async ({ id, placeOrders }) =>
            (await placeOrders()).flatMap((order) => {
              if (providersOf(settings, id).length > 0) stripe.take(order);
              return erpsOf(id).map((erp) => ({ storefront: id, ...order, erp: erp.id }));
            }),
          ),
        );
        return placed.flat();
      },
      replay: async () => {
        const counts = await Promise.all([...storefronts, stripe].map(({ replay }) => replay()));
        return counts.reduce((sum, count) => sum + count, 0);
      },
      dialects: () => Object.fromEntries(erps.map((erp) => [erp.id, erp.dialects()])),
      payments: () => Object.fromEntries(erps.map((erp) => [erp.id, erp.payments()])),
      stock: () =>
        settings.stock.flatMap(({ from, to }) => {
          const erp = erps.find(({ id }) => id === from);
          return to.flatMap((id) => {
            const shop = storefronts.find((each) => each.id === id);
            return PRODUCTS.flatMap(({ sku }) =>
              shop && erp
                ? [
                    {
                      shop: id,
                      sku,
                      shows: shop.shows(sku) ?? null,
                      erp: from,
                      available: erp.available(sku),
                      unexplained: shop.unexplained?.(sku) ?? 0,
                    },
                  ]
                : [],
            );
          });
        }),
      curl: (run) => storefronts.flatMap(({ id, curl }) => curl?.(webhookUrl(run, id)) ?? []).join('\n\n'),
      stop: async () => {
        await Promise.all(peers.map(({ stop }) => stop()));
      },
    },
  };
};

const webhookUrl = (run: LocalRun, storefront: string): string => {
  const url = run.webhookUrls.get(storefront);
  if (!url) throw new Error(`there is no webhook address for ${storefront}`);
  return url;
};
