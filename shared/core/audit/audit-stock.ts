import type { ShopListing } from '../../connectors/stock-contract.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import { available, notYetInErp } from '../stock/available.ts';
import type { Components } from '../stock/components.ts';
import { claimId, type StockRow } from '../stock/rows.ts';
import { rulesOf, warehousesOf } from '../stock/rules.ts';
import { isDivided } from '../stock/targets.ts';
import type { Difference, DifferenceCause } from './differences.ts';

export interface AuditedStock {
  readonly route: StockRoute;
  /** By the ERP's SKU: what was read just now, with what is known of orders and shops. */
  readonly rows: ReadonlyMap<string, StockRow>;
  /** SKUs that two products of the ERP have. */
  readonly ambiguous: ReadonlySet<string>;
}

/** A listing, and what it is made of. */
export interface AuditedListing {
  readonly shop: string;
  readonly listing: ShopListing;
  readonly components: Components;
  /** The mapping table has a row for it. */
  readonly isMapped: boolean;
}

/** Compares what one shop shows of one listing with what the ERP has of its parts. Pure. At most one difference. */
export const auditStock = (
  { route, rows, ambiguous }: AuditedStock,
  { shop, listing, components, isMapped }: AuditedListing,
): Difference | undefined => {
  const { sku, location, quantity, duplicates } = listing;
  const at = { shop, location };
  const difference = (
    kind: Difference['kind'],
    cause: DifferenceCause,
    erp: number | string,
    why: string,
  ): Difference => ({
    kind,
    cause,
    ...at,
    sku,
    erp: String(erp),
    shows: quantity === undefined ? 'not counted' : String(quantity),
    why,
  });
  if (duplicates > 1) {
    return difference(
      'duplicate',
      'drift',
      '',
      `${duplicates} products of the shop have this SKU: none is written`,
    );
  }
  // Said once, of the ERP.
  if (components.some((part) => ambiguous.has(part.sku))) return undefined;
  const unknown = components.filter((part) => !rows.get(part.sku)).map((part) => part.sku);
  if (unknown.length > 0) {
    return isMapped
      ? difference(
          'stock',
          'mapping',
          'unknown',
          `mapped to ${unknown.join(', ')}, which the ERP does not have`,
        )
      : difference(
          'only-in-shop',
          'drift',
          'unknown',
          'the ERP has no such SKU, and the mapping table no row',
        );
  }
  if (warehousesOf(route, shop, location) === undefined) return undefined;
  const parts = components.flatMap(({ sku: of, quantity: per }) => {
    const row = rows.get(of);
    return row ? [{ row, per }] : [];
  });
  const most = (pieces: (row: StockRow) => number): number =>
    parts.reduce(
      (least, { row, per }) => Math.min(least, Math.floor(pieces(row) / per)),
      Number.MAX_SAFE_INTEGER,
    );
  const there = Math.max(
    0,
    most((row) => freeFor(row, route, at)),
  );
  if (quantity === undefined) {
    return difference(
      'stock',
      'tracking-off',
      there,
      'the shop does not count this one, and sells it without end',
    );
  }
  if (quantity === there) return undefined;

  const stock = (cause: DifferenceCause, why: string) => difference('stock', cause, there, why);
  const asSettings = most((row) => available({ ...row, demand: {} }, at, route) ?? 0);
  const expected = most((row) => available(row, at, route) ?? 0);
  const [first] = parts;
  const rules = first && rulesOf(route, first.row, shop);
  if (rules && !rules.show && quantity === 0)
    return stock('not-shown', 'settings show it in other shops only');
  if (quantity === asSettings && rules) {
    return rules.backorder > rules.safetyStock
      ? stock('backorder', `${rules.backorder} may be sold beyond stock`)
      : stock('safety-stock', `${rules.safetyStock} are never offered`);
  }
  if (quantity === expected) {
    const orders = parts.reduce((sum, { row }) => sum + notYetInErp(row), 0);
    return stock('in-flight', `${orders} are in orders that the ERP does not hold yet`);
  }
  const claims = parts.flatMap(({ row }) => row.claims[claimId(shop, location, sku)] ?? []);
  if (claims.some(({ begun, want, bound }) => begun || (want !== bound && bound === quantity))) {
    return stock('in-flight', 'is being written');
  }
  const isShared = parts.some(({ row }) => isDivided(row, route));
  if (isShared && quantity < expected && isWithin(parts, quantity, at, sku, route)) {
    return stock('partition', 'the rest is shown by other shops');
  }
  if (isMapped && quantity === asOnePiece(parts, route, at)) {
    return stock('mapping', 'it shows the pieces of its parts, as if it were one of them');
  }
  return stock('drift', `it should show ${expected}`);
};

/** Free in the warehouses that feed that place. */
const freeFor = (
  row: StockRow,
  route: StockRoute,
  { shop, location }: { readonly shop: string; readonly location: string },
): number => {
  const named = warehousesOf(route, shop, location);
  const codes = named === 'all' || named === undefined ? Object.keys(row.levels) : named;
  return codes.reduce((sum, code) => sum + (row.levels[code]?.free ?? 0), 0);
};

/** Together with what the others show it is no more than there is. */
const isWithin = (
  parts: readonly { readonly row: StockRow; readonly per: number }[],
  quantity: number,
  { shop, location }: { readonly shop: string; readonly location: string },
  sku: string,
  route: StockRoute,
): boolean =>
  parts.every(({ row, per }) => {
    const own = claimId(shop, location, sku);
    const others = Object.entries(row.claims).filter(([id]) => id !== own);
    // Before the first flow nobody knows what the others show.
    if (others.length === 0) return route.to.length > 1;
    const shown = others.reduce((sum, [, claim]) => sum + claim.bound * claim.per, 0);
    return shown + quantity * per <= (available(row, { shop, location }, route) ?? 0);
  });

const asOnePiece = (
  parts: readonly { readonly row: StockRow; readonly per: number }[],
  route: StockRoute,
  at: { readonly shop: string; readonly location: string },
): number =>
  parts.reduce((least, { row }) => Math.min(least, available(row, at, route) ?? 0), Number.MAX_SAFE_INTEGER);
