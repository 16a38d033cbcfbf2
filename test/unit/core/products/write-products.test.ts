import { describe, expect, it } from 'vitest';
import type {
  ErpProduct,
  PriceWrite,
  PriceWritten,
  ShopListing,
} from '../../../../shared/connectors/stock-contract.ts';
import { RetryableError } from '../../../../shared/core/errors.ts';
import { writeProducts } from '../../../../shared/core/products/write-products.ts';
import { type Claim, claimId, type ListingRow, type StockRow } from '../../../../shared/core/stock/rows.ts';
import { StockRoute } from '../../../../shared/settings/stock-route.ts';
import { memoryPrices } from '../../../fakes/memory-prices.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const SHOP = 'acme-woo';
const call = { signal: new AbortController().signal };
const eur = (minor: number) => ({ minor, currency: 'EUR' });
const product = (sku: string, minor: number, rest: Partial<ErpProduct> = {}): ErpProduct => ({
  sku,
  title: sku,
  status: 'active',
  price: eur(minor),
  priceIncludesTax: true,
  ...rest,
});

/** A shop that sells these SKUs at these prices, each one piece of the ERP's SKU of that name. */
const world = (prices: Record<string, number>, settings: object = {}) => {
  const route = StockRoute.parse({ from: 'acme-odoo', to: [SHOP], prices: {}, ...settings });
  const shop = new Map<string, ShopListing>(
    Object.entries(prices).map(([sku, minor]) => [
      sku,
      {
        sku,
        location: 'default',
        ref: { id: sku },
        title: sku,
        quantity: 1,
        duplicates: 1,
        status: 'active',
        price: eur(minor),
        priceIncludesTax: true,
      },
    ]),
  );
  const made = new Map<string, readonly { sku: string; quantity: number }[]>();
  const claim = (listing: string, per: number): Claim => ({
    shop: SHOP,
    location: 'default',
    listing,
    per,
    bound: 0,
    want: 0,
    setAtMs: NOW,
  });
  const sent: PriceWrite[][] = [];
  const asked: string[][] = [];
  const drafts: string[] = [];
  let answer = (writes: readonly PriceWrite[]): readonly PriceWritten[] =>
    writes.map(({ sku }) => ({ sku, kind: 'written' }));
  const store = memoryPrices();
  const listings = () =>
    [...shop.keys()].map((sku) => ({ sku, parts: made.get(sku) ?? [{ sku, quantity: 1 }] }));
  const ports = {
    shop: SHOP,
    route,
    prices: store,
    nowMs: () => NOW,
    stock: {
      rows: async (erp: string, skus: readonly string[]) =>
        new Map(
          skus.map((sku): [string, StockRow] => {
            const claims = listings().flatMap(({ sku: listing, parts }) =>
              parts.filter((part) => part.sku === sku).map(({ quantity }) => claim(listing, quantity)),
            );
            const byId = claims.map((each) => [claimId(SHOP, 'default', each.listing), each] as const);
            const row = { erp, sku, version: 1, levels: {}, demand: {}, sold: {} };
            return [sku, { ...row, claims: Object.fromEntries(byId) } as StockRow];
          }),
        ),
      listings: async () =>
        new Map(
          listings().map(({ sku, parts }): [string, ListingRow] => [
            claimId(SHOP, 'default', sku),
            {
              shop: SHOP,
              location: 'default',
              sku,
              version: 1,
              erp: 'acme-odoo',
              components: parts,
              ref: { id: sku },
              shown: 1,
            },
          ]),
        ),
    },
    storefront: {
      find: async (skus: readonly string[]) => {
        asked.push([...skus]);
        return skus.flatMap((sku) => shop.get(sku) ?? []);
      },
      writePrices: async (writes: readonly PriceWrite[]) => {
        sent.push([...writes]);
        const results = answer(writes);
        for (const { sku, price, sale, status } of writes) {
          const listing = shop.get(sku);
          if (listing && results.some((one) => one.sku === sku && one.kind === 'written'))
            shop.set(sku, { ...listing, price, sale, status: status ?? listing.status });
        }
        return results;
      },
      createDraft: async (made: ErpProduct) => {
        drafts.push(made.sku);
        const draft = {
          ...(shop.values().next().value as ShopListing),
          sku: made.sku,
          status: 'hidden' as const,
        };
        shop.set(made.sku, draft);
        return draft;
      },
    },
  };
  let asOfMs = NOW;
  return {
    shop,
    store,
    sent,
    asked,
    drafts,
    bundles: made,
    price: (sku: string) => shop.get(sku)?.price?.minor,
    answers: (next: typeof answer) => {
      answer = next;
    },
    tell: (products: readonly ErpProduct[], at?: number) => {
      asOfMs = at ?? asOfMs + 1;
      const readAtMs = asOfMs;
      return writeProducts(
        ports as never,
        products.map((each) => ({ product: each, asOfMs: readAtMs })),
        call,
      );
    },
  };
};

