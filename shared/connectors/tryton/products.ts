import Big from 'big.js';
import * as z from 'zod';
import type { BoundedCache } from '../../core/bounded-cache.ts';
import { PermanentError } from '../../core/errors.ts';
import { type Money, moneyRounded } from '../../core/money.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { ChangeWindow } from '../contract.ts';
import type { ErpProduct, ErpProducts } from '../stock-contract.ts';
import { inPages } from '../stock-products.ts';
import { CATEGORY_FIELDS, Categories, categoryOf } from './categories.ts';
import type { Clause, Domain, TrytonCall, TrytonClient } from './client.ts';
import { inCompany } from './connection.ts';
import { Decimal, Flag, Id, Text, trytonDate, trytonDatetime } from './json.ts';
import type { MasterData } from './master-data.ts';
import { dayIn } from './orders.mapper.ts';
import type { TrytonCompany } from './refs.ts';

export interface TrytonProductsOptions {
  readonly destination: string;
  readonly client: TrytonClient;
  readonly master: MasterData;
  readonly cache: BoundedCache;
  /** Codes of the products that carry amounts in orders: nobody sells those. */
  readonly notSold: readonly string[];
}

interface Scope {
  readonly company: TrytonCompany;
  /** Of the company: price lists have no other. */
  readonly currency: string;
  /** undefined: the product's own list price. */
  readonly priceList: { readonly id: number; readonly isTaxIncluded: boolean } | undefined;
  readonly call: TrytonCall;
}

const PAGE = 1000;
/** Records of which little is read. */
const LISTING_PAGE = 10_000;

/**
 * Products with a code, and what one of their sale unit costs, in which orders are written: the list price, or what Tryton itself makes of it by the price list that
 * the route names (`sale_price_uom`, of the module sale_price_list; formulas are Python, and are never evaluated here). Tryton
 * knows no sale beside a price: a line with dates is the price as long as it holds. What is not salable is archived for shops.
 */
