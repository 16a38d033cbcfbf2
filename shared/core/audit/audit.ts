import type { ErpOrders, Mappings, StorefrontReads } from '../../connectors/contract.ts';
import type {
  ErpProduct,
  ErpProducts,
  ErpStock,
  ShopListing,
  StorefrontStock,
} from '../../connectors/stock-contract.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { CallContext, Clock } from '../ports.ts';
import type { PriceStore } from '../products/price-rows.ts';
import { componentsOf } from '../stock/components.ts';
import type { StockStore } from '../stock/ports.ts';
import { readingsOf } from '../stock/publish-levels.ts';
import { type Reading, takeReading } from '../stock/readings.ts';
import type { StockRow } from '../stock/rows.ts';
import { rulesOf } from '../stock/rules.ts';
import { auditOrders } from './audit-orders.ts';
import { auditProduct } from './audit-price.ts';
import { auditStock } from './audit-stock.ts';
import type { Difference } from './differences.ts';

export interface AuditPorts {
  /** Connection id of the ERP. */
  readonly erp: string;
  readonly route: StockRoute;
  readonly stock: ErpStock;
  /** undefined: the connector cannot tell prices, and none are compared. */
  readonly products: ErpProducts | undefined;
  /** The shops of the route. */
  readonly shops: ReadonlyMap<string, Pick<StorefrontStock, 'listings'>>;
  readonly mappings: Mappings;
  /** What Waybill knows; undefined: nothing flows yet. */
  readonly known: { readonly stock: Pick<StockStore, 'rows'>; readonly prices: PriceStore } | undefined;
  /** Routes whose orders are compared. */
  readonly orders: readonly AuditedOrders[];
  readonly nowMs: Clock;
}

export interface AuditedOrders {
  readonly route: OrderRoute;
  readonly reads: Pick<StorefrontReads, 'changed'>;
  readonly erp: Pick<ErpOrders, 'find' | 'adoption'>;
}

export interface Audit {
  readonly differences: readonly Difference[];
  /** SKUs that the ERP told, listings that the shops told, orders that were compared. */
  readonly skus: number;
  readonly listings: number;
  readonly orders: number;
}

/**
 * Reads both sides and says where they differ, and why. Only reads; works before anything flows, and beside a flow: what is
 * on its way is said to be so.
 * @param days orders of the last days are compared; 0: none
 * @throws RetryableError, CredentialsError, PermanentError a side could not be read: no half audit
 */
export const audit = async (
  ports: AuditPorts,
  { days }: { readonly days: number },
  call: CallContext,
): Promise<Audit> => {
  const { erp, route, mappings, shops } = ports;
  const { readings, ambiguous } = await readErp(ports, call);
  const products = await readProducts(ports, call);
  const held = ports.known
    ? await ports.known.stock.rows(erp, [...readings.keys()])
    : new Map<string, StockRow>();
  const rows = new Map(
    [...readings].map(([sku, reading]) => {
      const category = products.get(sku)?.category ?? held.get(sku)?.category;
      const row = takeReading(held.get(sku) ?? unknownRow(erp, sku), reading);
      return [sku, { ...row, ...(category !== undefined && { category }) }] as const;
    }),
  );
  const differences: Difference[] = [...ambiguous].map((sku) => ({
    kind: 'duplicate',
    cause: 'drift',
    sku,
    erp: 'two products',
    shows: '',
    why: 'two products of the ERP have this SKU: nobody can say which is meant',
  }));

  const sold = new Set<string>();
  let count = 0;
  for (const [shop, stock] of shops) {
    const listings: ShopListing[] = [];
    for await (const page of stock.listings(call)) listings.push(...page);
    count += listings.length;
    const skus = [...new Set(listings.map(({ sku }) => sku))];
    const parts = await componentsOf(mappings, shop, erp, skus);
    const mapped = await mappings.lookup('sku', shop, erp, skus);
    const prices = ports.known ? await ports.known.prices.prices(shop, skus) : new Map();
    const told = new Set<string>();
    for (const listing of listings) {
      const components = parts.get(listing.sku) ?? [];
      for (const { sku } of components) sold.add(sku);
      const isFirst = !told.has(listing.sku);
      told.add(listing.sku);
      // Of one SKU at several locations, what concerns the product is said once.
      const isMapped = mapped.has(listing.sku);
      const found = auditStock({ route, rows, ambiguous }, { shop, listing, components, isMapped });
      if (found && (isFirst || found.kind === 'stock')) differences.push(found);
      const [only] = components;
      const product = only && components.length === 1 && only.quantity === 1 && products.get(only.sku);
      if (product && isFirst && listing.duplicates < 2 && !ambiguous.has(product.sku)) {
        differences.push(...auditProduct(route, shop, listing, product, prices.get(listing.sku)));
      }
    }
  }
  for (const row of rows.values()) {
    const isWanted = route.to.some((shop) => rulesOf(route, row, shop).show);
    const isActive = (products.get(row.sku)?.status ?? 'active') === 'active';
    if (sold.has(row.sku) || !isWanted || !isActive) continue;
    const free = Object.values(row.levels).reduce((sum, level) => sum + level.free, 0);
    differences.push({
      kind: 'only-in-erp',
      cause: 'drift',
      sku: row.sku,
      erp: `${free} free`,
      shows: 'not sold',
      why: 'no shop of the route sells it',
    });
  }
  let orders = 0;
  for (const one of days > 0 ? ports.orders : []) {
    const found = await auditOrders(one, { days, nowMs: ports.nowMs() }, call);
    orders += found.orders;
    differences.push(...found.differences);
  }
  return { differences, skus: rows.size, listings: count, orders };
};

const readErp = async (
  { stock, route }: AuditPorts,
  call: CallContext,
): Promise<{ readings: ReadonlyMap<string, Reading>; ambiguous: ReadonlySet<string> }> => {
  // Whoever answers must be who settings name, before anything is compared with it.
  await stock.identify(route, call);
  const readings = new Map<string, Reading>();
  const ambiguous = new Set<string>();
  for await (const page of stock.all(route, call)) {
    for (const [sku, reading] of readingsOf(page)) readings.set(sku, reading);
    for (const sku of page.ambiguous) ambiguous.add(sku);
  }
  for (const sku of ambiguous) readings.delete(sku);
  return { readings, ambiguous };
};

const readProducts = async (
  { products, route }: AuditPorts,
  call: CallContext,
): Promise<ReadonlyMap<string, ErpProduct>> => {
  const bySku = new Map<string, ErpProduct>();
  if (!products) return bySku;
  for await (const page of products.all(route, call))
    for (const product of page) bySku.set(product.sku, product);
  return bySku;
};

const unknownRow = (erp: string, sku: string): StockRow => ({
  erp,
  sku,
  version: 0,
  levels: {},
  demand: {},
  claims: {},
  sold: {},
});
