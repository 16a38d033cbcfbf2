import type { Mappings } from '../../connectors/contract.ts';
import type { Envelope } from '../../events/envelope.ts';
import type { OrderChangedV1 } from '../../events/order-changed.ts';
import type { OrderSettledV1 } from '../../events/order-settled.ts';
import type { StockChangedV1 } from '../../events/stock-changed.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import { acceptanceOf } from '../accept.ts';
import { RetryableError } from '../errors.ts';
import { changeRows, type RowChange } from './change-rows.ts';
import { componentsOf } from './components.ts';
import { type Counted, countOrder, piecesIn, settleOrder } from './demand.ts';
import { type Due, type DuePorts, publishDue } from './due.ts';
import { type LowStock, lowStock, withLowStock } from './low-stock.ts';
import type { StockStore, Watermarks } from './ports.ts';
import { takeReading } from './readings.ts';
import { demandId, type OrderSkus, type StockRow } from './rows.ts';
import { dueOf, retargeted } from './targets.ts';

export interface ProjectStockPorts extends DuePorts {
  readonly route: StockRoute;
  /** Order routes to this ERP; those that are not live are left out of account. */
  readonly orderRoutes: readonly OrderRoute[];
  readonly store: Pick<StockStore, 'rows' | 'put' | 'orders' | 'putOrder'>;
  readonly mappings: Mappings;
  readonly watermarks: Watermarks;
}

/** What tells of stock. */
export type StockNews =
  | { readonly name: 'stock.changed.v1'; readonly event: Envelope<StockChangedV1> }
  | { readonly name: 'order.changed.v1'; readonly event: Envelope<OrderChangedV1> }
  | { readonly name: 'order.settled.v1'; readonly event: Envelope<OrderSettledV1> };

export interface Projected {
  /** Rows that the news concern. */
  readonly rows: number;
  /** Listings that were told to be written. */
  readonly due: number;
  /** SKUs that have fallen below their level just now. */
  readonly low: readonly LowStock[];
}

/**
 * Counts sales and readings, works out who should show what, and tells those who show something else. The news of one batch
 * are counted together: a thousand orders of one SKU are a hundred writes, not a thousand.
 *
 * Whatever was counted already changes nothing, but what is due is told again: a worker may have died in between.
 * @throws RetryableError nothing is lost when the batch comes again
 */
export const projectStock = async (
  ports: ProjectStockPorts,
  news: readonly StockNews[],
): Promise<Projected> => {
  if (ports.route.mode === 'off') return { rows: 0, due: 0, low: [] };
  const changes = new Map<string, RowChange[]>();
  const add = (sku: string, change: RowChange): void => {
    changes.set(sku, [...(changes.get(sku) ?? []), change]);
  };
  for (const { name, event } of news) {
    if (name === 'stock.changed.v1' && event.data.source === ports.erp) takeLevels(event.data, add);
  }
  await takeOrders(ports, news, add);
  if (changes.size === 0) return { rows: 0, due: 0, low: [] };

  const marks = await watermarksOf(ports);
  const nowMs = ports.nowMs();
  const context = { route: ports.route, nowMs, watermarkMs: (shop: string) => marks.get(shop) };
  const rows = await changeRows(
    ports.store,
    ports.erp,
    new Map(
      [...changes].map(([sku, each]) => [
        sku,
        (row: StockRow) =>
          withLowStock(
            retargeted(
              each.reduce((held, change) => change(held), row),
              context,
            ),
            ports.route,
            nowMs,
          ),
      ]),
    ),
  );
  const due = await publishDue(ports, dueOfRows(rows.values(), ports.route, nowMs), `stock of ${ports.erp}`);
  const fallen = [...rows.values()].filter(({ lowSinceMs }) => lowSinceMs === nowMs);
  return { rows: rows.size, due, low: fallen.flatMap((row) => lowStock(row, ports.route, nowMs) ?? []) };
};

/** All listings that show something else than they should, and can be helped now. */
export const dueOfRows = (rows: Iterable<StockRow>, route: StockRoute, nowMs: number): Due[] =>
  [...rows].flatMap((row) =>
    dueOf(row, route, nowMs).flatMap((id) => {
      const claim = row.claims[id];
      return claim ? [{ shop: claim.shop, sku: claim.listing, location: claim.location }] : [];
    }),
  );

export const watermarksOf = async ({
  route,
  watermarks,
}: Pick<ProjectStockPorts, 'route' | 'watermarks'>): Promise<ReadonlyMap<string, number | undefined>> =>
  new Map(await Promise.all(route.to.map(async (shop) => [shop, await watermarks.of(shop)] as const)));

type Add = (sku: string, change: RowChange) => void;

const takeLevels = ({ asOfMs, levels, missing }: StockChangedV1, add: Add): void => {
  for (const [sku, those] of Map.groupBy(levels, (level) => level.sku)) {
    const byWarehouse = Object.fromEntries(
      those.map(({ warehouse, onHand, free }) => [warehouse, { onHand, free }]),
    );
    const category = those[0]?.category;
    add(sku, (row) => takeReading(row, { asOfMs, levels: byWarehouse, category }));
  }
  for (const sku of missing) add(sku, (row) => takeReading(row, { asOfMs, levels: {} }));
};

