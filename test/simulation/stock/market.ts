import { learnListings } from '../../../shared/core/stock/learn-listings.ts';
import { pollStock } from '../../../shared/core/stock/poll-stock.ts';
import type { Watermarks } from '../../../shared/core/stock/ports.ts';
import { projectStock, type StockNews } from '../../../shared/core/stock/project-stock.ts';
import { readStock } from '../../../shared/core/stock/read-stock.ts';
import { type WriteStockPorts, writeStock } from '../../../shared/core/stock/write-stock.ts';
import type { Publish } from '../../../shared/events/catalogue.ts';
import type { OrderSettledV1 } from '../../../shared/events/order-settled.ts';
import type { StockDueV1 } from '../../../shared/events/stock-due.ts';
import { OrderRoute } from '../../../shared/settings/order-route.ts';
import { type StockPolicy, StockRoute } from '../../../shared/settings/stock-route.ts';
import { memoryCursors } from '../../fakes/memory-cursors.ts';
import { type HeldStock, heldStock, memoryPollStates, memoryStock } from '../../fakes/memory-stock.ts';
import { LIFETIME_MS } from '../actor.ts';
import type { World } from '../scheduler.ts';
import { EPOCH_MS, START_AT } from '../shop.ts';
import { type SimulatedErp, simulatedErp } from './erp.ts';
import { type Measured, measure, type Taken } from './measure.ts';
import type { StockPlan } from './plan.ts';
import { simulatedQueue } from './queue.ts';
import { reflecting } from './reflecting.ts';
import { envelope, playSales, type Version } from './sales.ts';
import { type SimulatedShop, simulatedShop } from './shop.ts';
import { ERP, type StockMutant, workshop } from './workshop.ts';

const MINUTE_MS = 60_000;
/** A little less than what is waited for sales to be told, so that the two can be told apart. */
const SETTLE_MS = 58_000;
const SEND_WITHIN_MS = 30_000;
const OVERLAP_MS = 60_000;
/** What reconciliation leaves to the webhooks under way. */
const IN_FLIGHT_MS = 5 * MINUTE_MS;
/** A world that has not come to rest by then never will. */
const GIVE_UP_MS = 10 * 60 * MINUTE_MS;
/** A run that only waits for sales to be told has written what there was to write. */
const WAITS_ONLY_MS = 60_000;

export interface Market {
  readonly plan: StockPlan;
  readonly route: StockRoute;
  readonly shops: ReadonlyMap<string, SimulatedShop>;
  readonly erp: SimulatedErp;
  readonly held: HeldStock;
  readonly measured: Measured;
  readonly left: (sku: string) => number;
  readonly active: ReadonlyMap<string, number>;
  readonly counts: Readonly<Record<string, number>>;
  isAtRest: () => boolean;
}

export const routeOf = (plan: StockPlan, policy: StockPolicy): StockRoute => {
  const [first] = plan.shops;
  const everywhere = Object.fromEntries(plan.shops.map(({ name }) => [name, 'default']));
  return StockRoute.parse({
    from: ERP,
    to: plan.shops.map(({ name }) => name),
    policy,
    safetyStock: plan.safetyStock,
    rules: plan.backorder > 0 ? [{ backorder: plan.backorder }] : [],
    warehouses: plan.hasSecondWarehouse
      ? { WH: everywhere, ANNEX: first ? { [first.name]: 'default' } : {} }
      : {},
  });
};

