import { inChunks } from '../../core/chunks.ts';
import { RetryableError } from '../../core/errors.ts';
import { moneyFromDecimal } from '../../core/money.ts';
import type { CallContext } from '../../core/ports.ts';
import type { FetchJsonResponse } from '../../http/fetch-json.ts';
import { withFreshCredentials } from '../../http/fresh-credentials.ts';
import { readAnswer } from '../../http/read-answer.ts';
import { DEFAULT_LOCATION } from '../../settings/stock-route.ts';
import type { StockOptions } from '../contract.ts';
import { counted, countedPages, type UncountedListing } from '../shop-listings.ts';
import type { StorefrontStock } from '../stock-contract.ts';
import { customStoreCall, type Posted } from './calls.ts';
import type { CustomStoreCredentials, CustomStoreSettings } from './manifest.ts';
import { type CustomStoreRef, type Listing, Listings } from './stock-wire.ts';

const PER_PAGE = 100;
/** SKUs in one address. */
const PER_SEARCH = 50;

export interface StockSession {
  readonly peer: string;
  send(path: string, call: CallContext, posted?: Posted): Promise<FetchJsonResponse>;
}

export const stockSession = (
  options: StockOptions<CustomStoreSettings, CustomStoreCredentials>,
): StockSession => {
  const { settings, nowMs } = options;
  return {
    peer: new URL(settings.url).host,
    // What is refused with 401 was not done, so a write may be sent again with the new token.
    send: (path, call, posted) =>
      withFreshCredentials(options.credentials, (credentials) =>
        customStoreCall({ settings, credentials, nowMs }, path, call, posted),
      ),
  };
};

export const customStoreListings = (session: StockSession): Pick<StorefrontStock, 'listings' | 'find'> => {
  async function* pages(
    query: URLSearchParams,
    call: CallContext,
  ): AsyncIterable<readonly UncountedListing[]> {
    for (let cursor: string | undefined; ; ) {
      const parameters = new URLSearchParams(query);
      if (cursor !== undefined) parameters.set('cursor', cursor);
      const response = await session.send(`/listings?${parameters}`, call);
      const page = readAnswer(response, Listings, { peer: session.peer });
      yield page.data.map((listing) => listed(listing, session.peer));
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }
  return {
    listings: (call) => countedPages(pages(new URLSearchParams({ limit: String(PER_PAGE) }), call)),
    find: async (skus, call) => {
      const wanted = [...new Set(skus)];
      const found: UncountedListing[] = [];
      for (const some of inChunks(wanted, PER_SEARCH)) {
        const query = new URLSearchParams({ limit: String(PER_PAGE) });
        for (const sku of some) query.append('sku', sku);
        for await (const page of pages(query, call)) found.push(...page);
      }
      return counted(found).filter(({ sku }) => wanted.includes(sku));
    },
  };
};

const listed = (listing: Listing, peer: string): UncountedListing => {
  const { id, sku, title, quantity, currency, price, salePrice, saleFrom, saleUntil } = listing;
  const ref: CustomStoreRef = { id, ...(listing.location && { location: listing.location }) };
  const money = (amount: string) => {
    try {
      return moneyFromDecimal(amount, currency ?? '');
    } catch {
      throw new RetryableError('ANSWER_NOT_UNDERSTOOD', `${peer}: a price that is none of its currency`);
    }
  };
  return {
    sku,
    location: listing.location ?? DEFAULT_LOCATION,
    ref,
    title,
    quantity: quantity ?? undefined,
    status: listing.status ?? 'active',
    ...(price && { price: money(price) }),
    ...(salePrice && {
      sale: {
        price: money(salePrice),
        ...(saleFrom && { from: utc(saleFrom) }),
        ...(saleUntil && { until: utc(saleUntil) }),
      },
    }),
    priceIncludesTax: listing.pricesIncludeTax ?? true,
  };
};

const utc = (iso: string): string => new Date(iso).toISOString().replace('.000Z', 'Z');
