import type { Mappings } from '../../connectors/contract.ts';
import type { ErpStock } from '../../connectors/stock-contract.ts';
import type { OrderSettledV1 } from '../../events/order-settled.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { CallContext } from '../ports.ts';
import { componentsOf } from './components.ts';
import type { PollStates } from './poll-state.ts';
import type { StockStore } from './ports.ts';
import { type LevelsPorts, publishLevels, readingsOf } from './publish-levels.ts';
import type { Reading } from './readings.ts';

export interface ReadStockPorts extends LevelsPorts {
  readonly route: StockRoute;
  readonly stock: Pick<ErpStock, 'levels'>;
  readonly store: Pick<StockStore, 'rows'>;
  readonly mappings: Mappings;
  readonly states: Pick<PollStates, 'load'>;
}

export interface ReadStock {
  /** SKUs read. */
  readonly looked: number;
  readonly published: number;
}

/**
 * Reads what orders that the ERP has just taken are made of, so that they need not be subtracted for long: one reading for
 * the whole batch. It is told also when it says what is known: it contains those orders.
 *
 * While the poll is held, only what is less than known is told: the ERP may be wrong about everything.
 */
export const readStock = async (
  ports: ReadStockPorts,
  settled: readonly OrderSettledV1[],
  call: CallContext,
): Promise<ReadStock> => {
  const { erp, route } = ports;
  if (route.mode === 'off') return { looked: 0, published: 0 };
  const skus = new Set<string>();
  for (const [source, those] of Map.groupBy(settled, (each) => each.source)) {
    const listings = [...new Set(those.flatMap((each) => (each.destination === erp ? each.skus : [])))];
    for (const parts of (await componentsOf(ports.mappings, source, erp, listings)).values()) {
      for (const { sku } of parts) skus.add(sku);
    }
  }
  if (skus.size === 0) return { looked: 0, published: 0 };
  let readings = new Map<string, Reading>();
  for await (const page of ports.stock.levels([...skus], route, call)) {
    readings = new Map([...readings, ...readingsOf(page)]);
  }
  if ((await ports.states.load(erp)).held) readings = await lowerOnly(ports, readings);
  await publishLevels(ports, readings);
  return { looked: skus.size, published: readings.size };
};

const lowerOnly = async (
  { store, erp }: ReadStockPorts,
  readings: ReadonlyMap<string, Reading>,
): Promise<Map<string, Reading>> => {
  const rows = await store.rows(erp, [...readings.keys()]);
  return new Map(
    [...readings].filter(([sku, { levels }]) => {
      const known = rows.get(sku)?.levels ?? {};
      const told = Object.entries(levels);
      // Not there at all is what a wrong ERP says.
      return told.length > 0 && told.every(([name, { free }]) => free <= (known[name]?.free ?? 0));
    }),
  );
};
