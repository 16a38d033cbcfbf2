import type { Mappings } from '../../../shared/connectors/contract.ts';
import type { StockStore, Watermarks } from '../../../shared/core/stock/ports.ts';
import type { StockNews } from '../../../shared/core/stock/project-stock.ts';
import type { WriteStockPorts } from '../../../shared/core/stock/write-stock.ts';
import type { Publish } from '../../../shared/events/catalogue.ts';
import type { StockRoute } from '../../../shared/settings/stock-route.ts';
import type { HeldStock } from '../../fakes/memory-stock.ts';
import { actor, type Call, type Faults, stored } from '../actor.ts';
import type { World } from '../scheduler.ts';
import { BUNDLES } from './plan.ts';

export const ERP = 'erp';
const MOST_FAULTS = 30;

/** What a mutant breaks. Given from the tests, never from production code. */
export interface StockMutant {
  readonly store?: (real: StockStore, held: HeldStock) => StockStore;
  /** Only for who lists a shop. */
  readonly listing?: (real: StockStore, held: HeldStock) => StockStore;
  readonly news?: (news: StockNews, arrival: number) => StockNews | undefined;
  readonly write?: (real: WriteStockPorts, world: World) => WriteStockPorts;
  readonly watermarks?: (real: Watermarks) => Watermarks;
}

/** What all workers of one world share. */
export interface Workshop {
  readonly faults: Faults;
  readonly newId: () => string;
  readonly counts: Readonly<Record<string, number>>;
  readonly count: (kind: string) => void;
  /** Ports of one worker: between any two calls it may die, or be suspended. */
  readonly portsOf: (
    worker: string,
    real?: StockStore,
  ) => { readonly call: Call; readonly ports: CommonPorts };
}

interface CommonPorts {
  readonly erp: string;
  readonly route: StockRoute;
  readonly store: StockStore;
  readonly mappings: Mappings;
  readonly watermarks: Watermarks;
  readonly nowMs: () => number;
  readonly newId: () => string;
  readonly publish: Publish;
}

export const workshop = (
  world: World,
  shared: Pick<CommonPorts, 'route' | 'store' | 'watermarks' | 'nowMs'>,
  send: Publish,
): Workshop => {
  const counts: Record<string, number> = {};
  const count = (kind: string): void => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  let faultsLeft = MOST_FAULTS;
  const faults: Faults = {
    fault: (kind, n) => {
      if (faultsLeft <= 0 || !world.oneIn(n)) return false;
      faultsLeft -= 1;
      count(kind);
      return true;
    },
  };
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `id ${ids}`;
  };
  return {
    faults,
    newId,
    counts,
    count,
    portsOf: (worker, real = shared.store) => {
      const call = actor(world, faults, worker);
      const table = stored(call, faults, world, worker);
      const store: StockStore = {
        rows: (...args) => table('rows', () => real.rows(...args)),
        put: (...args) => table('put', () => real.put(...args)),
        listings: (...args) => table('listings', () => real.listings(...args)),
        putListing: (...args) => table('putListing', () => real.putListing(...args)),
        orders: (...args) => table('orders', () => real.orders(...args)),
        putOrder: (...args) => table('putOrder', () => real.putOrder(...args)),
        allRows: (name) => real.allRows(name),
        allListings: (name) => real.allListings(name),
      };
      const publish: Publish = (name, event) => table(`publish ${name}`, () => send(name, event));
      return { call, ports: { ...shared, erp: ERP, store, mappings, newId, publish } };
    },
  };
};

const mappings: Mappings = {
  lookup: async (_kind, source, destination, keys) =>
    new Map(
      keys.flatMap((key) => {
        const parts = BUNDLES[key];
        if (!parts) return [];
        const to = parts.map(({ sku, quantity }) => ({ value: sku, quantity, share: 1 }));
        return [[key, { kind: 'sku', source, destination, key, to }] as const];
      }),
    ),
};