describe('writeProducts', () => {
  it('writes what differs, once', async () => {
    const at = world({ A: 1_000, B: 500 });
    const told = [product('A', 1_100), product('B', 500)];
    expect(await at.tell(told)).toMatchObject({ written: 1, same: 1, held: 0, refused: [] });
    expect(at.sent).toEqual([[{ sku: 'A', ref: { id: 'A' }, price: eur(1_100) }]]);
    expect(await at.tell(told)).toMatchObject({ written: 0, same: 2 });
    expect(at.sent).toHaveLength(1);
    // What is known needs no question either.
    expect(at.asked).toEqual([['A', 'B']]);
  });

  it('an older reading that comes late changes nothing', async () => {
    const at = world({ A: 1_000 });
    await at.tell([product('A', 1_200)], NOW + 60_000);
    expect(await at.tell([product('A', 1_100)], NOW + 30_000)).toMatchObject({ written: 0 });
    expect(at.price('A')).toBe(1_200);
  });

  it('holds a price that falls too far or to zero, by itself, and writes the others', async () => {
    const at = world({ A: 1_000, B: 1_000, C: 1_000 });
    const outcome = await at.tell([product('A', 0), product('B', 600), product('C', 900)]);
    expect(outcome).toMatchObject({ written: 1, held: 2 });
    expect([at.price('A'), at.price('B'), at.price('C')]).toEqual([1_000, 1_000, 900]);
    const held = [...at.store.rows.values()].map(({ sku, held: one }) => [sku, one?.code]);
    expect(held).toEqual([
      ['A', 'PRICE_ZERO'],
      ['B', 'PRICE_DROP'],
      ['C', undefined],
    ]);
  });

  it('holds a sale that would go too far before it begins', async () => {
    const at = world({ A: 1_000 });
    const sale = { price: eur(10), from: '2027-01-01T00:00:00Z' };
    expect(await at.tell([product('A', 1_000, { sale })])).toMatchObject({ held: 1, written: 0 });
  });

  it('lets pass exactly the price that was approved', async () => {
    const at = world({ A: 1_000 });
    await at.tell([product('A', 500)]);
    const [row] = [...at.store.rows.values()];
    if (!row) return expect.fail('no row');
    await at.store.putPrice({ ...row, approved: { price: eur(500), by: 'ada', why: 'clearance' } });
    expect(await at.tell([product('A', 400)])).toMatchObject({ held: 1, written: 0 });
    expect(await at.tell([product('A', 500)])).toMatchObject({ held: 0, written: 1 });
    expect(at.price('A')).toBe(500);
    // Used up.
    expect([...at.store.rows.values()][0]?.approved).toBeUndefined();
  });

  it('a price that recovered is no longer held', async () => {
    const at = world({ A: 1_000 });
    await at.tell([product('A', 0)]);
    expect(await at.tell([product('A', 1_000)])).toMatchObject({ held: 0, same: 1 });
    expect([...at.store.rows.values()][0]?.held).toBeUndefined();
  });

  it('a bundle keeps the price that the shop gave it', async () => {
    const at = world({ A: 1_000, 'A-3PACK': 2_500 });
    at.bundles.set('A-3PACK', [{ sku: 'A', quantity: 3 }]);
    await at.tell([product('A', 1_100)]);
    expect(at.sent).toEqual([[{ sku: 'A', ref: { id: 'A' }, price: eur(1_100) }]]);
  });

  it('says why one is not written, and writes the others', async () => {
    const at = world({ A: 1_000, B: 1_000 });
    at.answers((writes) =>
      writes.map(({ sku }) =>
        sku === 'A' ? { sku, kind: 'refused', code: 'REFUSED', detail: 'no' } : { sku, kind: 'written' },
      ),
    );
    const usd = { price: { minor: 1, currency: 'USD' } };
    expect(await at.tell([product('A', 1_100), product('B', 1_100)])).toMatchObject({
      written: 1,
      refused: [{ sku: 'A', code: 'REFUSED' }],
    });
    expect(await at.tell([product('B', 1, usd)])).toMatchObject({
      refused: [{ sku: 'B', code: 'CURRENCY_DIFFERS' }],
    });
  });

  it('asks the shop before it writes again what was not answered', async () => {
    const at = world({ A: 1_000 });
    at.answers((writes) => writes.map(({ sku }) => ({ sku, kind: 'unknown', detail: 'cut off' })));
    await expect(at.tell([product('A', 1_100)])).rejects.toThrow(RetryableError);
    const listing = at.shop.get('A');
    if (listing) at.shop.set('A', { ...listing, price: eur(1_100) });
    at.answers((writes) => writes.map(({ sku }) => ({ sku, kind: 'written' })));
    expect(await at.tell([product('A', 1_100)])).toMatchObject({ same: 1, written: 0 });
    expect(at.asked).toEqual([['A'], ['A']]);
    expect(at.sent).toHaveLength(1);
  });

  it('two workers never write one price at the same time', async () => {
    const at = world({ A: 1_000 });
    const both = await Promise.allSettled([at.tell([product('A', 1_100)]), at.tell([product('A', 1_100)])]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(at.sent).toHaveLength(1);
  });

  it('follows the status only when settings say so', async () => {
    const archived = [product('A', 1_000, { status: 'archived' })];
    const leaving = world({ A: 1_000 });
    expect(await leaving.tell(archived)).toMatchObject({ written: 0, same: 1 });
    const following = world({ A: 1_000 }, { prices: { status: 'follow' } });
    expect(await following.tell(archived)).toMatchObject({ written: 1 });
    expect(following.shop.get('A')?.status).toBe('hidden');
    expect(await following.tell([product('A', 1_000)])).toMatchObject({ written: 1 });
    expect(following.shop.get('A')?.status).toBe('active');
  });

  it('reports what the shop does not sell, and invents nothing', async () => {
    const at = world({ A: 1_000 });
    const told = [product('NEW', 900), product('OLD', 900, { status: 'archived' })];
    expect(await at.tell(told)).toMatchObject({ unknown: ['NEW'], created: [] });
    expect(at.drafts).toEqual([]);
  });

  it('makes a hidden draft once where settings say so', async () => {
    const at = world({ A: 1_000 }, { prices: { unknownSkus: 'create' } });
    expect(await at.tell([product('NEW', 900)])).toMatchObject({ created: ['NEW'], unknown: [] });
    await at.tell([product('NEW', 900)]);
    expect(at.drafts).toEqual(['NEW']);
    expect(at.shop.get('NEW')?.status).toBe('hidden');
  });
});
