import Big from 'big.js';
import * as z from 'zod';
import type { BoundedCache } from '../../core/bounded-cache.ts';
import { PermanentError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { ErpLevel, ErpStock, LevelPage, StockCount } from '../stock-contract.ts';
import { inPages, type SortedProducts, type StockProduct, sortProducts } from '../stock-products.ts';
import { adjustStock } from './adjust-stock.ts';
import type { Domain, OdooCall, OdooClient } from './client.ts';
import { inCompany } from './connection.ts';
import { Many2one, type MasterData, type OdooCompany } from './master-data.ts';
import { odooDatetime } from './orders.mapper.ts';

export interface OdooStockOptions {
  readonly destination: string;
  readonly client: OdooClient;
  readonly master: MasterData;
  readonly cache: BoundedCache;
  readonly nowMs: Clock;
}

interface Warehouse {
  readonly id: number;
  readonly code: string;
  /** The location of which all its others are children. */
  readonly view_location_id: z.infer<typeof Many2one>;
  /** Where its pieces lie. */
  readonly lot_stock_id: z.infer<typeof Many2one>;
}

interface Scope {
  readonly company: OdooCompany;
  readonly warehouses: readonly Warehouse[];
  readonly call: OdooCall;
}

/** Products whose quantities are computed by one call. */
const PAGE = 1000;
/** Products of which no more is read than what they are called. */
const LISTING_PAGE = 10_000;

/**
 * Stock per warehouse as Odoo computes it on `product.product`, in the company's context alone, so that no other company's
 * warehouse is ever added.
 *
 * `free_qty` is on hand minus what is reserved; a confirmed order whose reservation is manual, or due later, is not in
 * it. `outgoing_qty` is the demand of moves that leave the warehouse, reserved or not (states waiting, confirmed,
 * partially_available, assigned; drafts are none): free is the lower of `free_qty` and `qty_available - outgoing_qty`
 * (odoo/odoo, addons/stock/models/product.py). Each call computes all three in one transaction.
 */
export const odooStock = (options: OdooStockOptions): ErpStock => {
  const { client, master, cache, destination, nowMs } = options;

  /** What somebody changed in Odoo may be what we remember. */
  const forgetting = (error: unknown): unknown => {
    if (error instanceof PermanentError) cache.clear();
    return error;
  };
  const forgettingPages = async function* <T>(pages: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* pages;
    } catch (error) {
      throw forgetting(error);
    }
  };

  const warehousesOf = async (companyId: number, call: OdooCall) =>
    client.searchRead(
      'stock.warehouse',
      {
        domain: [['company_id', '=', companyId]],
        fields: ['code', 'company_id', 'view_location_id', 'lot_stock_id'],
        order: 'id asc',
      },
      WarehouseRow,
      call,
    );

  /** Those that the route names; without a mapping, all. @throws PermanentError UNKNOWN_WAREHOUSE */
  const mapped = <W extends Warehouse>(all: readonly W[], route: StockRoute): readonly W[] => {
    const codes = Object.keys(route.warehouses);
    if (codes.length === 0) {
      if (all.length > 0) return all;
      throw new PermanentError('UNKNOWN_WAREHOUSE', { warehouse: '*', destination });
    }
    return codes.map((code) => {
      const found = all.find((warehouse) => warehouse.code === code);
      if (found) return found;
      throw new PermanentError('UNKNOWN_WAREHOUSE', { warehouse: code, destination });
    });
  };

  const scopeOf = async (route: StockRoute, signal: AbortSignal): Promise<Scope> => {
    const company = await master.company(route.company, { signal });
    const call = inCompany(signal, company.id);
    const all =
      (await cache.get(`warehouses ${company.id}`, async () => {
        const found = await warehousesOf(company.id, call);
        return found.length > 0 ? found : undefined;
      })) ?? [];
    return { company, warehouses: mapped(all, route), call };
  };

  const ofCompany = ({ company }: Scope): Domain[number] => ['company_id', 'in', [false, ...company.scope]];

  const productFields = async (call: OdooCall): Promise<readonly string[]> => {
    const known = await master.fields('product.product', ['is_storable', 'is_kits'], call);
    return ['default_code', 'type', ...Object.keys(known)];
  };

  /** Products in `domain` with the quantities of each warehouse: one call per warehouse. */
  const readLevels = async (
    domain: Domain,
    sort: (products: readonly StockProduct[]) => SortedProducts,
    scope: Scope,
  ): Promise<LevelPage> => {
    const asOfMs = nowMs();
    const fields = [...(await productFields(scope.call)), ...QUANTITIES, 'categ_id'];
    const byWarehouse: (readonly z.infer<typeof Counted>[])[] = [];
    for (const { id, view_location_id: view } of scope.warehouses) {
      // Up to 17 the key is `warehouse`, later `warehouse_id`; the location says the same in all of them.
      const where = { warehouse: id, warehouse_id: id, ...(view && { location: view[0] }) };
      const context = { ...scope.call.context, ...where };
      const query = { domain: [...domain, ofCompany(scope)], fields, order: 'id asc' };
      byWarehouse.push(
        await client.searchRead('product.product', query, Counted, { ...scope.call, context }),
      );
    }
    // A product that went meanwhile has a level for no warehouse, rather than for some.
    const others = byWarehouse.slice(1).map((rows) => new Set(rows.map(({ id }) => id)));
    const inAll = (byWarehouse[0] ?? []).filter(({ id }) => others.every((ids) => ids.has(id)));
    const { counted, missing, ambiguous } = sort(inAll.map(productOf));
    const complete = new Set(inAll.map(({ id }) => id));
    const levels = byWarehouse.flatMap((rows, index) =>
      rows.flatMap((row): ErpLevel[] => {
        const sku = complete.has(row.id) ? counted.get(row.id)?.sku : undefined;
        const { code: warehouse = '' } = scope.warehouses[index] ?? {};
        const category = row.categ_id ? { category: row.categ_id[1] } : {};
        return sku === undefined ? [] : [{ sku, warehouse, ...quantitiesOf(row), ...category }];
      }),
    );
    return { asOfMs, levels, missing, ambiguous };
  };

  async function* levels(skus: readonly string[], route: StockRoute, signal: AbortSignal) {
    const scope = await scopeOf(route, signal);
    for (const page of inPages([...new Set(skus)], PAGE)) {
      yield await readLevels(
        [['default_code', 'in', page]],
        (products) => sortProducts(products, page),
        scope,
      );
    }
  }

  async function* all(route: StockRoute, signal: AbortSignal): AsyncGenerator<LevelPage, void, undefined> {
    const scope = await scopeOf(route, signal);
    const asOfMs = nowMs();
    const { counted, ambiguous } = sortProducts(await listing(scope));
    // Also told when there is no product at all.
    yield { asOfMs, levels: [], missing: [], ambiguous };
    for (const page of inPages([...counted.keys()], PAGE)) {
      // Called otherwise since the listing: as if it had been read before.
      yield await readLevels([['id', 'in', page]], () => ({ counted, missing: [], ambiguous: [] }), scope);
    }
  }

  /** Every active product with a SKU. */
  const listing = async (scope: Scope): Promise<readonly StockProduct[]> => {
    const products: StockProduct[] = [];
    for (let after = 0; ; ) {
      const rows = await client.searchRead(
        'product.product',
        {
          domain: [['id', '>', after], ['default_code', '!=', false], ofCompany(scope)],
          fields: await productFields(scope.call),
          order: 'id asc',
          limit: LISTING_PAGE,
        },
        Product,
        scope.call,
      );
      products.push(...rows.map(productOf));
      const last = rows.at(-1);
      if (!last || rows.length < LISTING_PAGE) return products;
      after = last.id;
    }
  };

  /**
   * By the moves of a product and their lines, because quants at zero are deleted and tell nothing (odoo/odoo,
   * addons/stock/models/stock_quant.py), and by the product itself, which may have been archived. What changed after
   * the window is told, too: Odoo 16 has no way to bound both ends of what moves say.
   */
  async function* changed(fromMs: number, route: StockRoute, signal: AbortSignal) {
    const company = await master.company(route.company, { signal });
    const call = inCompany(signal, company.id);
    const since = odooDatetime(new Date(fromMs).toISOString());
    for (let after = 0; ; ) {
      const rows = await client.searchRead(
        'product.product',
        {
          domain: [
            ['id', '>', after],
            ['default_code', '!=', false],
            ['company_id', 'in', [false, ...company.scope]],
            '|',
            '|',
            ['write_date', '>=', since],
            ['stock_move_ids.write_date', '>=', since],
            ['stock_move_ids.move_line_ids.write_date', '>=', since],
          ],
          fields: ['default_code'],
          order: 'id asc',
          limit: PAGE,
        },
        Named,
        { ...call, context: { ...call.context, active_test: false } },
      );
      if (rows.length > 0) yield [...new Set(rows.map(({ default_code }) => default_code))];
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) return;
      after = last.id;
    }
  }

  const adjust = async (count: StockCount, route: StockRoute, signal: AbortSignal): Promise<void> => {
    const scope = await scopeOf(route, signal);
    const { sku, warehouse: code } = count;
    const warehouse = scope.warehouses.find((each) => each.code === code);
    const [location] = warehouse?.lot_stock_id || [];
    if (!warehouse || location === undefined)
      throw new PermanentError('UNKNOWN_WAREHOUSE', { warehouse: code, destination });
    let product: number | undefined;
    const only = { ...scope, warehouses: [warehouse] };
    const page = await readLevels(
      [['default_code', '=', sku]],
      (products) => {
        const sorted = sortProducts(products, [sku]);
        product = [...sorted.counted.keys()][0];
        return sorted;
      },
      only,
    );
    const [level] = page.levels;
    if (product === undefined || !level) {
      const error = {
        why: 'words',
        words: `${sku} is no product, several, or none that is counted`,
      } as const;
      throw new PermanentError('ERP_REFUSED', { destination, operation: { what: 'adjust-stock' }, error });
    }
    const change = { ...count, destination, product, location, before: level.onHand };
    await adjustStock(client, change, scope.call);
  };

  return {
    reservedWhen: 'confirmed',

    identify: async (route, { signal }) => {
      try {
        const { id } = await master.company(route.company, { signal });
        const found = mapped(await warehousesOf(id, inCompany(signal, id)), route);
        const [, name] = found[0]?.company_id || [];
        return { company: `${id} ${String(name)}`, warehouses: found.map(({ code }) => code) };
      } catch (error) {
        throw forgetting(error);
      }
    },

    clock: (call) => client.clock(call),
    changed: ({ fromMs }, route, { signal }) => forgettingPages(changed(fromMs, route, signal)),
    levels: (skus, route, { signal }) => forgettingPages(levels(skus, route, signal)),
    all: (route, { signal }) => forgettingPages(all(route, signal)),
    adjust: (count, route, { signal }) => adjust(count, route, signal),
  };
};

