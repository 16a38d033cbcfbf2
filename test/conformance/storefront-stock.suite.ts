import type { FastifyRequest } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StockConnector } from '../../shared/connectors/contract.ts';
import type {
  PriceWrite,
  ShopListing,
  StockWrite,
  StorefrontStock,
} from '../../shared/connectors/stock-contract.ts';
import { CredentialsError, RetryableError } from '../../shared/core/errors.ts';
import { memoryRateBudget } from '../../shared/core/rate-budget.ts';
import { DEFAULT_LOCATION } from '../../shared/settings/stock-route.ts';
import type { PeerServer } from '../fakes/peer-server.ts';

/** What a shop sells in these tests. */
export interface StockedProduct {
  readonly sku: string;
  readonly title: string;
  readonly price: string;
  /** Absent: the shop does not count it. */
  readonly stock?: number;
  /** A variant of the product that has this SKU. */
  readonly variantOf?: string;
}

export interface StockPeer {
  readonly url: string;
  readonly server: PeerServer;
  /** What buyers see: the number, the price, and whether it is shown at all. */
  shown(sku: string): number;
  price(sku: string): { readonly price: string; readonly sale?: string | undefined };
  isHidden(sku: string): boolean;
  /** Somebody buys, or counts, or changes it by hand. */
  setShown(sku: string, quantity: number): void;
  remove(sku: string): void;
  /** Requests that set stock, whatever became of them. */
  stockWrites(): number;
  stop(): Promise<void>;
}

/** What a connector brings to run the suite of storefronts' stock. */
export interface StockTestbed<S, C> {
  readonly connector: StockConnector<S, C>;
  settings(url: string): S;
  readonly credentials: C;
  start(nowMs: () => number, products: readonly StockedProduct[]): Promise<StockPeer>;
  isWrite(request: FastifyRequest): boolean;
  /** A sale with dates that are not now is kept until then (WooCommerce), or left to whoever comes again (Shopify). */
  readonly keepsDates: boolean;
  /** Variants of one product are hidden together or not at all. */
  readonly hidesTogether?: boolean;
}

const START_MS = Date.parse('2026-11-20T10:00:00Z');
const CURRENCY = 'EUR';
const simple = (count: number): StockedProduct[] =>
  Array.from({ length: count }, (_, index) => ({
    sku: skuOf(index),
    title: `Tea ${index}`,
    price: '12.50',
    stock: 10,
  }));
const skuOf = (index: number): string => `TEA-${String(index).padStart(3, '0')}`;

const ODD: readonly StockedProduct[] = [
  { sku: 'SET', title: 'Cups', price: '30.00', stock: 4 },
  { sku: 'SET-L', title: 'Cups, large', price: '35.00', stock: 5, variantOf: 'SET' },
  { sku: 'VOUCHER', title: 'Voucher', price: '20.00' },
  { sku: 'TWICE', title: 'One', price: '5.00', stock: 1 },
  { sku: 'TWICE', title: 'Other', price: '6.00', stock: 2 },
  { sku: `it's, "a" SKU\\`, title: 'Odd', price: '5.00', stock: 3 },
];

