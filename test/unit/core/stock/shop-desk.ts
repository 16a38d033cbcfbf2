import type {
  ShopListing,
  StockWrite,
  StockWritten,
  StorefrontStock,
} from '../../../../shared/connectors/stock-contract.ts';
import { RetryableError } from '../../../../shared/core/errors.ts';
import { learnListings } from '../../../../shared/core/stock/learn-listings.ts';
import { projectStock, type StockNews } from '../../../../shared/core/stock/project-stock.ts';
import type { StockRow } from '../../../../shared/core/stock/rows.ts';
import { type Key, type WriteStockPorts, writeStock } from '../../../../shared/core/stock/write-stock.ts';
import type { StockDueV1 } from '../../../../shared/events/stock-due.ts';
import { OrderRoute } from '../../../../shared/settings/order-route.ts';
import { heldStock, memoryStock } from '../../../fakes/memory-stock.ts';
import { anOrder } from '../../../fakes/orders.ts';
import { aRoute, ERP } from './rows.ts';

const call = { signal: new AbortController().signal };
const envelope = <D>(data: D) => ({
  meta: { id: 'id', connection: 'c', correlationId: 'c', receivedAtMs: 0, via: 'webhook' as const },
  data,
});

/** Shops in memory, kept by the real use-cases; what is due waits in a list until it is written. */
export const aDesk = (
  shops: Readonly<Record<string, readonly string[]>>,
  route: Record<string, unknown> = {},
  compare: Readonly<Record<string, 'atomic' | 'reads-first'>> = {},
) => {
  const held = heldStock();
  const store = memoryStock(held);
  let nowMs = Date.parse('2026-11-23T10:00:00Z');
  let ids = 0;
  const due: StockDueV1[] = [];
  const shown = new Map<string, number | undefined>();
  for (const [shop, skus] of Object.entries(shops)) for (const sku of skus) shown.set(`${shop} ${sku}`, 0);
  /** Write requests, by shop. */
  const batches: { shop: string; writes: readonly StockWrite[] }[] = [];
  const settings = aRoute({ to: Object.keys(shops), ...route });
  const common = {
    erp: ERP,
    route: settings,
    store: {
      ...store,
      put: async (row: StockRow) => {
        nowMs += desk.putMs;
        return store.put(row);
      },
    },
    mappings: {
      lookup: async (_k: unknown, _s: unknown, _d: unknown, keys: readonly string[]) =>
        new Map(
          keys.flatMap((key) => {
            const [, sku = key, quantity] = /^(.*)\*(\d+)$/.exec(key) ?? [];
            const to = [{ value: sku, quantity: Number(quantity), share: 1 }];
            return quantity
              ? [[key, { kind: 'sku' as const, source: '', destination: '', key, to }] as const]
              : [];
          }),
        ),
    },
    watermarks: { of: async (): Promise<number | undefined> => desk.watermarkMs },
    nowMs: () => nowMs,
    newId: () => {
      ids += 1;
      return `id ${ids}`;
    },
    publish: (async (name: string, event: { data: unknown }) => {
      if (name === 'stock.due.v1') due.push(event.data as StockDueV1);
    }) as WriteStockPorts['publish'],
  };
  const listing = (shop: string, sku: string): ShopListing => ({
    sku,
    location: 'default',
    ref: { sku },
    title: sku,
    quantity: shown.get(`${shop} ${sku}`),
    duplicates: 1,
    status: 'active',
  });
  const stockOf = (shop: string): StorefrontStock => ({
    listings: async function* () {
      yield (shops[shop] ?? []).map((sku) => listing(shop, sku));
    },
    find: async (skus) => skus.filter((sku) => shown.has(`${shop} ${sku}`)).map((sku) => listing(shop, sku)),
    write: async (writes) => {
      batches.push({ shop, writes });
      if (desk.throttled > 0) {
        desk.throttled -= 1;
        throw new RetryableError('THROTTLED', '429', { retryAfterMs: 4_000 });
      }
      return writes.map((write): StockWritten => {
        const { sku, location, from, to } = write;
        const bent = desk.bend?.(write);
        if (bent) return bent;
        const actual = shown.get(`${shop} ${sku}`) ?? 0;
        if (from !== undefined && from !== actual) return { sku, location, kind: 'stale', actual };
        shown.set(`${shop} ${sku}`, to);
        return { sku, location, kind: 'written' };
      });
    },
  });
  const desk = {
    held,
    due,
    shown,
    batches,
    watermarkMs: undefined as number | undefined,
    /** How long each write of a row takes. */
    putMs: 0,
    /** So many write requests are refused. */
    throttled: 0,
    /** What becomes of a write; undefined: what should. */
    bend: undefined as ((write: StockWrite) => StockWritten | undefined) | undefined,
    wait: (ms: number) => {
      nowMs += ms;
    },
    nowMs: () => nowMs,
    learn: (shop: string) => learnListings({ ...common, shop, stock: stockOf(shop) }, call),
    news: (...news: StockNews[]) => {
      nowMs += 1_000;
      const orderRoutes = Object.keys(shops).map((from) =>
        OrderRoute.parse({ from, to: ERP, startAt: '2026-11-01T00:00:00Z' }),
      );
      return projectStock({ ...common, orderRoutes }, news);
    },
    /** The ERP has so much, now. */
    levels: (free: Readonly<Record<string, number>>) =>
      desk.news({
        name: 'stock.changed.v1',
        event: envelope({
          source: ERP,
          asOfMs: nowMs,
          levels: Object.entries(free).map(([sku, pieces]) => ({
            sku,
            warehouse: 'WH',
            onHand: pieces,
            free: pieces,
          })),
          missing: [],
        }),
      }),
    /** A shop sells, and says so; its own number has fallen already. */
    sells: (shop: string, sku: string, pieces: number, id = '1001') => {
      shown.set(`${shop} ${sku}`, (shown.get(`${shop} ${sku}`) ?? 0) - pieces);
      return desk.tells(shop, sku, pieces, id);
    },
    tells: (shop: string, sku: string, pieces: number, id = '1001') =>
      desk.news(desk.order(shop, sku, pieces, id)),
    order: (shop: string, sku: string, pieces: number, id: string): StockNews => {
      const [line] = anOrder().lines;
      const placedAt = new Date(nowMs).toISOString();
      const lines = line ? [{ ...line, sku, quantity: pieces }] : [];
      const order = anOrder({ source: shop, orderId: id, placedAt, lines });
      return { name: 'order.changed.v1', event: envelope(order) };
    },
    write: (shop: string, keys: readonly Key[]) => {
      nowMs += 1_000;
      const ports: WriteStockPorts = {
        ...common,
        shop,
        compare: compare[shop] ?? 'atomic',
        stock: stockOf(shop),
        settleMs: 60_000,
        sendWithinMs: 30_000,
      };
      return writeStock(ports, keys, call);
    },
    /** Writes all that is due, and what becomes due by it. */
    settle: async () => {
      for (let rounds = 0; due.length > 0 && rounds < 50; rounds += 1) {
        const all = due.splice(0);
        for (const [shop, those] of Map.groupBy(all, ({ destination }) => destination)) {
          await desk.write(
            shop,
            those.flatMap(({ listings }) => listings),
          );
        }
      }
    },
  };
  return desk;
};

/** All shops are known, the ERP is read, and everybody shows what there is. */
export const openDesk = async (
  shops: Readonly<Record<string, readonly string[]>>,
  free: Readonly<Record<string, number>>,
  route: Record<string, unknown> = {},
  compare: Readonly<Record<string, 'atomic' | 'reads-first'>> = {},
) => {
  const desk = aDesk(shops, route, compare);
  for (const shop of Object.keys(shops)) await desk.learn(shop);
  await desk.levels(free);
  await desk.settle();
  desk.batches.length = 0;
  // Well after everything that was written at first.
  desk.wait(10 * 60_000);
  return desk;
};