/**
 * Goods that Odoo counts. Not services, nor consumables (up to 17 another type, later not tracked), nor kits: those have no
 * stock of their own, and what Odoo says of them leaves out what is promised of their parts without being reserved.
 */
const productOf = (row: z.infer<typeof Product>): StockProduct => ({
  id: row.id,
  sku: row.default_code,
  counted: (row.is_storable ?? row.type === 'product') && !row.is_kits,
});

const quantitiesOf = ({ qty_available, free_qty, outgoing_qty }: z.infer<typeof Counted>) => {
  const unpromised = new Big(qty_available).minus(outgoing_qty);
  return { onHand: pieces(qty_available), free: Math.min(pieces(free_qty), pieces(unpromised)) };
};

/** Without the noise of floats; units of measure have fewer decimals. */
const pieces = (quantity: number | Big): number => new Big(quantity).round(6).toNumber();

const QUANTITIES = ['qty_available', 'free_qty', 'outgoing_qty'] as const;

const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const Named = z.looseObject({ id: z.int(), default_code: text });
const Product = z.looseObject({
  id: z.int(),
  default_code: text,
  type: z.string(),
  is_storable: z.boolean().optional(),
  is_kits: z.boolean().optional(),
});
const Counted = Product.extend({
  qty_available: z.number(),
  free_qty: z.number(),
  outgoing_qty: z.number(),
  categ_id: z.union([z.tuple([z.int(), z.string()]), z.literal(false)]),
});
const WarehouseRow = z.looseObject({
  id: z.int(),
  code: text,
  company_id: Many2one,
  view_location_id: Many2one,
  lot_stock_id: Many2one,
});