/** Shops, buyers, an ERP, and Waybill's own stock flow between them, with every fault. */
export const simulateMarket = (
  world: World,
  plan: StockPlan,
  policy: StockPolicy,
  mutant: StockMutant = {},
): Market => {
  const nowMs = () => EPOCH_MS + world.nowMs();
  const signal = new AbortController().signal;
  const route = routeOf(plan, policy);
  const held = heldStock();
  const store = mutant.store?.(memoryStock(held), held) ?? memoryStock(held);
  const states = memoryPollStates();
  const cursors = memoryCursors(nowMs);
  const shops = new Map(plan.shops.map((shop) => [shop.name, simulatedShop(world, shop)]));
  const erp = simulatedErp(world, plan, nowMs);
  const measuring = measure(world, plan, policy !== 'partitioned');
  const orderRoutes = plan.shops.map(({ name }) =>
    OrderRoute.parse({ from: name, to: ERP, startAt: START_AT, accept: { bankTransferPending: 'draft' } }),
  );
  const marks = new Map<string, { readonly before: number; readonly last: number }>();
  const realMarks: Watermarks = { of: async (shop) => marks.get(shop)?.before };
  const watermarks = mutant.watermarks?.(realMarks) ?? realMarks;

  const desk = workshop(world, { route, store, watermarks, nowMs }, (name, event) => send(name, event));
  const { faults, newId, counts, count, portsOf } = desk;
  const send: Publish = async (name, event) => {
    if (name === 'stock.due.v1')
      due.get((event.data as StockDueV1).destination)?.send(event.data as StockDueV1);
    else if (name === 'stock.changed.v1') project.send({ news: { name, event } as StockNews });
  };
  const mayFail = () => faults.fault('duplicated or late', 20);

  // ---- sums ----------------------------------------------------------------------------------------------------
  let arrivals = 0;
  const reflections = reflecting(world, shops.values(), (shop, listing) =>
    [...(due.get(shop)?.held ?? [])].some(({ body }) => body.listings.some(({ sku }) => sku === listing)),
  );
  const project = simulatedQueue<{ readonly news: StockNews; readonly taken?: Taken | undefined }>(world, {
    name: 'project',
    batch: 10,
    workers: 2,
    mayFail,
    work: async (bodies, worker) => {
      const { ports } = portsOf(worker);
      const news = bodies.flatMap((body) => {
        arrivals += 1;
        const bent = mutant.news ? mutant.news(body.news, arrivals) : body.news;
        return bent ? [bent] : [];
      });
      await projectStock({ ...ports, orderRoutes }, news);
      return undefined;
    },
    onDone: (bodies) => {
      for (const { taken } of bodies) if (taken) reflections.counted(taken);
    },
  });

  // ---- shops ---------------------------------------------------------------------------------------------------
  const due = new Map(
    [...shops.values()].map((shop) => [
      shop.plan.name,
      simulatedQueue<StockDueV1>(world, {
        name: `write ${shop.plan.name}`,
        batch: 10,
        workers: 2,
        mayFail,
        work: async (bodies, worker) => {
          const { ports, call } = portsOf(worker);
          const startedMs = world.nowMs();
          const { name, compare } = shop.plan;
          const listings = bodies.flatMap((body) => body.listings);
          const writing: WriteStockPorts = {
            ...ports,
            shop: name,
            compare,
            stock: shop.connect(call, faults, (listing) => {
              world.tell(`${name} is told to show ${shop.shown.get(listing)} ${listing}`);
              reflections.shown(name, listing, startedMs);
            }),
            settleMs: SETTLE_MS,
            sendWithinMs: SEND_WITHIN_MS,
          };
          const wrote = await writeStock(mutant.write?.(writing, world) ?? writing, listings, { signal });
          const isDone = wrote.failure === undefined && (wrote.againMs ?? WAITS_ONLY_MS) >= WAITS_ONLY_MS;
          if (isDone) for (const { sku } of listings) reflections.shown(name, sku, startedMs);
          return wrote.againMs;
        },
      }),
    ]),
  );
  const list = (shop: SimulatedShop, triesLeft = 20): void => {
    const worker = `list ${shop.plan.name} ${triesLeft}`;
    let isOver = false;
    const again = () => {
      if (isOver) return;
      isOver = true;
      if (triesLeft > 0) list(shop, triesLeft - 1);
    };
    world.later(LIFETIME_MS + 5_000, again);
    const { ports, call } = portsOf(worker, mutant.listing?.(store, held) ?? store);
    const stock = shop.connect(call, faults, () => undefined);
    learnListings({ ...ports, shop: shop.plan.name, stock }, { signal }).then(
      () => {
        isOver = true;
      },
      () => again(),
    );
  };
  for (const shop of shops.values()) {
    list(shop);
    for (const atMs of shop.plan.relistMs) world.later(atMs, () => list(shop));
  }

  // ---- ERP -----------------------------------------------------------------------------------------------------
  const read = simulatedQueue<OrderSettledV1>(world, {
    name: 'read',
    batch: 10,
    workers: 2,
    mayFail,
    work: async (bodies, worker) => {
      const { ports, call } = portsOf(worker);
      await readStock({ ...ports, stock: erp.connect(call, faults), states }, bodies, { signal });
      return undefined;
    },
  });
  let openOrders = 0;
  const toErp = (version: Version): void => {
    openOrders += 1;
    const write = (): void => {
      if (erp.isDown()) {
        world.later(20_000, write);
        return;
      }
      const state = erp.take(version.order, version.attempt);
      const atMs = nowMs();
      world.later(version.attempt.settledMs, () => {
        openOrders -= 1;
        if (state === undefined) return;
        const { source, orderId, sourceVersion } = version.order;
        const skus = [version.attempt.listing];
        const settled = { source, orderId, sourceVersion, state, skus, atMs, destination: ERP };
        project.send({ news: { name: 'order.settled.v1', event: envelope(settled, newId(), atMs) } });
        read.send(settled);
      });
    };
    world.later(version.attempt.erpMs, write);
  };
  let lastPollMs = 0;
  const poll = (): void => {
    const startedMs = world.nowMs();
    const { ports, call } = portsOf(`poll at ${Math.round(startedMs / 1000)} s`);
    pollStock(
      {
        ...ports,
        stock: erp.connect(call, faults),
        cursors,
        states,
        leaseMs: LIFETIME_MS + 10_000,
        overlapMs: OVERLAP_MS,
        allEveryMs: 24 * 60 * MINUTE_MS,
      },
      {},
      { signal },
    ).then(
      ({ kind }) => {
        if (kind === 'done') lastPollMs = startedMs;
        else world.tell(`poll: ${kind}`);
      },
      () => undefined,
    );
    world.later(plan.pollEveryMs, () => {
      if (!isAtRest() && world.nowMs() < GIVE_UP_MS) poll();
    });
  };
  poll();
  for (const { atMs, sku, pieces } of plan.supplies) {
    world.later(atMs, () => {
      world.tell(`ERP: ${pieces} ${sku}`);
      erp.supply(sku, pieces);
      measuring.supply(sku, pieces);
    });
  }

  // ---- orders --------------------------------------------------------------------------------------------------
  const untold = new Set<Version>();
  const tell = (version: Version, fetchedAtMs?: number): void => {
    untold.delete(version);
    const plain = envelope(version.order, newId(), nowMs());
    const event = fetchedAtMs === undefined ? plain : { ...plain, meta: { ...plain.meta, fetchedAtMs } };
    project.send({ news: { name: 'order.changed.v1', event }, taken: version.taken });
    toErp(version);
  };
  playSales(world, plan.attempts, shops, measuring, nowMs, (version) => {
    untold.add(version);
    if (version.news.length === 0) count('webhooksLost');
    for (const afterMs of version.news) world.later(afterMs, () => tell(version));
  });
  for (const { name, reconcileEveryMs, skewMs } of plan.shops) {
    const reconcile = (): void => {
      const untilMs = world.nowMs() - IN_FLIGHT_MS;
      for (const version of untold) {
        if (version.order.source !== name || version.committedMs > untilMs) continue;
        count('reconciled');
        tell(version, nowMs());
      }
      const last = EPOCH_MS + untilMs + skewMs;
      marks.set(name, { before: marks.get(name)?.last ?? 0, last });
      world.later(reconcileEveryMs, () => {
        if (!isAtRest() && world.nowMs() < GIVE_UP_MS) reconcile();
      });
    };
    world.later(world.choose(reconcileEveryMs), reconcile);
  }

  const lastPlannedMs = Math.max(
    0,
    ...plan.attempts.map(({ atMs, change }) => atMs + (change?.afterMs ?? 0)),
    ...plan.supplies.map(({ atMs }) => atMs),
    ...plan.shops.flatMap(({ relistMs }) => relistMs),
  );
  const isAtRest = (): boolean =>
    world.nowMs() > lastPlannedMs + 2 * LIFETIME_MS &&
    openOrders === 0 &&
    untold.size === 0 &&
    lastPollMs > lastPlannedMs + MINUTE_MS &&
    project.held.size + read.held.size === 0 &&
    [...due.values()].every((queue) => queue.held.size === 0);

  return {
    plan,
    route,
    shops,
    erp,
    held,
    measured: measuring.measured,
    left: measuring.left,
    active: measuring.active,
    counts,
    isAtRest,
  };
};