export const trytonProducts = (options: TrytonProductsOptions): ErpProducts => {
  const { client, master, cache, destination, notSold } = options;

  const forgettingPages = async function* <T>(pages: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* pages;
    } catch (error) {
      // What somebody changed in Tryton may be what we remember.
      if (error instanceof PermanentError) cache.clear();
      throw error;
    }
  };

  const scopeOf = async (route: StockRoute, signal: AbortSignal): Promise<Scope> => {
    const company = await master.company(route.company, { signal });
    const own = inCompany(signal, company.id);
    const language = await cache.get('language', async () => (await client.preferences(own)).language);
    const call = { ...own, context: { ...own.context, ...(language && { language }) } };
    const currency = await cache.get(`currency of ${company.id}`, async () => {
      const query = { domain: [['id', '=', company.id] as const], fields: ['currency.code'] };
      const [row] = await client.searchRead('company.company', query, Company, call);
      return row?.['currency.'].code;
    });
    if (currency === undefined) throw new PermanentError('UNKNOWN_COMPANY', { destination });
    const name = route.prices?.pricelist;
    const priceList = name === undefined ? undefined : await priceListOf(name, company, call);
    return { company, currency, priceList, call };
  };

  /** @throws PermanentError UNKNOWN_PRICELIST, also without the module sale_price_list */
  const priceListOf = async (name: string, company: TrytonCompany, call: TrytonCall) => {
    const found = await cache.get(`price list ${company.id} ${name}`, async () => {
      if (!(await has('sale.sale', ['price_list'], call))) return undefined;
      const domain = [['name', '=', name] as const, ['company', '=', company.id] as const];
      const query = { domain, fields: ['tax_included'], limit: 2 };
      const [list, another] = await client.searchRead('product.price_list', query, PriceList, call);
      // Two of one name: never guess.
      return list && !another ? { id: list.id, isTaxIncluded: list.tax_included } : undefined;
    });
    if (found) return found;
    throw new PermanentError('UNKNOWN_PRICELIST', { pricelist: name, destination });
  };

  /** Whether a model has all these fields: modules that are not there add none. */
  const has = async (model: string, fields: readonly string[], call: TrytonCall): Promise<boolean> => {
    const known = await cache.get(`fields ${model} ${fields}`, () =>
      client.ask(model, 'fields_get', [fields], z.record(z.string(), z.unknown()), call),
    );
    return fields.every((field) => known?.[field] !== undefined);
  };

  async function* everyRow<T extends { readonly id: number }>(
    model: string,
    domain: Domain,
    fields: readonly string[],
    row: z.ZodType<T>,
    call: TrytonCall,
  ): AsyncGenerator<readonly T[], void, undefined> {
    for (let after = 0; ; ) {
      const query = { domain: [['id', '>', after] as const, ...domain], fields, limit: LISTING_PAGE };
      const rows = await client.searchRead(model, query, row, call);
      if (rows.length > 0) yield rows;
      const last = rows.at(-1);
      if (!last || rows.length < LISTING_PAGE) return;
      after = last.id;
    }
  }

  /** Adds codes of products in `domain`, archived ones, too. */
  const collect = async (skus: Set<string>, domain: Domain, scope: Scope): Promise<void> => {
    const call = { ...scope.call, context: { ...scope.call.context, active_test: false } };
    const named = [['code', '!=', null] as const, ...domain];
    for await (const rows of everyRow('product.product', named, ['code'], Named, call)) {
      for (const { code } of rows) if (code !== '') skus.add(code);
    }
  };

  /** As they are now. */
  async function* describe(skus: Iterable<string>, scope: Scope) {
    for (const page of inPages(
      [...new Set(skus)].filter((sku) => !notSold.includes(sku)),
      PAGE,
    )) {
      const query = { domain: [['code', 'in', page] as const], fields: FIELDS };
      const call = { ...scope.call, context: { ...scope.call.context, active_test: false } };
      const rows = await client.searchRead('product.product', query, Product, call);
      const meant = page.flatMap((sku) => {
        const same = rows.filter(({ code }) => code === sku);
        const [active, another] = same.filter(isActive);
        return another ? [] : (active ?? same[0] ?? []);
      });
      const taxes = await taxesOf(meant.flatMap(taxIds), scope.call);
      const prices = await pricesOf(meant, scope);
      yield meant.map((row): ErpProduct => {
        const { name, salable } = row['template.'];
        const category = categoryOf(row['template.']);
        const taxPercent = sumOf(taxIds(row).map((id) => taxes.get(id)));
        return {
          sku: row.code,
          title: name,
          ...(category && { category }),
          status: isActive(row) && salable ? 'active' : 'archived',
          price: prices.get(row.id),
          priceIncludesTax: scope.priceList?.isTaxIncluded ?? false,
          ...(taxPercent !== undefined && { taxPercent }),
        };
      });
    }
  }

  const pricesOf = async (
    products: readonly ProductRow[],
    { priceList, currency, call }: Scope,
  ): Promise<ReadonlyMap<number, Money>> => {
    const priced = products.filter(({ 'template.': { list_price } }) => list_price);
    const prices = new Map<number, Money>();
    const set = (id: number, amount: Big | string | null | undefined) => {
      const price = amount ? money(amount, currency) : undefined;
      if (price) prices.set(id, price);
    };
    if (!priceList) {
      for (const { id, 'template.': template, 'sale_uom.': sold, 'default_uom.': own } of priced) {
        const perPiece = sold ? new Big(sold.factor).div(own.factor) : new Big(1);
        set(id, template.list_price && perPiece.times(template.list_price));
      }
      return prices;
    }
    // What is not salable has no unit of sale, and Tryton fails to work out a price of it.
    const ids = priced.filter((row) => row['template.'].salable && row['sale_uom.']).map(({ id }) => id);
    const context = { ...call.context, active_test: false, price_list: priceList.id, quantity: 1 };
    const query = { domain: [['id', 'in', ids] as const], fields: ['sale_price_uom'] };
    const rows =
      ids.length === 0 ? [] : await client.searchRead('product.product', query, Priced, { ...call, context });
    for (const row of rows) set(row.id, row.sale_price_uom);
    return prices;
  };

  /** Percentages by id; without those that are none. */
  const taxesOf = async (ids: readonly number[], call: TrytonCall): Promise<ReadonlyMap<number, string>> => {
    const key = (id: number) => `product tax ${id}`;
    const wanted = [...new Set(ids)];
    const unknown = wanted.filter((id) => cache.peek(key(id)) === undefined);
    if (unknown.length > 0) {
      const query = { domain: [['id', 'in', unknown] as const], fields: TAX_FIELDS };
      const taxes = await client.searchRead('account.tax', query, Tax, call);
      const parts = await taxesOf(
        taxes.flatMap(({ childs }) => childs),
        call,
      );
      for (const { id, type, rate, childs } of taxes) {
        const percent =
          type === 'percentage' && rate
            ? new Big(rate).times(100).toFixed()
            : type === 'none'
              ? sumOf(childs.map((child) => parts.get(child)))
              : undefined;
        cache.put(key(id), { percent });
      }
    }
    return new Map(
      wanted.flatMap((id) => {
        const percent = cache.peek<{ readonly percent?: string }>(key(id))?.percent;
        return percent === undefined ? [] : [[id, percent] as const];
      }),
    );
  };

  async function* all(route: StockRoute, signal: AbortSignal) {
    const scope = await scopeOf(route, signal);
    const skus = new Set<string>();
    await collect(skus, [], scope);
    yield* describe(skus, scope);
  }

  /** A line of the price list that is new, changed, or begins or ends in the window changes the prices that it sets. */
  async function* changed(window: ChangeWindow, route: StockRoute, signal: AbortSignal) {
    const scope = await scopeOf(route, signal);
    const since = trytonDatetime(window.fromMs);
    const written = (prefix = ''): Clause[] => [
      [`${prefix}write_date`, '>=', since],
      [`${prefix}create_date`, '>=', since],
    ];
    const skus = new Set<string>();
    if (scope.priceList) {
      const dates = await datesIn(window, scope);
      const domain: Domain = [
        ['price_list', '=', scope.priceList.id],
        ['OR', ...written(), ['price_list.write_date', '>=', since], ...dates],
      ];
      const products: number[] = [];
      for await (const lines of everyRow(
        'product.price_list.line',
        domain,
        ['product'],
        PriceLine,
        scope.call,
      )) {
        if (lines.some(({ product }) => !product)) {
          yield* all(route, signal);
          return;
        }
        products.push(...lines.flatMap(({ product }) => product ?? []));
      }
      if (products.length > 0) await collect(skus, [['id', 'in', [...new Set(products)]]], scope);
    }
    await collect(skus, [['OR', ...written(), ...written('template.')]], scope);
    yield* describe(skus, scope);
  }

  /**
   * Lines that begin or have ended with a day that began in the window (module product_price_list_dates): by the company's calendar,
   * or by UTC's, where Tryton goes by its server's (without Python's pytz: trytond/modules/company/ir.py).
   */
  const datesIn = async (
    { fromMs, untilMs }: ChangeWindow,
    { company, call }: Scope,
  ): Promise<readonly (readonly Clause[])[]> => {
    if (!(await has('product.price_list.line', ['start_date', 'end_date'], call))) return [];
    const days = ['UTC', company.timeZone].map((timeZone) =>
      [fromMs, untilMs].map((ms) => dayIn(timeZone, new Date(ms).toISOString())),
    );
    if (days.every(([from, until]) => from === until)) return [];
    const [first = '', ...between] = days.flat().sort();
    const last = between.at(-1) ?? first;
    const dayBefore = new Date(Date.parse(last) - DAY_MS).toISOString().slice(0, 10);
    return [
      [
        ['start_date', '>', trytonDate(first)],
        ['start_date', '<=', trytonDate(last)],
      ],
      // The last day still belongs to a line.
      [
        ['end_date', '>=', trytonDate(first)],
        ['end_date', '<=', trytonDate(dayBefore)],
      ],
    ];
  };

  return {
    changed: (window, route, { signal }) => forgettingPages(changed(window, route, signal)),
    all: (route, { signal }) => forgettingPages(all(route, signal)),
  };
};