export const storefrontStockSuite = <S, C>(testbed: StockTestbed<S, C>): void => {
  const { connector, isWrite } = testbed;
  const batch = connector.manifest.stock?.batch ?? 0;
  const WHOLE = simple(batch);
  let peer: StockPeer;
  let now: number;
  let stock: StorefrontStock;
  const secretReads: (boolean | undefined)[] = [];
  const call = { signal: AbortSignal.timeout(60_000) };

  const open = async (products: readonly StockedProduct[]): Promise<void> => {
    peer = await testbed.start(() => now, products);
    stock = connector.openStock({
      connection: 'acme-shop',
      settings: testbed.settings(peer.url),
      credentials: async (fresh) => {
        secretReads.push(fresh);
        return testbed.credentials;
      },
      nowMs: () => now,
      budget: memoryRateBudget(() => now),
      pause: async (ms) => {
        now += ms;
      },
    });
  };
  beforeEach(() => {
    now = START_MS;
    secretReads.length = 0;
  });
  afterEach(() => peer.stop());

  const listed = async (): Promise<ShopListing[]> => {
    const all: ShopListing[] = [];
    for await (const page of stock.listings(call)) all.push(...page);
    return all;
  };
  /** Of each: from what is listed to something else. */
  const writesTo = (listings: readonly ShopListing[], to: number): StockWrite[] =>
    listings.map(({ sku, location, ref, quantity }) => ({
      sku,
      location,
      ref,
      from: quantity,
      to,
      key: `${sku}-${to}`,
    }));
  const failureOf = async (work: Promise<unknown>): Promise<RetryableError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RetryableError);
    return error as RetryableError;
  };
  const kindsOf = (told: readonly { readonly kind: string }[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { kind } of told) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  };

  describe(`${connector.manifest.name}: listings`, () => {
    it('everything with a SKU: number, price, variants, what is not counted, what is there twice', async () => {
      await open([...simple(2), ...ODD]);
      const all = await listed();
      const told = all.map(({ sku, location, title, quantity, duplicates, status, price }) => [
        sku,
        location,
        title,
        quantity,
        duplicates,
        status,
        price?.minor,
      ]);
      expect(told.toSorted()).toEqual(
        [
          ['TEA-000', DEFAULT_LOCATION, 'Tea 0', 10, 1, 'active', 1250],
          ['TEA-001', DEFAULT_LOCATION, 'Tea 1', 10, 1, 'active', 1250],
          ['SET', DEFAULT_LOCATION, 'Cups', 4, 1, 'active', 3000],
          ['SET-L', DEFAULT_LOCATION, 'Cups, large', 5, 1, 'active', 3500],
          ['VOUCHER', DEFAULT_LOCATION, 'Voucher', undefined, 1, 'active', 2000],
          ['TWICE', DEFAULT_LOCATION, 'One', 1, 2, 'active', 500],
          ['TWICE', DEFAULT_LOCATION, 'Other', 2, 2, 'active', 600],
          [`it's, "a" SKU\\`, DEFAULT_LOCATION, 'Odd', 3, 1, 'active', 500],
        ].toSorted(),
      );
      expect(all.map(({ price }) => price?.currency)).toEqual(all.map(() => CURRENCY));
      expect(all.every(({ priceIncludesTax }) => priceIncludesTax === true)).toBe(true);
      // Kept as plain JSON until it is written.
      expect(JSON.parse(JSON.stringify(all))).toEqual(all.map((each) => JSON.parse(JSON.stringify(each))));
    });

    it('more than a page', async () => {
      await open(simple(260));
      const skus = (await listed()).map(({ sku }) => sku);
      expect([skus.length, new Set(skus).size]).toEqual([260, 260]);
    });

    it('a page that cannot be read: nothing is told', async () => {
      await open(simple(260));
      let pages = 0;
      peer.server.fault({
        times: Number.POSITIVE_INFINITY,
        when: () => ++pages > 2,
        effect: { kind: 'answer', status: 503 },
      });
      const told: ShopListing[] = [];
      const read = async () => {
        for await (const page of stock.listings(call)) told.push(...page);
      };
      expect((await failureOf(read())).code).toBe('PEER_FAILED');
      expect(told).toEqual([]);
    });

    it('those that are asked for, and no other', async () => {
      await open([...simple(130), ...ODD]);
      const wanted = [
        'TEA-007',
        'tea-008',
        'TWICE',
        'SET-L',
        `it's, "a" SKU\\`,
        'NOBODY',
        ...simple(120)
          .slice(20)
          .map(({ sku }) => sku),
      ];
      const found = await stock.find(wanted, call);
      expect(found.map(({ sku }) => sku).toSorted()).toEqual(
        [
          'TEA-007',
          'TWICE',
          'TWICE',
          'SET-L',
          `it's, "a" SKU\\`,
          ...simple(120)
            .slice(20)
            .map(({ sku }) => sku),
        ].toSorted(),
      );
      const all = await listed();
      expect(found).toEqual(expect.arrayContaining(all.filter(({ sku }) => wanted.includes(sku))));
      expect(await stock.find([], call)).toEqual([]);
    });
  });

  describe(`${connector.manifest.name}: stock`, () => {
    it('is set where it is as expected, in the largest batch', async () => {
      await open([...WHOLE, ...ODD]);
      const listings = (await listed()).filter(
        ({ quantity, duplicates }) => quantity !== undefined && duplicates === 1,
      );
      const writes = writesTo(listings, 7);
      const told = await stock.write(writes, call);
      expect(told.map(({ sku }) => sku).toSorted()).toEqual(writes.map(({ sku }) => sku).toSorted());
      expect(kindsOf(told)).toEqual({ written: batch + 3 });
      expect([...WHOLE, ...ODD.slice(0, 2)].map(({ sku }) => peer.shown(sku))).toEqual(
        Array.from({ length: batch + 2 }, () => 7),
      );
      const again = (await listed()).filter(({ sku }) => sku === 'SET-L');
      expect(again[0]?.quantity).toBe(7);
    });

    it('in as few requests as the batch allows', async () => {
      await open(simple(batch * 2));
      const writes = writesTo(await listed(), 3);
      expect(kindsOf(await stock.write(writes, call))).toEqual({ written: batch * 2 });
      expect(peer.stockWrites()).toBe(2);
      expect(await stock.write([], call)).toEqual([]);
      expect(peer.stockWrites()).toBe(2);
    });

    it('whatever stands there, when nothing is expected', async () => {
      await open(simple(1));
      const [write] = writesTo(await listed(), 0);
      peer.setShown('TEA-000', 55);
      expect(await stock.write(write ? [{ ...write, from: undefined }] : [], call)).toEqual([
        { sku: 'TEA-000', location: DEFAULT_LOCATION, kind: 'written' },
      ]);
      expect(peer.shown('TEA-000')).toBe(0);
    });

    it('stale: what stands there is told and stays; the others are written', async () => {
      await open(simple(batch));
      const writes = writesTo(await listed(), 3);
      peer.setShown('TEA-005', 8);
      peer.setShown('TEA-099', 12);
      const told = await stock.write(writes, call);
      expect(kindsOf(told)).toEqual({ written: batch - 2, stale: 2 });
      expect(
        told.filter(({ kind }) => kind === 'stale').toSorted((a, b) => (a.sku < b.sku ? -1 : 1)),
      ).toEqual([
        { sku: 'TEA-005', location: DEFAULT_LOCATION, kind: 'stale', actual: 8 },
        { sku: 'TEA-099', location: DEFAULT_LOCATION, kind: 'stale', actual: 12 },
      ]);
      expect([peer.shown('TEA-005'), peer.shown('TEA-099'), peer.shown('TEA-006')]).toEqual([8, 12, 3]);
    });

    it('one that is gone in a whole batch: the others are written', async () => {
      await open(simple(batch));
      const writes = writesTo(await listed(), 3);
      peer.remove('TEA-042');
      const told = await stock.write(writes, call);
      expect(kindsOf(told)).toEqual({ written: batch - 1, refused: 1 });
      expect(told.find(({ kind }) => kind === 'refused')).toMatchObject({
        sku: 'TEA-042',
        code: 'LISTING_GONE',
        detail: expect.stringMatching(/\w/),
      });
      expect(peer.stockWrites()).toBeLessThanOrEqual(2);
    });

    it.each<[string, (write: StockWrite) => StockWrite, string]>([
      ['unknown location', (write) => ({ ...write, location: 'nowhere' }), 'UNKNOWN_LOCATION'],
      ['a ref that nobody gave', (write) => ({ ...write, ref: { id: [] } }), 'LISTING_GONE'],
    ])('%s: the others are written', async (_case, change, code) => {
      await open(simple(20));
      const writes = writesTo(await listed(), 3).map((write) =>
        write.sku === 'TEA-011' ? change(write) : write,
      );
      const told = await stock.write(writes, call);
      expect(kindsOf(told)).toEqual({ written: 19, refused: 1 });
      expect(told.find(({ kind }) => kind === 'refused')).toMatchObject({ sku: 'TEA-011', code });
      expect([peer.shown('TEA-011'), peer.shown('TEA-012')]).toEqual([10, 3]);
    });

    it('tracking off: the others are written', async () => {
      await open([...simple(20), ...ODD]);
      const listings = (await listed()).filter(({ sku }) => sku === 'VOUCHER' || sku.startsWith('TEA'));
      const told = await stock.write(writesTo(listings, 3), call);
      expect(kindsOf(told)).toEqual({ written: 20, refused: 1 });
      expect(told.find(({ sku }) => sku === 'VOUCHER')).toMatchObject({ code: 'TRACKING_OFF' });
    });

    it.each([
      ['with a hint', { 'retry-after': '7' }, 7_000],
      ['without a hint', {}, undefined],
    ])('429 storm %s: nothing is written, nothing repeated', async (_case, headers, retryAfterMs) => {
      await open(simple(20));
      const writes = writesTo(await listed(), 3);
      const before = peer.server.requests.length;
      peer.server.fault({
        times: Number.POSITIVE_INFINITY,
        effect: { kind: 'answer', status: 429, headers },
      });
      const error = await failureOf(stock.write(writes, call));
      expect([error.code, error.retryAfterMs]).toEqual(['RATE_LIMITED', retryAfterMs]);
      expect(peer.server.requests.length - before).toBe(1);
      expect(peer.shown('TEA-000')).toBe(10);
    });

    it('429 in the middle: what was written is told, the rest is left out', async () => {
      await open(simple(batch * 2));
      const writes = writesTo(await listed(), 3);
      let seen = 0;
      peer.server.fault({
        times: Number.POSITIVE_INFINITY,
        when: (request) => isWrite(request) && ++seen > 1,
        effect: { kind: 'answer', status: 429 },
      });
      const told = await stock.write(writes, call);
      expect(kindsOf(told)).toEqual({ written: batch });
      expect(told.map(({ sku }) => peer.shown(sku))).toEqual(told.map(() => 3));
    });

    it.each<[string, Parameters<PeerServer['fault']>[0]['effect'], number]>([
      ['lost before the write', { kind: 'drop-before' }, 10],
      ['lost after the write', { kind: 'drop-after' }, 3],
      ['502', { kind: 'answer', status: 502 }, 10],
      ['HTML', { kind: 'answer', status: 200, body: '<html>Just a moment</html>' }, 10],
    ])('an answer %s: unknown; looking says what is so', async (_case, effect, shown) => {
      await open(simple(batch + 10));
      const writes = writesTo(await listed(), 3);
      peer.server.fault({ when: isWrite, effect });
      const told = await stock.write(writes, call);
      expect(kindsOf(told)).toEqual({ unknown: batch });
      const found = await stock.find(
        told.map(({ sku }) => sku),
        call,
      );
      expect(found.map(({ quantity }) => quantity)).toEqual(told.map(() => shown));
      // The same intention again, from what was found.
      const again = writes.map((write) => ({
        ...write,
        from: found.find(({ sku }) => sku === write.sku)?.quantity ?? write.from,
      }));
      expect(kindsOf(await stock.write(again, call))).toEqual({ written: batch + 10 });
      expect(peer.shown('TEA-001')).toBe(3);
    });

    it('a write that lands after its connection is gone is not undone by its repetition', async () => {
      await open(simple(5));
      const writes = writesTo(await listed(), 3);
      peer.server.fault({ when: isWrite, effect: { kind: 'late', delayMs: 5 } });
      expect(kindsOf(await stock.write(writes, call))).toEqual({ unknown: 5 });
      await expect.poll(() => peer.shown('TEA-000')).toBe(3);
      // The first intention once more: whatever is said of it, the number is right.
      await stock.write(writes, call);
      expect(simple(5).map(({ sku }) => peer.shown(sku))).toEqual([3, 3, 3, 3, 3]);
    });

    it('a repeated intention does not hide what was sold meanwhile', async () => {
      await open(simple(2));
      const writes = writesTo(await listed(), 3);
      peer.server.fault({ when: isWrite, effect: { kind: 'drop-before' } });
      expect(kindsOf(await stock.write(writes, call))).toEqual({ unknown: 2 });
      peer.setShown('TEA-000', 3);
      const told = await stock.write(writes, call);
      expect(told.find(({ sku }) => sku === 'TEA-000')).toMatchObject({ kind: 'stale', actual: 3 });
    });

    it('a rotated key is used at once; one that stays refused is said', async () => {
      await open(simple(5));
      const writes = writesTo(await listed(), 3);
      peer.server.fault({ when: isWrite, effect: { kind: 'answer', status: 401 } });
      expect(kindsOf(await stock.write(writes, call))).toEqual({ written: 5 });
      expect(secretReads).toContain(true);
      peer.server.fault({ times: Number.POSITIVE_INFINITY, effect: { kind: 'answer', status: 401 } });
      expect(await failureOf(stock.write(writes, call))).toBeInstanceOf(CredentialsError);
    });
  });

  describe(`${connector.manifest.name}: prices`, () => {
    const money = (minor: number, currency = CURRENCY) => ({ minor, currency });
    const priced = (listings: readonly ShopListing[], more: Partial<PriceWrite> = {}): PriceWrite[] =>
      listings.map(({ sku, ref }) => ({ sku, ref, price: money(990), ...more }));
    const write = (writes: readonly PriceWrite[]) => {
      if (!stock.writePrices) throw new Error('this connector writes no prices');
      return stock.writePrices(writes, call);
    };

    it('are set, with and without a sale, of products and variants', async () => {
      await open([...simple(3), ...ODD.slice(0, 2)]);
      const listings = await listed();
      const writes = priced(listings).map((each) =>
        ['TEA-001', 'SET-L'].includes(each.sku) ? { ...each, sale: { price: money(790) } } : each,
      );
      expect(kindsOf(await write(writes))).toEqual({ written: 5 });
      expect(['TEA-000', 'TEA-001', 'SET', 'SET-L'].map((sku) => peer.price(sku))).toEqual([
        { price: '9.90' },
        { price: '9.90', sale: '7.90' },
        { price: '9.90' },
        { price: '9.90', sale: '7.90' },
      ]);
      const again = await listed();
      expect(again.find(({ sku }) => sku === 'TEA-001')).toMatchObject({
        price: money(990),
        sale: { price: money(790) },
      });
      // The sale ends.
      expect(kindsOf(await write(priced(again)))).toEqual({ written: 5 });
      expect(peer.price('SET-L')).toEqual({ price: '9.90' });
    });

    it('a sale with dates', async () => {
      await open(simple(3));
      const listings = await listed();
      const [past, on, coming] = [
        { from: '2026-11-01T00:00:00Z', until: '2026-11-10T00:00:00Z' },
        { from: '2026-11-19T16:00:00Z', until: '2026-11-30T00:00:00Z' },
        { from: '2026-12-01T00:00:00Z' },
      ];
      const sales = [past, on, coming];
      const writes = priced(listings).map((each, index) => ({
        ...each,
        sale: { price: money(790), ...sales[index] },
      }));
      expect(kindsOf(await write(writes))).toEqual({ written: 3 });
      const shown = listings.map(({ sku }) => peer.price(sku).sale);
      expect(shown).toEqual([undefined, '7.90', undefined]);
      const kept = (await listed()).map(({ sale }) => sale);
      if (testbed.keepsDates) expect(kept).toEqual(sales.map((dates) => ({ price: money(790), ...dates })));
      else expect(kept).toEqual([undefined, { price: money(790) }, undefined]);
      // One without dates is on at once, and until further notice.
      const dateless = priced(listings, { sale: { price: money(690) } });
      expect(kindsOf(await write(dateless))).toEqual({ written: 3 });
      expect((await listed()).map(({ sale }) => sale)).toEqual(listings.map(() => ({ price: money(690) })));
    });

    it('another currency, one that is gone: the others are written', async () => {
      await open(simple(30));
      const writes = priced(await listed()).map((each) =>
        each.sku === 'TEA-003' ? { ...each, price: money(990, 'USD') } : each,
      );
      peer.remove('TEA-017');
      const told = await write(writes);
      expect(kindsOf(told)).toEqual({ written: 28, refused: 2 });
      expect(told.find(({ sku }) => sku === 'TEA-003')).toMatchObject({
        code: 'REFUSED',
        detail: expect.stringContaining('EUR'),
      });
      expect(told.find(({ sku }) => sku === 'TEA-017')).toMatchObject({ code: 'LISTING_GONE' });
      expect([peer.price('TEA-003'), peer.price('TEA-004')]).toEqual([{ price: '12.50' }, { price: '9.90' }]);
    });

    it('an answer lost after the write: unknown; 429: nothing is written', async () => {
      await open(simple(3));
      const writes = priced(await listed());
      peer.server.fault({
        when: isWrite,
        effect: { kind: 'answer', status: 429, headers: { 'retry-after': '5' } },
      });
      expect(await failureOf(write(writes))).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 5_000 });
      peer.server.fault({ when: isWrite, effect: { kind: 'drop-after' } });
      expect(kindsOf(await write(writes))).toEqual({ unknown: 3 });
      expect(peer.price('TEA-002')).toEqual({ price: '9.90' });
      expect(kindsOf(await write(writes))).toEqual({ written: 3 });
    });

    it('a product is hidden, and shown again', async () => {
      await open([...simple(2), ...ODD.slice(0, 2)]);
      const listings = await listed();
      const only = (sku: string) => listings.filter((each) => each.sku === sku);
      expect(kindsOf(await write(priced(only('TEA-000'), { status: 'hidden' })))).toEqual({ written: 1 });
      expect([peer.isHidden('TEA-000'), peer.isHidden('TEA-001')]).toEqual([true, false]);
      expect((await listed()).find(({ sku }) => sku === 'TEA-000')?.status).toBe('hidden');
      expect(kindsOf(await write(priced(only('TEA-000'), { status: 'active' })))).toEqual({ written: 1 });
      expect(peer.isHidden('TEA-000')).toBe(false);

      const one = await write(priced(only('SET-L'), { status: 'hidden' }));
      expect([one[0]?.kind, peer.isHidden('SET')]).toEqual([
        testbed.hidesTogether ? 'refused' : 'written',
        false,
      ]);
      const both = await write(priced([...only('SET'), ...only('SET-L')], { status: 'hidden' }));
      expect(kindsOf(both)).toEqual({ written: 2 });
      expect([peer.isHidden('SET'), peer.isHidden('SET-L')]).toEqual([true, true]);
    });

    it('a product that the shop does not know: one hidden draft, however often', async () => {
      await open(simple(1));
      if (!stock.createDraft) return;
      const product = {
        sku: 'NEW-1',
        title: 'Oolong & "more"',
        status: 'active',
        price: money(420),
        priceIncludesTax: true,
      } as const;
      const first = await stock.createDraft(product, call);
      expect(first).toMatchObject({ sku: 'NEW-1', status: 'hidden', quantity: 0, price: money(420) });
      peer.server.fault({ when: isWrite, effect: { kind: 'drop-after' } });
      await stock.createDraft({ ...product, sku: 'NEW-2' }, call).catch(() => undefined);
      await stock.createDraft({ ...product, sku: 'NEW-2' }, call);
      expect(await stock.createDraft(product, call)).toMatchObject({ sku: 'NEW-1', duplicates: 1 });
      const skus = (await listed()).map(({ sku }) => sku);
      expect(skus.toSorted()).toEqual(['NEW-1', 'NEW-2', 'TEA-000']);
      const [draft] = await stock.find(['NEW-1'], call);
      expect(kindsOf(await stock.write(writesTo(draft ? [draft] : [], 6), call))).toEqual({ written: 1 });
      expect(peer.shown('NEW-1')).toBe(6);
    });
  });

  it(`${connector.manifest.name}: says nothing of the shop's keys`, async () => {
    await open(simple(3));
    const told: string[] = [];
    for (const effect of [
      { kind: 'answer', status: 401 },
      { kind: 'answer', status: 404, body: '{}' },
      { kind: 'answer', status: 500 },
    ] as const) {
      const end = peer.server.fault({ times: Number.POSITIVE_INFINITY, effect });
      told.push((await failureOf(listed())).message);
      end();
    }
    const secrets = JSON.stringify(testbed.credentials).match(/[\w-]{12,}/g) ?? [];
    for (const text of told) for (const secret of secrets) expect(text).not.toContain(secret);
  });
};
