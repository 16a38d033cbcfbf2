import type { Mappings } from '../../../../shared/connectors/contract.ts';
import type {
  ErpStock,
  LevelPage,
  ShopListing,
  StockRefusal,
  StockWrite,
  StockWritten,
  StorefrontStock,
} from '../../../../shared/connectors/stock-contract.ts';
import { type LearnedListings, learnListings } from '../../../../shared/core/stock/learn-listings.ts';
import { type Projected, projectStock, type StockNews } from '../../../../shared/core/stock/project-stock.ts';
import { claimId, type StockRow } from '../../../../shared/core/stock/rows.ts';
import { type Key, type WroteStock, writeStock } from '../../../../shared/core/stock/write-stock.ts';
import type { Publish } from '../../../../shared/events/catalogue.ts';
import type { OrderChangedV1 } from '../../../../shared/events/order-changed.ts';
import type { OrderSettledV1 } from '../../../../shared/events/order-settled.ts';
import type { StockChangedV1 } from '../../../../shared/events/stock-changed.ts';
import type { StockDueV1 } from '../../../../shared/events/stock-due.ts';
import { OrderRoute } from '../../../../shared/settings/order-route.ts';
import { DEFAULT_LOCATION, StockRoute } from '../../../../shared/settings/stock-route.ts';
import { heldStock, memoryStock } from '../../../fakes/memory-stock.ts';
import { anOrder } from '../../../fakes/orders.ts';

export const NOW = Date.parse('2026-11-23T12:00:00Z');
export const MINUTE_MS = 60_000;
export const ERP = 'acme-odoo';
export const SHOPS = ['acme-shopify', 'acme-woo'] as const;
export const SETTLE_MS = 2 * MINUTE_MS;
export const call = { signal: new AbortController().signal };

export const routeOf = (override: object = {}): StockRoute =>
  StockRoute.parse({ from: ERP, to: SHOPS, policy: 'shared', ...override });

/** Read in one warehouse, sold by nobody. */
export const rowOf = (free: number, rest: Partial<StockRow> = {}): StockRow => ({
  erp: ERP,
  sku: 'TEA',
  version: 1,
  levels: { WH: { onHand: free, free, asOfMs: NOW } },
  demand: {},
  claims: {},
  sold: {},
  ...rest,
});

/** A paid order of these SKUs. Override what a test is about. */
export const sale = (
  source: string,
  orderId: string,
  pieces: Readonly<Record<string, number>>,
  override: Partial<OrderChangedV1> = {},
): OrderChangedV1 => {
  const [line] = anOrder().lines;
  if (!line) throw new Error('an order has lines');
  return anOrder({
    source,
    orderId,
    sourceVersion: 1,
    placedAt: new Date(NOW + MINUTE_MS).toISOString(),
    lines: Object.entries(pieces).map(([sku, quantity]) => ({ ...line, id: sku, sku, quantity })),
    ...override,
  });
};

export const settlement = (
  { source, orderId, sourceVersion, lines }: OrderChangedV1,
  state: OrderSettledV1['state'],
  atMs: number,
): OrderSettledV1 => ({
  source,
  orderId,
  destination: ERP,
  sourceVersion,
  state,
  skus: lines.flatMap(({ sku }) => sku ?? []),
  atMs,
});

// --- an ERP -------------------------------------------------------------------------------------------------

export interface MemoryErp {
  /** Free pieces, by SKU; in one warehouse, `WH`. */
  readonly free: Map<string, number>;
  /** What the next `changed` tells. */
  changed: readonly string[];
  company: string;
  warehouses: readonly string[];
  /** Pages of a complete listing; the default is all in one. Throws where it breaks off. */
  listing: (() => AsyncIterable<LevelPage>) | undefined;
  /** What was asked, in order. */
  readonly asked: unknown[];
  page(skus: readonly string[]): LevelPage;
  readonly stock: ErpStock;
}

