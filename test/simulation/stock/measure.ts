import type { World } from '../scheduler.ts';
import { partsOf, type StockPlan } from './plan.ts';

/** One sale, or an edit that takes more; or pieces that a shop put back on sale by itself. */
export interface Taken {
  /** Put back on this listing (`<shop> <listing>`); undefined: sold. */
  readonly returned?: string;
  readonly pieces: ReadonlyMap<string, number>;
  /** From when on a listing (`<shop> <listing>`) shows a number that was computed with it. */
  readonly reflected: Map<string, number>;
}

/** What was sold beyond what there was, and how much of that no integration could have prevented. */
export interface Measured {
  sold: number;
  oversold: number;
  /** Pieces that other sales had taken within their propagation time, at most as many as were sold: see decision 24. */
  bound: number;
  /** Of `oversold`: the ERP itself had lost the pieces. */
  lost: number;
  /** Sales that exceeded their bound, in words. */
  readonly beyond: string[];
}

export interface Measure {
  readonly measured: Measured;
  /** Pieces that active orders hold. */
  readonly active: ReadonlyMap<string, number>;
  /** What may still be sold of a SKU, all warehouses together; below zero: it was oversold. */
  left(sku: string): number;
  /** @returns for `reflect` */
  take(shop: string, listing: string, pieces: number): Taken;
  /** @returns for `reflect` */
  giveBack(shop: string, listing: string, pieces: number): Taken;
  supply(sku: string, pieces: number): void;
}

export const measure = (world: World, plan: StockPlan, isBounded: boolean): Measure => {
  const measured: Measured = { sold: 0, oversold: 0, bound: 0, lost: 0, beyond: [] };
  const active = new Map<string, number>();
  const supplies = new Map(
    plan.skus.map(({ sku, stock, elsewhere }) => [sku, stock + (plan.hasSecondWarehouse ? elsewhere : 0)]),
  );
  /** Pieces that were lost in the ERP and have not yet explained an oversale. */
  const unexplained = new Map<string, number>();
  const taken: Taken[] = [];
  const add = (to: Map<string, number>, sku: string, n: number) => to.set(sku, (to.get(sku) ?? 0) + n);
  const left = (sku: string) =>
    (supplies.get(sku) ?? 0) - plan.safetyStock + plan.backorder - (active.get(sku) ?? 0);
  return {
    measured,
    active,
    left,
    supply: (sku, pieces) => {
      add(supplies, sku, pieces);
      if (pieces < 0) add(unexplained, sku, -pieces);
    },
    giveBack: (shop, listing, pieces) => {
      const parts = partsOf(listing).map(({ sku, quantity }) => [sku, pieces * quantity] as const);
      for (const [sku, n] of parts) add(active, sku, -n);
      const back: Taken = { returned: `${shop} ${listing}`, pieces: new Map(parts), reflected: new Map() };
      taken.push(back);
      return back;
    },
    take: (shop, listing, pieces) => {
      const atMs = world.nowMs();
      const parts = partsOf(listing).map(({ sku, quantity }) => [sku, pieces * quantity] as const);
      for (const [sku, n] of parts) {
        const unreflected = taken.reduce((sum, sale) => {
          const here = `${shop} ${listing}`;
          const sinceMs = sale.reflected.get(here) ?? Number.POSITIVE_INFINITY;
          // A shop that puts a piece back on sale that was sold twice sells it again, until it is told.
          return sinceMs > atMs && (sale.returned ?? here) === here ? sum + (sale.pieces.get(sku) ?? 0) : sum;
        }, 0);
        const bound = Math.min(n, unreflected);
        const beyond = Math.min(n, Math.max(0, n - left(sku)));
        add(active, sku, n);
        measured.sold += n;
        measured.bound += bound;
        measured.oversold += beyond;
        const explained = Math.min(beyond, unexplained.get(sku) ?? 0);
        add(unexplained, sku, -explained);
        measured.lost += explained;
        const allowed = explained + (isBounded ? bound : 0);
        if (beyond > allowed) {
          measured.beyond.push(
            `${shop} sells ${n} ${sku}, ${beyond} more than there are (${allowed} allowed)`,
          );
          world.tell(`OVERSOLD ${measured.beyond.at(-1)}`);
        } else if (beyond > 0) world.tell(`oversold: ${beyond} ${sku}`);
      }
      const sale: Taken = { pieces: new Map(parts), reflected: new Map() };
      taken.push(sale);
      return sale;
    },
  };
};
