import Big from 'big.js';
import * as z from 'zod';
import type { BoundedCache } from '../../core/bounded-cache.ts';
import { PermanentError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { ErpStock, LevelPage, StockCount } from '../stock-contract.ts';
import { inPages, type StockProduct, sortProducts } from '../stock-products.ts';
import { adjustStock } from './adjust-stock.ts';
import { CATEGORY_FIELDS, Categories, categoryOf } from './categories.ts';
import type { Clause, TrytonCall, TrytonClient } from './client.ts';
import { inCompany } from './connection.ts';
import { Decimal, Id, Text, trytonDatetime } from './json.ts';
import type { MasterData } from './master-data.ts';

export interface TrytonStockOptions {
  readonly destination: string;
  readonly client: TrytonClient;
  readonly master: MasterData;
  readonly cache: BoundedCache;
  readonly nowMs: Clock;
}

interface Goods extends StockProduct {
  /** Of the product's default unit, in which Tryton counts, in its sale unit, in which orders are written. */
  readonly perPiece: Big;
  readonly category: string | undefined;
}

interface Warehouse {
  readonly id: number;
  readonly code: string;
}

interface Scope {
  readonly companyId: number;
  readonly warehouses: readonly Warehouse[];
  readonly call: TrytonCall;
}

/** Products whose quantities are computed by one call. */
const PAGE = 1000;
/** Records of which little is read. */
const LISTING_PAGE = 10_000;

/**
 * Stock per warehouse: `quantity` of `product.product` is what is there now, of the company that the context names. What
 * is promised is read from what promises it, because `stock_assign` leaves out what is not assigned yet, and a
 * forecast counts what is still to arrive (trytond/modules/stock/move.py): moves that leave the warehouse, in draft or
 * assigned; and lines of confirmed sales that have no moves yet, where sales are processed later or shipped once they are paid.
 *
 * Tryton counts in a product's default unit, told are pieces of its sale unit, in which orders are written.
 * Promises are read first and pieces last: what is shipped or promised in between can only make too little of it.
 */
export const trytonStock = (options: TrytonStockOptions): ErpStock => {
  const { client, master, cache, destination, nowMs } = options;

  /** What somebody changed in Tryton may be what we remember. */
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

  /** In the order of ids, however many. */
  async function* everyRow<T extends { readonly id: number }>(
    model: string,
    domain: readonly Clauses[],
    fields: readonly string[],
    row: z.ZodType<T>,
    call: TrytonCall,
    limit = LISTING_PAGE,
  ): AsyncGenerator<readonly T[], void, undefined> {
    for (let after = 0; ; ) {
      const query = { domain: [['id', '>', after] as const, ...domain], fields, limit };
      const rows = await client.searchRead(model, query, row, call);
      if (rows.length > 0) yield rows;
      const last = rows.at(-1);
      if (!last || rows.length < limit) return;
      after = last.id;
    }
  }

  const readWarehouses = (call: TrytonCall) =>
    client.searchRead(
      'stock.location',
      { domain: [['type', '=', 'warehouse']], fields: ['code'] },
      WarehouseRow,
      call,
    );

  /** Those that the route names; without a mapping, all. @throws PermanentError UNKNOWN_WAREHOUSE */
  const mapped = (all: readonly Warehouse[], route: StockRoute): readonly Warehouse[] => {
    const named = all.filter(({ code }) => code !== '');
    const codes = Object.keys(route.warehouses);
    const wanted = codes.length > 0 ? codes : named.map(({ code }) => code);
    const unknown = (warehouse: string) =>
      new PermanentError('UNKNOWN_WAREHOUSE', { warehouse, destination });
    if (wanted.length === 0) throw unknown('*');
    return wanted.map((code) => {
      const [found, another] = named.filter((warehouse) => warehouse.code === code);
      // Tryton does not keep codes unique.
      if (found && !another) return found;
      throw unknown(code);
    });
  };

  const scopeOf = async (route: StockRoute, signal: AbortSignal): Promise<Scope> => {
    const { id } = await master.company(route.company, { signal });
    const call = inCompany(signal, id);
    const all =
      (await cache.get('warehouses', async () => {
        const found = await readWarehouses(call);
        return found.length > 0 ? found : undefined;
      })) ?? [];
    return { companyId: id, warehouses: mapped(all, route), call };
  };

  /** Active products in `domain`. */
  const productsIn = async (domain: readonly Clause[], call: TrytonCall): Promise<readonly Goods[]> => {
    const products: Goods[] = [];
    const active = ['template.active', '=', true] as const;
    for await (const rows of everyRow('product.product', [...domain, active], FIELDS, Product, call)) {
      products.push(...rows.map(goodsOf));
    }
    return products;
  };

  /** Pieces promised, by `promiseKey`. */
  const promisesOf = async (ids: readonly number[], scope: Scope): Promise<ReadonlyMap<string, Big>> => {
    const { companyId, call } = scope;
    const promised = new Map<string, Big>();
    const add = (product: number, warehouse: number, quantity: number | Big) => {
      const key = promiseKey(product, warehouse);
      promised.set(key, (promised.get(key) ?? new Big(0)).plus(quantity));
    };
    // Lines before moves: one that is processed in between is counted twice rather than not at all.
    const open = [
      ['product', 'in', ids],
      ['type', '=', 'line'],
      ['quantity', '>', 0],
      ['moves', '=', null],
      ['sale.company', '=', companyId],
      ['sale.state', 'in', ['confirmed', 'processing']],
      ['sale.shipment_method', 'in', ['order', 'invoice']],
    ] as const;
    for await (const lines of everyRow('sale.line', open, LINE_FIELDS, SaleLine, call)) {
      for (const line of lines) {
        const warehouse = line['sale.'].warehouse;
        if (warehouse) add(line.product, warehouse, inDefaultUnit(line));
      }
    }
    const leaving = [
      ['product', 'in', ids],
      ['company', '=', companyId],
      ['state', 'in', ['draft', 'assigned']],
      ['from_location.type', '=', 'storage'],
    ] as const;
    for await (const moves of everyRow('stock.move', leaving, MOVE_FIELDS, Move, call)) {
      for (const move of moves) {
        const { warehouse } = move['from_location.'];
        if (warehouse && move['to_location.'].warehouse !== warehouse) {
          add(move.product, warehouse, move.internal_quantity);
        }
      }
    }
    return promised;
  };

  const readPage = async (
    counted: ReadonlyMap<number, Goods>,
    scope: Scope,
  ): Promise<LevelPage['levels']> => {
    const ids = [...counted.keys()];
    if (ids.length === 0) return [];
    const promised = await promisesOf(ids, scope);
    const levels: LevelPage['levels'][number][] = [];
    for (const { id: warehouse, code } of scope.warehouses) {
      const context = { ...scope.call.context, locations: [warehouse], with_childs: true };
      const query = { domain: [['id', 'in', ids] as const], fields: ['quantity'] };
      // Archived since it was looked up: it has its level all the same.
      const at = { ...scope.call, context: { ...context, active_test: false } };
      for (const { id, quantity } of await client.searchRead('product.product', query, Quantity, at)) {
        const goods = counted.get(id);
        if (!goods) continue;
        const free = new Big(quantity).minus(promised.get(promiseKey(id, warehouse)) ?? 0);
        const pieces = (ofUnit: Big) => ofUnit.div(goods.perPiece).round(DIGITS).toNumber();
        levels.push({
          sku: goods.sku,
          warehouse: code,
          onHand: pieces(new Big(quantity)),
          free: pieces(free),
          ...(goods.category && { category: goods.category }),
        });
      }
    }
    return levels;
  };

  async function* levels(
    skus: readonly string[],
    route: StockRoute,
    signal: AbortSignal,
  ): AsyncGenerator<LevelPage, void, undefined> {
    const scope = await scopeOf(route, signal);
    for (const page of inPages([...new Set(skus)], PAGE)) {
      const asOfMs = nowMs();
      const found = await productsIn([['code', 'in', page]], scope.call);
      const { counted, missing, ambiguous } = sortProducts(found, page);
      yield { asOfMs, levels: await readPage(counted, scope), missing, ambiguous };
    }
  }

  async function* all(route: StockRoute, signal: AbortSignal): AsyncGenerator<LevelPage, void, undefined> {
    const scope = await scopeOf(route, signal);
    const listedAtMs = nowMs();
    const found = await productsIn([['code', '!=', null]], scope.call);
    const { counted, ambiguous } = sortProducts(found.filter(({ sku }) => sku !== ''));
    // Also told when there is no product at all.
    yield { asOfMs: listedAtMs, levels: [], missing: [], ambiguous };
    for (const page of inPages([...counted], PAGE)) {
      const asOfMs = nowMs();
      yield { asOfMs, levels: await readPage(new Map(page), scope), missing: [], ambiguous: [] };
    }
  }

  /**
   * By moves (`write_date` is null until the first write: observed on Tryton 6.0), and by lines without moves of sales
   * that changed. What changed after the window is told, too.
   */
  async function* changed(fromMs: number, route: StockRoute, signal: AbortSignal) {
    const { id: company } = await master.company(route.company, { signal });
    const call = inCompany(signal, company);
    const since = trytonDatetime(fromMs);
    const after = (prefix = ''): Clauses => [
      'OR',
      [`${prefix}write_date`, '>=', since],
      [`${prefix}create_date`, '>=', since],
    ];
    const lines = [
      ['sale.company', '=', company],
      ['moves', '=', null],
      ['product.template.type', '=', 'goods'],
      after('sale.'),
    ] as const;
    for (const [model, domain] of [
      ['stock.move', [['company', '=', company] as const, after()]],
      ['sale.line', lines],
    ] as const) {
      for await (const rows of everyRow(model, domain, ['product.code'], Changed, call)) {
        const skus = new Set(rows.flatMap((row) => row['product.']?.code || []));
        if (skus.size > 0) yield [...skus];
      }
    }
  }

  const adjust = async (count: StockCount, route: StockRoute, signal: AbortSignal): Promise<void> => {
    const scope = await scopeOf(route, signal);
    const warehouse = scope.warehouses.find(({ code }) => code === count.warehouse);
    if (!warehouse)
      throw new PermanentError('UNKNOWN_WAREHOUSE', { warehouse: count.warehouse, destination });
    const found = await productsIn([['code', 'in', [count.sku]]], scope.call);
    const { counted } = sortProducts(found, [count.sku]);
    const [goods] = counted.values();
    const [level] = await readPage(counted, { ...scope, warehouses: [warehouse] });
    if (!goods || !level) {
      const words = `${count.sku} is no product, several, or none that is counted`;
      const error = { why: 'words', words } as const;
      throw new PermanentError('ERP_REFUSED', { destination, operation: { what: 'adjust-stock' }, error });
    }
    const { id: product, perPiece } = goods;
    const { companyId, call } = scope;
    const at = { destination, companyId, warehouseId: warehouse.id, product, perPiece, before: level.onHand };
    await adjustStock(client, { ...count, ...at }, call);
  };

  return {
    reservedWhen: 'confirmed',

    identify: async (route, { signal }) => {
      try {
        const { id } = await master.company(route.company, { signal });
        const call = inCompany(signal, id);
        const query = { domain: [['id', '=', id]], fields: ['party.name'] } as const;
        const [company] = await client.searchRead('company.company', query, Company, call);
        if (!company) throw new PermanentError('UNKNOWN_COMPANY', { company: String(id), destination });
        const warehouses = mapped(await readWarehouses(call), route).map(({ code }) => code);
        return { company: `${id} ${company['party.'].name}`, warehouses };
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

type Clauses = Clause | readonly ['OR', ...Clause[]];

const promiseKey = (product: number, warehouse: number): string => `${product} ${warehouse}`;

/** Services have no stock, nor have kits (module product_kit): those are sold by their components. */
const goodsOf = (row: z.infer<typeof Product>): Goods => ({
  id: row.id,
  sku: row.code,
  counted: row['template.'].type === 'goods',
  perPiece: row['sale_uom.'] ? new Big(row['sale_uom.'].factor).div(row['default_uom.'].factor) : new Big(1),
  category: categoryOf(row['template.']),
});

/** Without the noise of floats; units of measure have fewer decimals. */
const DIGITS = 6;

/** `factor` is what one unit is in the base unit of its category (trytond/modules/product/uom.py). */
const inDefaultUnit = (line: z.infer<typeof SaleLine>): Big =>
  new Big(line.quantity).times(line['unit.']?.factor ?? 1).div(line['product.']['default_uom.'].factor);

const FIELDS = [
  'code',
  'template.type',
  ...CATEGORY_FIELDS,
  'sale_uom.factor',
  'default_uom.factor',
] as const;
const LINE_FIELDS = [
  'product',
  'quantity',
  'unit.factor',
  'product.default_uom.factor',
  'sale.warehouse',
] as const;
const MOVE_FIELDS = [
  'product',
  'internal_quantity',
  'from_location.warehouse',
  'to_location.warehouse',
] as const;

const WarehouseRow = z.looseObject({ id: Id, code: Text });
const Quantity = z.looseObject({ id: Id, quantity: z.number() });
const Company = z.looseObject({ id: Id, 'party.': z.looseObject({ name: Text }) });
const Changed = z.looseObject({ id: Id, 'product.': z.looseObject({ code: Text }).nullish() });
const Factor = z.looseObject({ factor: z.union([z.number(), Decimal]) });
const Product = z.looseObject({
  id: Id,
  code: Text,
  'template.': z.looseObject({ type: z.string(), ...Categories }),
  'sale_uom.': Factor.nullish(),
  'default_uom.': Factor,
});
const SaleLine = z.looseObject({
  id: Id,
  product: Id,
  quantity: z.number(),
  'unit.': Factor.nullish(),
  'product.': z.looseObject({ 'default_uom.': Factor }),
  'sale.': z.looseObject({ warehouse: Id.nullish() }),
});
const Place = z.looseObject({ warehouse: Id.nullish() });
const Move = z.looseObject({
  id: Id,
  product: Id,
  internal_quantity: z.number(),
  'from_location.': Place,
  'to_location.': Place,
});