// --- orders -------------------------------------------------------------------------------------------------

const takeOrders = async (ports: ProjectStockPorts, news: readonly StockNews[], add: Add): Promise<void> => {
  const orders = news.flatMap(({ name, event }) => {
    if (name !== 'order.changed.v1') return [];
    const counts = countsFor(ports, event.data);
    return counts === undefined ? [] : [{ event, counts, pieces: piecesIn(event.data) }];
  });
  const settled = news.flatMap(({ name, event }) =>
    name === 'order.settled.v1' && event.data.destination === ports.erp ? [event.data] : [],
  );
  if (orders.length + settled.length === 0) return;

  const parts = await partsOf(ports, [
    ...orders.flatMap(({ event, pieces }) =>
      Object.keys(pieces).map((sku) => ({ source: event.data.source, sku })),
    ),
    ...settled.flatMap(({ source, skus }) => skus.map((sku) => ({ source, sku }))),
  ]);
  const named = new Map<string, Set<string>>();
  const name = (id: string, skus: Iterable<string>): void => {
    named.set(id, new Set([...(named.get(id) ?? []), ...skus]));
  };
  for (const { event, pieces } of orders) {
    const { source, orderId } = event.data;
    name(demandId(source, orderId), skusOf(parts, source, Object.keys(pieces)));
  }
  for (const { source, orderId, skus } of settled) {
    name(demandId(source, orderId), skusOf(parts, source, skus));
  }
  // Before the rows: whoever counts the next version has to find all that this one named.
  const known = await noteSkus(ports, named);

  for (const { event, counts, pieces } of orders) {
    const { source, orderId, sourceVersion, placedAt } = event.data;
    const copy = {
      source,
      orderId,
      sourceVersion,
      placedAtMs: Date.parse(placedAt),
      fetchedAtMs: event.meta.fetchedAtMs,
      counts,
    };
    for (const sku of known.get(demandId(source, orderId)) ?? []) {
      const by: Record<string, Counted['by'][string]> = {};
      for (const [listing, sold] of Object.entries(pieces)) {
        const per = parts(source, listing).find((part) => part.sku === sku)?.quantity;
        if (per !== undefined) by[listing] = { pieces: sold, per };
      }
      add(sku, (row) => countOrder(row, { ...copy, by }));
    }
  }
  for (const each of settled) {
    for (const sku of known.get(demandId(each.source, each.orderId)) ?? []) {
      add(sku, (row) => settleOrder(row, each));
    }
  }
};

/** undefined: none of its versions is ours. */
const countsFor = (
  { orderRoutes, erp }: ProjectStockPorts,
  order: OrderChangedV1,
): Counted['counts'] | undefined => {
  const route = orderRoutes.find(({ from, to }) => from === order.source && to === erp);
  if (route?.mode !== 'live') return undefined;
  const acceptance = acceptanceOf(order, route);
  if (acceptance.kind === 'take') return 'yes';
  if (acceptance.reason === 'BEFORE_START') return undefined;
  if (acceptance.reason === 'CANCELLED_BEFORE_WRITTEN') return 'no';
  return acceptance.reason === 'IGNORED_BY_POLICY' ? 'never' : 'later';
};

type Parts = (source: string, sku: string) => readonly { readonly sku: string; readonly quantity: number }[];

const partsOf = async (
  { mappings, erp }: ProjectStockPorts,
  sold: readonly { readonly source: string; readonly sku: string }[],
): Promise<Parts> => {
  const bySource = new Map<string, Awaited<ReturnType<typeof componentsOf>>>();
  for (const [source, those] of Map.groupBy(sold, (each) => each.source)) {
    bySource.set(
      source,
      await componentsOf(mappings, source, erp, [...new Set(those.map(({ sku }) => sku))]),
    );
  }
  return (source, sku) => bySource.get(source)?.get(sku) ?? [];
};

const skusOf = (parts: Parts, source: string, listings: readonly string[]): string[] =>
  listings.flatMap((listing) => parts(source, listing).map(({ sku }) => sku));

/** After that, an order that nobody has spoken of is forgotten. */
const KEPT_MS = 60 * 24 * 60 * 60_000;
const MOST_TRIES = 5;

/** Adds to the SKUs that orders ever named. @returns all of them, by order */
const noteSkus = async (
  { store, erp, nowMs }: ProjectStockPorts,
  named: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const known = new Map<string, readonly string[]>();
  let left = [...named.keys()];
  for (let tries = 0; left.length > 0; tries += 1) {
    if (tries === MOST_TRIES)
      throw new RetryableError('STOCK_CONTENDED', 'an order is counted by others, too');
    const held = await store.orders(erp, left);
    const lost: string[] = [];
    for (const id of left) {
      const row: OrderSkus | undefined = held.get(id);
      const skus = [...new Set([...(row?.skus ?? []), ...(named.get(id) ?? [])])];
      known.set(id, skus);
      if (skus.length === (row?.skus.length ?? 0)) continue;
      const next = { erp, id, version: row?.version ?? 0, skus, keepUntilMs: nowMs() + KEPT_MS };
      if (!(await store.putOrder(next))) lost.push(id);
    }
    left = lost;
  }
  return known;
};
