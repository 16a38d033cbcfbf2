import { boundedCache } from '../../core/bounded-cache.ts';
import type { CallContext } from '../../core/ports.ts';
import { memoryRateBudget } from '../../core/rate-budget.ts';
import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import { DEFAULT_LOCATION } from '../../settings/stock-route.ts';
import type { StockOptions } from '../contract.ts';
import { type AskShopify, shopifyGraphql } from './graphql.ts';
import type { ShopifyCredentials, ShopifySettings } from './manifest.ts';
import { SHOP } from './stock-documents.ts';
import { ShopAnswer } from './stock-wire.ts';

export interface ShopFacts {
  readonly currency: string;
  readonly taxesIncluded: boolean;
  /** What settings call a location, and its global id; each id once. */
  readonly locations: readonly { readonly name: string; readonly id: string }[];
  /** Global id of what settings call so; undefined: that names none. */
  locationId(name: string): string | undefined;
}

/** What all of stock and prices needs: one way to ask, which waits for the shop's cost bucket, and the shop's own facts. */
export interface StockSession {
  readonly peer: string;
  readonly ask: AskShopify;
  readonly nowMs: () => number;
  facts(call: CallContext): Promise<ShopFacts>;
}

const SCOPES = 'read_products, write_products, read_inventory, write_inventory and read_locations';
const FACTS_AGE_MS = 10 * 60_000;
const LOCATION = /^(?:gid:\/\/shopify\/Location\/)?(\d+)$/;

export const stockSession = (options: StockOptions<ShopifySettings, ShopifyCredentials>): StockSession => {
  const { settings, nowMs, pause } = options;
  const budget = options.budget ?? memoryRateBudget(nowMs);
  const cache = boundedCache(nowMs, FACTS_AGE_MS);
  // What is refused with 401 was not done, so a write may be sent again with the new token.
  const ask: AskShopify = (...question) =>
    withFreshCredentials(options.credentials, (credentials) =>
      shopifyGraphql({ settings, credentials, nowMs, budget, pause, scopes: SCOPES })(...question),
    );
  const load = async (call: CallContext): Promise<ShopFacts> => {
    const { data } = await ask(SHOP, {}, ShopAnswer, call);
    const locationId = (name: string): string | undefined => {
      if (name === DEFAULT_LOCATION) return data.location?.id;
      const number = LOCATION.exec(name)?.[1];
      return number && `gid://shopify/Location/${number}`;
    };
    const locations = new Map<string, string>();
    for (const name of options.locations ?? [DEFAULT_LOCATION]) {
      const id = locationId(name);
      if (id && !locations.has(id)) locations.set(id, name);
    }
    return {
      currency: data.shop.currencyCode,
      taxesIncluded: data.shop.taxesIncluded,
      locations: [...locations].map(([id, name]) => ({ id, name })),
      locationId,
    };
  };
  return {
    peer: settings.shop,
    ask,
    nowMs,
    facts: async (call) => {
      const facts = await cache.get('facts', () => load(call));
      return facts ?? load(call);
    },
  };
};