export const memoryErp = (clock: { nowMs: number }, free: Readonly<Record<string, number>>): MemoryErp => {
  const erp: MemoryErp = {
    free: new Map(Object.entries(free)),
    changed: [],
    company: '1 Acme GmbH',
    warehouses: ['WH'],
    listing: undefined,
    asked: [],
    stock: {
      reservedWhen: 'confirmed',
      identify: async () => ({ company: erp.company, warehouses: erp.warehouses }),
      changed: async function* (window) {
        erp.asked.push(['changed', window.fromMs, window.untilMs]);
        if (erp.changed.length > 0) yield erp.changed;
      },
      levels: async function* (skus) {
        erp.asked.push(['levels', ...skus]);
        yield erp.page(skus);
      },
      all: () => {
        erp.asked.push(['all']);
        return erp.listing ? erp.listing() : once(erp.page([...erp.free.keys()]));
      },
    },
    page: (skus) => ({
      asOfMs: clock.nowMs,
      levels: skus.flatMap((sku) => {
        const pieces = erp.free.get(sku);
        return pieces === undefined ? [] : [{ sku, warehouse: 'WH', onHand: pieces, free: pieces }];
      }),
      missing: skus.filter((sku) => !erp.free.has(sku)),
      ambiguous: [],
    }),
  };
  return erp;
};

async function* once<T>(page: T): AsyncIterable<T> {
  yield page;
}

// --- a shop -------------------------------------------------------------------------------------------------

export interface MemoryShop {
  readonly compare: 'atomic' | 'reads-first';
  /** By SKU; undefined: not counted. */
  readonly shown: Map<string, number | undefined>;
  /** What cannot be written. */
  readonly refuses: Map<string, StockRefusal>;
  /** Write requests, one an entry. */
  readonly writes: (readonly StockWrite[])[];
  /** Instead of the next writes, one after another. */
  readonly instead: ((
    writes: readonly StockWrite[],
    really: () => StockWritten[],
  ) => Promise<readonly StockWritten[]>)[];
  finds: number;
  /** Between reading a page of listings and telling it. */
  whileListing: (() => Promise<void>) | undefined;
  readonly stock: StorefrontStock;
}

export const memoryShop = (
  shown: Readonly<Record<string, number | undefined>>,
  compare: MemoryShop['compare'] = 'atomic',
): MemoryShop => {
  const listed = (sku: string): ShopListing => ({
    sku,
    location: DEFAULT_LOCATION,
    ref: { id: sku },
    title: sku,
    quantity: shop.shown.get(sku),
    duplicates: 1,
    status: 'active',
  });
  const set = ({ sku, location, from, to }: StockWrite): StockWritten => {
    const code = shop.refuses.get(sku);
    if (code) return { sku, location, kind: 'refused', code, detail: 'the shop said so' };
    const actual = shop.shown.get(sku) ?? 0;
    if (from !== undefined && actual !== from) return { sku, location, kind: 'stale', actual };
    shop.shown.set(sku, to);
    return { sku, location, kind: 'written' };
  };
  const shop: MemoryShop = {
    compare,
    shown: new Map(Object.entries(shown)),
    refuses: new Map(),
    writes: [],
    instead: [],
    finds: 0,
    whileListing: undefined,
    stock: {
      listings: async function* () {
        const page = [...shop.shown.keys()].map(listed);
        await shop.whileListing?.();
        yield page;
      },
      find: async (skus) => {
        shop.finds += 1;
        return skus.filter((sku) => shop.shown.has(sku)).map(listed);
      },
      write: async (writes) => {
        shop.writes.push(writes);
        const really = () => writes.map(set);
        const instead = shop.instead.shift();
        return instead ? instead(writes, really) : really();
      },
    },
  };
  return shop;
};

// --- the flow between them ----------------------------------------------------------------------------------

