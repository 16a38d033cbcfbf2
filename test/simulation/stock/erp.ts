import type { ErpLevel, ErpStock, LevelPage } from '../../../shared/connectors/stock-contract.ts';
import { RetryableError } from '../../../shared/core/errors.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import type { OrderSettledV1 } from '../../../shared/events/order-settled.ts';
import type { Call, Faults } from '../actor.ts';
import type { World } from '../scheduler.ts';
import { type Attempt, partsOf, type StockPlan } from './plan.ts';

/** Transactions are dated when they begin, and seen when they commit. */
const MOST_LATE_COMMIT_MS = 20_000;

export interface SimulatedErp {
  readonly onHand: Map<string, Map<string, number>>;
  connect(call: Call, faults: Faults): ErpStock;
  /** Free of one SKU in a warehouse. */
  free(sku: string, warehouse: string): number;
  /** What one warehouse gets, or loses. */
  supply(sku: string, pieces: number): void;
  /** A consumer brings a version: what becomes of it. */
  take(order: OrderChangedV1, attempt: Attempt): OrderSettledV1['state'] | undefined;
  isDown(): boolean;
  readonly warehouses: readonly string[];
}

interface Held {
  readonly version: number;
  readonly state: OrderSettledV1['state'];
  readonly pieces: ReadonlyMap<string, number>;
}

/** An ERP that holds orders and stock: what is confirmed is missing from `free`. */
export const simulatedErp = (world: World, plan: StockPlan, nowMs: () => number): SimulatedErp => {
  const warehouses = plan.hasSecondWarehouse ? ['WH', 'ANNEX'] : ['WH'];
  const onHand = new Map(
    plan.skus.map(({ sku, stock, elsewhere }) => [
      sku,
      new Map([
        ['WH', stock],
        ['ANNEX', elsewhere],
      ]),
    ]),
  );
  const orders = new Map<string, Held>();
  const changes: { readonly sku: string; readonly atMs: number; readonly seenMs: number }[] = [];
  const note = (sku: string): void => {
    const late = world.choose(8) === 7 ? world.choose(MOST_LATE_COMMIT_MS) : 0;
    // Dated in the past: whoever polls in between has passed that moment.
    changes.push({ sku, atMs: nowMs() - late, seenMs: nowMs() });
  };
  /** Orders are delivered from the main warehouse. */
  const free = (sku: string, warehouse: string): number => {
    const there = onHand.get(sku)?.get(warehouse) ?? 0;
    if (warehouse !== 'WH') return there;
    return [...orders.values()].reduce((left, { pieces }) => left - (pieces.get(sku) ?? 0), there);
  };
  const levelsOf = (sku: string): ErpLevel[] =>
    warehouses.map((warehouse) => ({
      sku,
      warehouse,
      onHand: onHand.get(sku)?.get(warehouse) ?? 0,
      free: free(sku, warehouse),
    }));
  const isDown = () =>
    plan.erpDownMs.some(({ fromMs, untilMs }) => world.nowMs() >= fromMs && world.nowMs() < untilMs);
  return {
    onHand,
    warehouses,
    free,
    isDown,
    supply: (sku, pieces) => {
      const there = onHand.get(sku);
      there?.set('WH', (there.get('WH') ?? 0) + pieces);
      note(sku);
    },
    take: (order, attempt) => {
      const id = `${order.source}:${order.orderId}`;
      const held = orders.get(id);
      if (held && held.version > order.sourceVersion) return held.state;
      const isOver = order.status === 'cancelled';
      const isPaid = order.payment.state === 'paid';
      const state = isOver
        ? held
          ? 'ended'
          : 'dropped'
        : order.test
          ? 'dropped'
          : isPaid
            ? 'promised'
            : 'drafted';
      const pieces = new Map<string, number>();
      if (state === 'promised') {
        for (const { quantity } of order.lines) {
          for (const part of partsOf(attempt.listing)) pieces.set(part.sku, quantity * part.quantity);
        }
      }
      for (const sku of new Set([...(held?.pieces.keys() ?? []), ...pieces.keys()])) {
        if ((held?.pieces.get(sku) ?? 0) !== (pieces.get(sku) ?? 0)) note(sku);
      }
      orders.set(id, { version: order.sourceVersion, state, pieces });
      return state;
    },
    connect: (call, { fault }) => {
      /** Read as it is now; the answer takes its time. */
      const read = async (skus: readonly string[]): Promise<LevelPage> => {
        const asOfMs = nowMs();
        return call('levels', async () => {
          if (isDown() || fault('refused', 20)) throw new RetryableError('DOWN', '503');
          const levels = skus.flatMap(levelsOf);
          await world.sleep(world.choose(6) === 5 ? world.choose(25_000) : world.choose(1_500));
          return { asOfMs, levels, missing: [], ambiguous: [] };
        });
      };
      return {
        reservedWhen: 'confirmed',
        identify: async () => {
          if (isDown()) throw new RetryableError('DOWN', '503');
          return { company: 'Acme', warehouses };
        },
        changed: async function* ({ fromMs, untilMs }) {
          const skus = await call('changed', async () => {
            if (isDown()) throw new RetryableError('DOWN', '503');
            const now = nowMs();
            return changes
              .filter(({ atMs, seenMs }) => seenMs <= now && atMs >= fromMs && atMs < untilMs)
              .map(({ sku }) => sku);
          });
          if (skus.length > 0) yield [...new Set(skus)];
        },
        levels: async function* (skus) {
          yield await read(skus);
        },
        all: async function* () {
          yield await read(plan.skus.map(({ sku }) => sku));
        },
      };
    },
  };
};