const DAY_MS = 86_400_000;

const isActive = (row: ProductRow): boolean => row.active && row['template.'].active;

const taxIds = (row: ProductRow): readonly number[] =>
  row['template.']['account_category.']?.customer_taxes_used ?? [];

/** undefined: of one it cannot be said. */
const sumOf = (percents: readonly (string | undefined)[]): string | undefined => {
  let sum = new Big(0);
  for (const percent of percents) {
    if (percent === undefined) return undefined;
    sum = sum.plus(percent);
  }
  return sum.toFixed();
};

/** undefined: a currency that ISO 4217 does not know. */
const money = (amount: Big | string, currency: string): Money | undefined => {
  try {
    return moneyRounded(amount, currency);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
};

const FIELDS = [
  'code',
  'active',
  'sale_uom.factor',
  'default_uom.factor',
  'template.active',
  'template.name',
  'template.salable',
  'template.list_price',
  ...CATEGORY_FIELDS,
  'template.account_category.customer_taxes_used',
] as const;
const TAX_FIELDS = ['type', 'rate', 'childs'] as const;

const Named = z.looseObject({ id: Id, code: Text });
const Company = z.looseObject({ id: Id, 'currency.': z.looseObject({ code: z.string() }) });
const PriceList = z.looseObject({ id: Id, tax_included: Flag });
const PriceLine = z.looseObject({ id: Id, product: Id.nullish() });
const Priced = z.looseObject({ id: Id, sale_price_uom: Decimal.nullish() });
const Tax = z.looseObject({ id: Id, type: z.string(), rate: Decimal.nullish(), childs: z.array(Id) });
const Factor = z.looseObject({ factor: z.union([z.number(), Decimal]) });
const Product = z.looseObject({
  id: Id,
  code: Text,
  active: Flag,
  'sale_uom.': Factor.nullish(),
  'default_uom.': Factor,
  'template.': z.looseObject({
    active: Flag,
    name: Text,
    salable: Flag,
    list_price: Decimal.nullish(),
    ...Categories,
    'account_category.': z.looseObject({ rec_name: Text, customer_taxes_used: z.array(Id) }).nullish(),
  }),
});
type ProductRow = z.infer<typeof Product>;