export interface MarketOptions {
  readonly route?: StockRoute;
  readonly shops: Readonly<Record<string, Pick<MemoryShop, 'compare' | 'stock'>>>;
  readonly clock?: { nowMs: number };
  /** Listing -> what one of it is made of. */
  readonly bundles?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The use-cases on memory ports: what is published is handed on by `flow`. */
export const market = ({ route = routeOf(), shops, bundles = {}, clock = { nowMs: NOW } }: MarketOptions) => {
  const nowMs = () => clock.nowMs;
  const held = heldStock();
  const store = memoryStock(held);
  const watermarks = new Map<string, number>();
  const due: StockDueV1[] = [];
  const changed: StockChangedV1[] = [];
  const counts = { puts: 0 };
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `id-${ids}`;
  };
  const publish = (async (name: string, event: { data: unknown }) => {
    if (name === 'stock.due.v1') due.push(event.data as StockDueV1);
    else changed.push(event.data as StockChangedV1);
  }) as Publish;
  const mappings: Mappings = {
    lookup: async (_kind, source, destination, keys) =>
      new Map(
        keys.flatMap((key) => {
          const parts = bundles[key];
          if (!parts) return [];
          const to = Object.entries(parts).map(([value, quantity]) => ({ value, quantity, share: 1 }));
          return [[key, { kind: 'sku', source, destination, key, to }] as const];
        }),
      ),
  };
  const ports = {
    erp: ERP,
    route,
    store: {
      ...store,
      put: async (row: StockRow) => {
        counts.puts += 1;
        return store.put(row);
      },
    },
    mappings,
    watermarks: { of: async (shop: string) => watermarks.get(shop) },
    nowMs,
    newId,
    publish,
    orderRoutes: Object.keys(shops).map((from) =>
      OrderRoute.parse({ from, to: ERP, startAt: '2026-01-01T00:00:00Z' }),
    ),
  };
  const shopOf = (name: string) => {
    const shop = shops[name];
    if (!shop) throw new Error(`no shop ${name}`);
    return shop;
  };
  const meta = () => ({
    id: newId(),
    connection: ERP,
    correlationId: 'test',
    receivedAtMs: nowMs(),
    via: 'derived' as const,
  });
  const project = (...news: StockNews[]): Promise<Projected> => projectStock(ports, news);
  const write = (name: string, keys: readonly Key[]): Promise<WroteStock> => {
    const { compare, stock } = shopOf(name);
    const own = { ...ports, shop: name, compare, stock, settleMs: SETTLE_MS, sendWithinMs: MINUTE_MS };
    return writeStock(own, keys, call);
  };
  return {
    clock,
    held,
    ports,
    counts,
    watermarks,
    due,
    changed,
    write,
    project,
    settled: (order: OrderChangedV1, state: OrderSettledV1['state'], atMs = nowMs()): StockNews => ({
      name: 'order.settled.v1',
      event: { meta: meta(), data: settlement(order, state, atMs) },
    }),
    ordered: (order: OrderChangedV1): StockNews => ({
      name: 'order.changed.v1',
      event: { meta: meta(), data: order },
    }),
    levels: (free: Readonly<Record<string, number>>, asOfMs = nowMs()): StockNews => ({
      name: 'stock.changed.v1',
      event: {
        meta: meta(),
        data: {
          source: ERP,
          asOfMs,
          levels: Object.entries(free).map(([sku, pieces]) => ({
            sku,
            warehouse: 'WH',
            onHand: pieces,
            free: pieces,
          })),
          missing: [],
        },
      },
    }),
    learn: (name: string): Promise<LearnedListings> =>
      learnListings({ ...ports, shop: name, stock: shopOf(name).stock }, call),
    row: (sku: string): StockRow | undefined => held.rows.get(`${ERP} ${sku}`),
    claim: (shop: string, sku: string, listing = sku) =>
      held.rows.get(`${ERP} ${sku}`)?.claims[claimId(shop, DEFAULT_LOCATION, listing)],
    listing: (shop: string, sku: string) => held.listings.get(claimId(shop, DEFAULT_LOCATION, sku)),
    /** Works off all that was published. @returns what the shops' writers said, in order */
    flow: async (): Promise<WroteStock[]> => {
      const wrote: WroteStock[] = [];
      for (let turn = 0; due.length + changed.length > 0; turn += 1) {
        if (turn > 50) throw new Error('it never comes to rest');
        const levels = changed.splice(0);
        await project(
          ...levels.map((data) => ({ name: 'stock.changed.v1', event: { meta: meta(), data } }) as const),
        );
        const byShop = Map.groupBy(due.splice(0), ({ destination }) => destination);
        for (const [name, those] of byShop) {
          wrote.push(
            await write(
              name,
              those.flatMap(({ listings }) => listings),
            ),
          );
        }
      }
      return wrote;
    },
  };
};

export const key = (sku: string): Key => ({ sku, location: DEFAULT_LOCATION });

/** Both shops show what the ERP has, and know it. */
export const opened = async (
  free: Readonly<Record<string, number>>,
  options: Partial<MarketOptions> & { readonly compare?: MemoryShop['compare'] } = {},
) => {
  const [a, b] = [memoryShop(free, options.compare), memoryShop(free, options.compare)];
  const scene = market({ shops: { [SHOPS[0]]: a, [SHOPS[1]]: b }, ...options });
  for (const name of SHOPS) await scene.learn(name);
  scene.clock.nowMs += 1_000;
  await scene.project(scene.levels(free));
  await scene.flow();
  for (const shop of [a, b]) shop.writes.splice(0);
  scene.clock.nowMs = NOW + 2 * MINUTE_MS;
  return { ...scene, a, b };
};
