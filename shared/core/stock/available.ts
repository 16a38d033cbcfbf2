import type { StockRoute } from '../../settings/stock-route.ts';
import type { Claim, Demand, StockRow } from './rows.ts';
import { rulesOf, type SkuRules, warehousesOf } from './rules.ts';

/** Pieces of an accepted order that the ERP's `free` still contains. */
export const outstanding = ({ quantity, covered = 0 }: Demand): number => Math.max(0, quantity - covered);

/**
 * Demand that no reading contains. It counts in every pool of warehouses: from which one an order will be delivered is
 * not known yet, and an error may only err downwards.
 */
export const notYetInErp = (row: Pick<StockRow, 'demand'>): number =>
  Object.values(row.demand).reduce((sum, demand) => sum + outstanding(demand), 0);

/**
 * Free in these warehouses minus what the ERP does not know of yet; may be below zero, and a fraction.
 * @returns undefined: nothing was read yet, which is not zero
 */
export const poolOf = (
  row: Pick<StockRow, 'levels' | 'demand'>,
  warehouses: readonly string[] | 'all',
  negativeStock: SkuRules['negativeStock'],
): number | undefined => {
  if (Object.keys(row.levels).length === 0) return undefined;
  const names = warehouses === 'all' ? Object.keys(row.levels) : warehouses;
  const free = names.reduce((sum, name) => {
    const level = row.levels[name]?.free ?? 0;
    return sum + (negativeStock === 'ignore' ? Math.max(0, level) : level);
  }, 0);
  return free - notYetInErp(row);
};

/** What these rules add to a pool: pieces beyond stock, minus pieces that are never offered. */
export const marginOf = ({ backorder, safetyStock }: SkuRules): number => backorder - safetyStock;

/**
 * Available to sell, in whole pieces of the ERP's SKU:
 *
 *     free in the warehouses that feed the location - not yet in the ERP - safety stock + backorder, at least 0
 *
 * @returns undefined: nothing was read yet, or settings leave this location alone
 */
export const available = (
  row: StockRow,
  at: Pick<Claim, 'shop' | 'location'>,
  route: StockRoute,
): number | undefined => {
  const warehouses = warehousesOf(route, at.shop, at.location);
  if (warehouses === undefined) return undefined;
  const rules = rulesOf(route, row, at.shop);
  const pool = poolOf(row, warehouses, rules.negativeStock);
  if (pool === undefined) return undefined;
  return rules.show ? Math.max(0, Math.floor(pool + marginOf(rules))) : 0;
};
