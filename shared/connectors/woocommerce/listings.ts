import { boundedCache } from '../../core/bounded-cache.ts';
import { inChunks } from '../../core/chunks.ts';
import { RetryableError } from '../../core/errors.ts';
import { type Money, moneyRounded } from '../../core/money.ts';
import type { CallContext } from '../../core/ports.ts';
import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import { DEFAULT_LOCATION } from '../../settings/stock-route.ts';
import type { StockOptions } from '../contract.ts';
import { counted, countedPages, type UncountedListing } from '../shop-listings.ts';
import type { ShopListing, StorefrontStock } from '../stock-contract.ts';
import { decodeHtml } from './html-entities.ts';
import type { WooCommerceCredentials, WooCommerceSettings } from './manifest.ts';
import { instant } from './moment.ts';
import { isMissing, totalPagesOf, type WooCommerceRest, wooCommerceRest } from './rest.ts';
import {
  STOCKED_FIELDS,
  WcSetting,
  type WcStocked,
  WcStockedList,
  type WooCommerceRef,
} from './stock-wire.ts';

const PER_PAGE = 100;
/** SKUs in one address: hosts cut long ones. */
const PER_SEARCH = 50;
const FACTS_AGE_MS = 10 * 60_000;

/** What prices mean in this shop. */
export interface ShopFacts {
  readonly currency: string;
  readonly pricesIncludeTax: boolean;
}

export interface StockSession {
  readonly peer: string;
  ask<T>(work: (rest: WooCommerceRest) => Promise<T>): Promise<T>;
  facts(call: CallContext): Promise<ShopFacts>;
  /** undefined: there is no such path (a product that is gone). Every page, or an error. */
  pages(path: string, call: CallContext): AsyncIterable<readonly WcStocked[] | undefined>;
  /** Products and variations that have one of these SKUs; case may differ. */
  bySku(skus: readonly string[], call: CallContext): Promise<readonly WcStocked[]>;
}

export const stockSession = (
  options: StockOptions<WooCommerceSettings, WooCommerceCredentials>,
): StockSession => {
  const { settings, nowMs } = options;
  const peer = new URL(settings.url).host;
  const cache = boundedCache(nowMs, FACTS_AGE_MS);
  // What is refused with 401 was not done, so a write may be sent again with the new key.
  const ask: StockSession['ask'] = (work) =>
    withFreshCredentials(options.credentials, (credentials) =>
      work(wooCommerceRest({ settings, credentials, nowMs })),
    );
  const setting = (path: string, call: CallContext): Promise<string> =>
    ask(async (rest) => rest.read(await rest.get(`/settings/${path}`, call), WcSetting).value);
  const facts = async (call: CallContext): Promise<ShopFacts> => ({
    currency: await setting('general/woocommerce_currency', call),
    pricesIncludeTax: (await setting('tax/woocommerce_prices_include_tax', call)) === 'yes',
  });
  async function* pages(path: string, call: CallContext) {
    const query = `per_page=${PER_PAGE}&orderby=id&order=asc&_fields=${STOCKED_FIELDS}`;
    let total: string | null | undefined;
    for (let page = 1, last = 1; page <= last; page += 1) {
      const join = path.includes('?') ? '&' : '?';
      const response = await ask((rest) => rest.get(`${path}${join}${query}&page=${page}`, call));
      if (isMissing(response)) {
        yield undefined;
        return;
      }
      const told = await ask(async (rest) => rest.read(response, WcStockedList));
      last = totalPagesOf(response, peer);
      const now = response.headers.get('x-wp-total');
      // One that was deleted moves all others up: the one that was to come is never seen.
      if (total !== undefined && total !== now) {
        throw new RetryableError('CHANGED_WHILE_READ', `${peer}: products changed while pages were turned`);
      }
      total = now;
      yield told;
    }
  }
  return {
    peer,
    ask,
    pages,
    facts: async (call) => (await cache.get('facts', () => facts(call))) ?? facts(call),
    bySku: async (skus, call) => {
      // WooCommerce splits at commas, and looks for the whole text as well.
      const alone = skus.filter((sku) => sku.includes(','));
      const together = skus.filter((sku) => !sku.includes(','));
      const found = new Map<string, WcStocked>();
      for (const some of [...inChunks(together, PER_SEARCH), ...alone.map((sku) => [sku])]) {
        for await (const page of pages(`/products?sku=${encodeURIComponent(some.join(','))}`, call)) {
          for (const product of page ?? []) found.set(product.id, product);
        }
      }
      return [...found.values()];
    },
  };
};

export const wooCommerceListings = (session: StockSession): Pick<StorefrontStock, 'listings' | 'find'> => {
  async function* everything(call: CallContext): AsyncIterable<readonly UncountedListing[]> {
    const facts = await session.facts(call);
    for await (const page of session.pages('/products', call)) {
      const products = page ?? [];
      yield products.flatMap((product) => listed(product, facts));
      for (const parent of products) {
        if (parent.variations.length === 0) continue;
        for await (const variations of session.pages(`/products/${parent.id}/variations`, call)) {
          yield (variations ?? []).flatMap((variation) => listed(variation, facts, parent));
        }
      }
    }
  }
  return {
    listings: (call) => countedPages(everything(call)),
    find: async (skus, call): Promise<readonly ShopListing[]> => {
      if (skus.length === 0) return [];
      const facts = await session.facts(call);
      const found = await session.bySku([...new Set(skus)], call);
      return counted(found.flatMap((product) => listed(product, facts))).filter(({ sku }) =>
        skus.includes(sku),
      );
    },
  };
};

/** What can be bought; a variable product only where it counts for its variations. */
const listed = (product: WcStocked, facts: ShopFacts, parent?: WcStocked): UncountedListing[] => {
  const { sku, type, manage_stock: managed } = product;
  const counts = managed === true;
  const isParent = type === 'variable' || product.variations.length > 0;
  if (sku.trim() === '' || (isParent && !counts)) return [];
  // A variation without a SKU of its own shows its parent's, and is counted there.
  if (parent && managed === 'parent' && parent.manage_stock === true && sku === parent.sku) return [];
  const parentId = parent?.id ?? product.parent_id;
  const ref: WooCommerceRef = { id: product.id, ...(parentId && { parent: parentId }) };
  return [
    {
      sku,
      location: DEFAULT_LOCATION,
      ref,
      title: titleOf(product, parent),
      quantity:
        counts && product.stock_quantity !== undefined
          ? Math.floor(Number(product.stock_quantity))
          : undefined,
      status:
        product.status === 'publish' && (parent?.status ?? 'publish') === 'publish' ? 'active' : 'hidden',
      ...pricesOf(product, facts.currency),
      priceIncludesTax: facts.pricesIncludeTax,
    },
  ];
};

/** A list of variations names what differs ("Large"), a search the whole ("Cups - Large"). */
const titleOf = ({ name }: WcStocked, parent: WcStocked | undefined): string =>
  decodeHtml(parent && !name.startsWith(parent.name) ? `${parent.name} - ${name}` : name);

const pricesOf = (
  product: WcStocked,
  currency: string,
): Pick<UncountedListing, 'sale'> & { readonly price?: Money } => {
  const { regular_price: regular, sale_price: reduced } = product;
  if (regular === undefined) return {};
  const from = instant(product.date_on_sale_from_gmt, '');
  const until = instant(product.date_on_sale_to_gmt, '');
  return {
    price: moneyRounded(regular, currency),
    ...(reduced !== undefined && {
      sale: { price: moneyRounded(reduced, currency), ...(from && { from }), ...(until && { until }) },
    }),
  };
};
