import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenedErp, OrderContext } from '../../shared/connectors/contract.ts';
import type { ErpManifest } from '../../shared/connectors/manifest.ts';
import type { LevelPage } from '../../shared/connectors/stock-contract.ts';
import { orderReference } from '../../shared/core/intent-key.ts';
import { type AcceptLevel, OrderRoute } from '../../shared/settings/order-route.ts';
import { StockRoute } from '../../shared/settings/stock-route.ts';
import { anOrder } from '../fakes/orders.ts';
import type { Fault } from '../fakes/peer-server.ts';
import type { ErpPeer, ErpTestbed } from './erp.suite.ts';

const DESTINATION = 'acme-erp';
/** What `anOrder()` sells, and how much of it. */
const SOLD = { 'TEA-OOL-150': 2, 'MUG-TH-01': 1 } as const;
const SKUS = Object.keys(SOLD);

/**
 * What every ERP connector that reads stock and products must do; on the testbeds of `erpSuite`. Failures of the wire in all
 * their kinds are tested there; here, that no reading takes one for an answer.
 */
export const erpStockSuite = <S, C>(testbed: ErpTestbed<S, C>, { failures = true } = {}): void => {
  const { connector } = testbed;
  const manifest: ErpManifest = connector.manifest;
  const orderRoute = OrderRoute.parse({
    from: 'acme-woo',
    to: DESTINATION,
    startAt: '2026-01-01T00:00:00Z',
  });
  const routeOf = (override: object = {}): StockRoute =>
    StockRoute.parse({ from: DESTINATION, to: ['acme-woo'], prices: {}, ...override });
  const route = routeOf();
  const call = { signal: new AbortController().signal };

  let peer: ErpPeer;
  let erp: OpenedErp;
  beforeEach(async () => {
    peer = await testbed.start();
    erp = connector.open({
      connection: DESTINATION,
      settings: manifest.settings.parse(testbed.settings(peer.url)) as S,
      credentials: async () => manifest.credentials.parse(testbed.credentials) as C,
      nowMs: Date.now,
    });
  });
  afterEach(() => peer.stop());

  const stock = () => {
    if (!erp.stock) throw new Error(`${manifest.name} reads no stock`);
    return erp.stock;
  };
  const products = () => {
    if (!erp.products) throw new Error(`${manifest.name} reads no products`);
    return erp.products;
  };
  const collect = async <T>(pages: AsyncIterable<T>): Promise<T[]> => {
    const all: T[] = [];
    for await (const page of pages) all.push(page);
    return all;
  };
  const read = async (skus: readonly string[] = SKUS): Promise<LevelPage> => {
    const [page, ...others] = await collect(stock().levels(skus, route, call));
    if (!page || others.length > 0) throw new Error('few SKUs are one page');
    return page;
  };
  const freeOf = async (): Promise<Record<string, number>> => {
    const { levels } = await read();
    return Object.fromEntries(
      SKUS.map((sku) => [
        sku,
        levels.filter((each) => each.sku === sku).reduce((sum, { free }) => sum + free, 0),
      ]),
    );
  };
  const place = async (level: Exclude<AcceptLevel, 'ignore'>) => {
    const order = anOrder();
    const reference = orderReference(order.source, order.orderId);
    const context: OrderContext = {
      ...call,
      route: orderRoute,
      mappings: testbed.mappings,
      once: async (_subject, steps) => (await steps.find()) ?? (await steps.create()),
    };
    const refs = await erp.orders.resolve(order, context);
    const wire = erp.orders.toWire(order, refs, reference, orderRoute).value;
    const document = await erp.orders.create(wire, call);
    const { fingerprint } = await erp.orders.complete(document, wire, level, call);
    return { cancel: () => erp.orders.changes?.cancel(document, fingerprint, orderRoute, call) };
  };
  const less = (free: Record<string, number>) =>
    Object.fromEntries(Object.entries(SOLD).map(([sku, sold]) => [sku, (free[sku] ?? 0) - sold]));

  describe(`${manifest.name} ${testbed.title}: stock and products`, () => {
    it('a confirmed order is missing from what is free, before anybody reserves or ships it', async () => {
      const before = await freeOf();
      await place('confirm');
      expect(await freeOf()).toEqual(less(before));
    });

    it('so is one that is only reserved, and a draft is not', async () => {
      const before = await freeOf();
      await place('draft');
      expect(await freeOf()).toEqual(before);
      await place('reserve');
      expect(await freeOf()).toEqual(less(before));
    });

    it('what is cancelled is free again', async () => {
      const before = await freeOf();
      const { cancel } = await place('confirm');
      await cancel();
      expect(await freeOf()).toEqual(before);
    });

    it('of every SKU a level for each warehouse, or why there is none', async () => {
      const fromMs = Date.now();
      const { asOfMs, levels, missing, ambiguous } = await read([...SKUS, 'SHIP', 'NO-SUCH-SKU']);
      const { warehouses } = await stock().identify(route, call);
      expect(levels.map(({ sku, warehouse }) => `${sku} ${warehouse}`).sort()).toEqual(
        SKUS.flatMap((sku) => warehouses.map((code) => `${sku} ${code}`)).sort(),
      );
      expect([...missing].sort()).toEqual(['NO-SUCH-SKU', 'SHIP']);
      expect(ambiguous).toEqual([]);
      expect(asOfMs).toBeGreaterThanOrEqual(fromMs);
      expect(levels.every(({ onHand, free }) => free <= onHand)).toBe(true);
    });

    it('tells what an order has changed', async () => {
      await place('draft');
      const { cancel } = await place('confirm');
      const window = () => ({ fromMs: Date.now() - 60_000, untilMs: Date.now() + 60_000 });
      expect((await collect(stock().changed(window(), route, call))).flat()).toEqual(
        expect.arrayContaining(SKUS),
      );
      await cancel();
      expect((await collect(stock().changed(window(), route, call))).flat()).toEqual(
        expect.arrayContaining(SKUS),
      );
      const later = { fromMs: Date.now() + 3_600_000, untilMs: Date.now() + 7_200_000 };
      expect(await collect(stock().changed(later, route, call))).toEqual([]);
    });

    it('lists them all, and writes nothing', async () => {
      let writes = 0;
      peer.server.fault({
        when: (request) => {
          if (peer.isWrite(request)) writes += 1;
          return false;
        },
        effect: { kind: 'drop-before' },
      });
      const pages = await collect(stock().all(route, call));
      expect(pages.flatMap(({ levels }) => levels.map(({ sku }) => sku))).toEqual(
        expect.arrayContaining(SKUS),
      );
      const listed = (await collect(products().all(route, call))).flat();
      const sold = listed.filter(({ sku }) => SKUS.includes(sku));
      expect(sold.map(({ status }) => status)).toEqual(['active', 'active']);
      expect(sold.every(({ price, title }) => price && title && Number.isSafeInteger(price.minor))).toBe(
        true,
      );
      // What carries amounts without goods is for sale in no shop.
      expect(listed.filter(({ sku }) => ['SHIP', 'FEE', 'ROUNDING'].includes(sku))).toEqual([]);
      await stock().clock?.(call);
      expect(writes).toBe(0);
    });

    it('another company, another warehouse, another price list: refused, whoever asks', async () => {
      const nobody = routeOf({ company: 'No such company' });
      const nowhere = routeOf({ warehouses: { 'NO-WH': { 'acme-woo': 'default' } } });
      const listless = routeOf({ prices: { pricelist: 'No such list' } });
      await expect(stock().identify(nobody, call)).rejects.toMatchObject({ code: 'UNKNOWN_COMPANY' });
      await expect(collect(stock().all(nobody, call))).rejects.toMatchObject({ code: 'UNKNOWN_COMPANY' });
      await expect(collect(products().all(nobody, call))).rejects.toMatchObject({ code: 'UNKNOWN_COMPANY' });
      await expect(stock().identify(nowhere, call)).rejects.toMatchObject({ code: 'UNKNOWN_WAREHOUSE' });
      await expect(collect(stock().levels(SKUS, nowhere, call))).rejects.toMatchObject({
        code: 'UNKNOWN_WAREHOUSE',
      });
      await expect(collect(products().all(listless, call))).rejects.toMatchObject({
        code: 'UNKNOWN_PRICELIST',
      });
    });

    const readings: Readonly<Record<string, () => Promise<unknown>>> = {
      identify: () => stock().identify(route, call),
      levels: () => collect(stock().levels(SKUS, route, call)),
      all: () => collect(stock().all(route, call)),
      changed: () => collect(stock().changed({ fromMs: 0, untilMs: Date.now() }, route, call)),
      products: () => collect(products().all(route, call)),
    };
    describe.each(failures ? Object.entries(readings) : [])('%s, and the ERP fails', (_name, reading) => {
      it.each<[string, Fault['effect'], string]>([
        ['500', { kind: 'answer', status: 500 }, 'RetryableError'],
        ['an answer that is none', { kind: 'answer', status: 200, body: '{}' }, 'RetryableError'],
        ['401', { kind: 'answer', status: 401 }, 'CredentialsError'],
      ])('%s: it throws, and tells no part as if it were all', async (_title, effect, name) => {
        // Logged in, and everything that may be remembered is: what fails is the reading itself.
        await reading();
        peer.server.fault({ effect, times: Number.POSITIVE_INFINITY });
        await expect(reading()).rejects.toMatchObject({ name });
      });
    });
  });
};
