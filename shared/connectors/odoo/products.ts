import Big from 'big.js';
import * as z from 'zod';
import type { BoundedCache } from '../../core/bounded-cache.ts';
import { PermanentError } from '../../core/errors.ts';
import { type Money, moneyRounded } from '../../core/money.ts';
import type { Clock } from '../../core/ports.ts';
import type { StockRoute } from '../../settings/stock-route.ts';
import type { ChangeWindow } from '../contract.ts';
import type { ErpProduct, ErpProducts } from '../stock-contract.ts';
import { inPages } from '../stock-products.ts';
import type { Domain, OdooCall, OdooClient } from './client.ts';
import { inCompany } from './connection.ts';
import { Many2one, type MasterData, type OdooCompany } from './master-data.ts';
import { odooDatetime } from './orders.mapper.ts';
import { type Pricelists, type PriceRule, priceOf } from './products-price.ts';

export interface OdooProductsOptions {
  readonly destination: string;
  readonly client: OdooClient;
  readonly master: MasterData;
  readonly cache: BoundedCache;
  readonly nowMs: Clock;
  /** Of the products that carry amounts in orders: nobody sells those. */
  readonly notSold: readonly string[];
}

interface Scope {
  readonly company: OdooCompany;
  /** undefined: the product's own sales price. */
  readonly pricelist: Chosen | undefined;
  readonly call: OdooCall;
}

interface Chosen {
  readonly id: number;
  /** Its currency, and those of the pricelists on which its rules are based. */
  readonly currencies: Pricelists['currencies'];
}

const PAGE = 1000;
/** Records of which little is read. */
const LISTING_PAGE = 10_000;

/**
 * Products with a SKU, and what a piece of them costs: by the pricelist that the route names, else the sales price of the variant.
 * Of several products with one SKU the active one counts; of two active ones nobody can say which is meant: neither is
 * told. What Odoo does not sell (`sale_ok`) is archived for shops.
 */
export const odooProducts = (options: OdooProductsOptions): ErpProducts => {
  const { client, master, cache, destination, nowMs, notSold } = options;

  const forgettingPages = async function* <T>(pages: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* pages;
    } catch (error) {
      // What somebody changed in Odoo may be what we remember.
      if (error instanceof PermanentError) cache.clear();
      throw error;
    }
  };

  const scopeOf = async (route: StockRoute, signal: AbortSignal): Promise<Scope> => {
    const company = await master.company(route.company, { signal });
    const lang = await cache.get('language', () => client.userLanguage({ signal }));
    const call = inCompany(signal, company.id);
    const inLanguage = { ...call, context: { ...call.context, ...(lang && { lang }) } };
    const name = route.prices?.pricelist;
    const pricelist = name === undefined ? undefined : await pricelistOf(name, company, inLanguage);
    return { company, pricelist, call: inLanguage };
  };

  /** By exact name, with those that its rules refer to. @throws PermanentError UNKNOWN_PRICELIST */
  const pricelistOf = async (name: string, company: OdooCompany, call: OdooCall): Promise<Chosen> => {
    const found = await cache.get<Chosen>(`pricelist named ${company.id} ${name}`, async () => {
      const lists = await client.searchRead(
        'product.pricelist',
        {
          domain: [['company_id', 'in', [false, ...company.scope]]],
          fields: ['name', 'currency_id'],
          order: 'id asc',
        },
        PricelistRow,
        call,
      );
      const [list, another] = lists.filter((each) => each.name === name);
      // Two of one name: never guess.
      if (!list || another) return undefined;
      const based = await client.searchRead(
        'product.pricelist.item',
        {
          domain: [['base', '=', 'pricelist']],
          fields: ['pricelist_id', 'base_pricelist_id'],
          order: 'id asc',
        },
        Based,
        call,
      );
      const needed = new Set([list.id]);
      // Those that are added while it goes on are looked at, too.
      for (const id of needed) {
        for (const { pricelist_id, base_pricelist_id } of based) {
          const other = idOf(base_pricelist_id);
          if (idOf(pricelist_id) === id && other !== undefined) needed.add(other);
        }
      }
      const currencies = lists
        .filter(({ id }) => needed.has(id))
        .map(({ id, currency_id }) => [id, nameOf(currency_id)] as const);
      return { id: list.id, currencies: new Map(currencies) };
    });
    if (found) return found;
    throw new PermanentError('UNKNOWN_PRICELIST', { pricelist: name, destination });
  };

  const withSku = ({ company }: Scope): Domain => [
    ['default_code', '!=', false],
    ['company_id', 'in', [false, ...company.scope]],
  ];

  /** SKUs of products in `domain`, archived ones, too; in pages. */
  async function* skusIn(domain: Domain, scope: Scope): AsyncGenerator<readonly string[], void, undefined> {
    const call = { ...scope.call, context: { ...scope.call.context, active_test: false } };
    for (let after = 0; ; ) {
      const rows = await client.searchRead(
        'product.product',
        {
          domain: [['id', '>', after], ...withSku(scope), ...domain],
          fields: ['default_code'],
          order: 'id asc',
          limit: LISTING_PAGE,
        },
        Named,
        call,
      );
      if (rows.length > 0) yield rows.map(({ default_code }) => default_code);
      const last = rows.at(-1);
      if (!last || rows.length < LISTING_PAGE) return;
      after = last.id;
    }
  }

  /** As they are now. */
  async function* describe(skus: Iterable<string>, scope: Scope) {
    for (const page of inPages(
      [...new Set(skus)].filter((sku) => !notSold.includes(sku)),
      PAGE,
    )) {
      const domain = [['default_code', 'in', page] as const, ...withSku(scope)];
      const rows = await client.searchRead(
        'product.product',
        { domain, fields: FIELDS, order: 'id asc' },
        Product,
        // Names without the SKU in front, with what tells variants apart.
        {
          ...scope.call,
          context: { ...scope.call.context, active_test: false, display_default_code: false },
        },
      );
      const meant = page.flatMap((sku) => {
        const same = rows.filter(({ default_code }) => default_code === sku);
        const [active, another] = same.filter((row) => row.active);
        return another ? [] : (active ?? same[0] ?? []);
      });
      const taxes = await taxesOf(
        meant.flatMap(({ taxes_id }) => taxes_id),
        scope,
      );
      const price = await pricing(meant, scope);
      yield meant.map(
        (row): ErpProduct => ({
          sku: row.default_code,
          title: row.display_name,
          ...(row.categ_id && { category: row.categ_id[1] }),
          status: row.active && row.sale_ok ? 'active' : 'archived',
          ...price(row),
          ...taxesIn(row.taxes_id, taxes),
        }),
      );
    }
  }

  /** How these products are priced, by all rules that may concern them. */
  const pricing = async (products: readonly ProductRow[], scope: Scope) => {
    const { pricelist } = scope;
    if (!pricelist) {
      return (row: ProductRow) => ({
        price: money(row.lst_price, nameOf(row.currency_id)),
      });
    }
    const ids = products.map(({ id }) => id);
    const templates = products.flatMap(({ product_tmpl_id }) => idOf(product_tmpl_id) ?? []);
    const rules = await rulesIn(
      [
        ['pricelist_id', 'in', [...pricelist.currencies.keys()]],
        '|',
        '|',
        ['applied_on', 'in', ['2_product_category', '3_global']],
        ['product_tmpl_id', 'in', templates],
        ['product_id', 'in', ids],
      ],
      scope,
    );
    const parents = await categories(scope.call);
    const above = (id: number | undefined): readonly number[] =>
      id === undefined ? [] : [id, ...above(parents.get(id))];
    const lists: Pricelists = { currencies: pricelist.currencies, rules };
    const currency = pricelist.currencies.get(pricelist.id) ?? '';
    const moment = (ms: number) => new Date(ms).toISOString();
    return (row: ProductRow): Pick<ErpProduct, 'price' | 'sale'> => {
      const { price, sale } = priceOf(
        {
          id: row.id,
          templateId: idOf(row.product_tmpl_id) ?? 0,
          categoryIds: above(idOf(row.categ_id)),
          listPrice: row.lst_price,
          cost: row.standard_price,
          currency: nameOf(row.currency_id),
        },
        pricelist.id,
        lists,
        nowMs(),
      );
      const cheaper = sale && money(sale.price, currency);
      return {
        price: price && money(price, currency),
        ...(cheaper && {
          sale: {
            price: cheaper,
            ...(sale.fromMs !== undefined && { from: moment(sale.fromMs) }),
            ...(sale.untilMs !== undefined && { until: moment(sale.untilMs) }),
          },
        }),
      };
    };
  };

  const rulesIn = async (domain: Domain, scope: Scope): Promise<readonly PriceRule[]> => {
    const rules: PriceRule[] = [];
    for (let after = 0; ; ) {
      const rows = await client.searchRead(
        'product.pricelist.item',
        {
          domain: [['id', '>', after], ...domain],
          fields: RULE_FIELDS,
          order: 'id asc',
          limit: LISTING_PAGE,
        },
        Rule,
        scope.call,
      );
      rules.push(...rows.map(ruleOf));
      const last = rows.at(-1);
      if (!last || rows.length < LISTING_PAGE) return rules;
      after = last.id;
    }
  };

  /** Parents by id. */
  const categories = async (call: OdooCall): Promise<ReadonlyMap<number, number>> =>
    (await cache.get('categories', async () => {
      const query = { domain: [['parent_id', '!=', false] as const], fields: ['parent_id'] };
      const rows = await client.searchRead('product.category', query, Category, call);
      return new Map(rows.flatMap(({ id, parent_id }) => (parent_id ? [[id, parent_id[0]] as const] : [])));
    })) ?? new Map();

  const taxesOf = async (ids: readonly number[], { company, call }: Scope) => {
    const key = (id: number) => `product tax ${company.id} ${id}`;
    const wanted = [...new Set(ids)];
    const unknown = wanted.filter((id) => !cache.peek(key(id)));
    for (const tax of await readTaxes(unknown, call)) cache.put(key(tax.id), tax);
    const found = wanted.flatMap((id) => cache.peek<ProductTax>(key(id)) ?? []);
    return new Map(found.map((tax) => [tax.id, tax]));
  };

  const readTaxes = async (ids: readonly number[], call: OdooCall): Promise<readonly ProductTax[]> => {
    if (ids.length === 0) return [];
    const query = { domain: [['id', 'in', ids] as const], fields: TAX_FIELDS };
    const taxes = await client.searchRead('account.tax', query, Tax, call);
    const parts = await readTaxes(
      taxes.flatMap(({ children_tax_ids }) => children_tax_ids),
      call,
    );
    return taxes.map((tax): ProductTax => {
      const own = parts.filter(({ id }) => tax.children_tax_ids.includes(id));
      const isGroup = tax.amount_type === 'group';
      return {
        id: tax.id,
        isIncluded: isGroup ? own.some(({ isIncluded }) => isIncluded) : tax.price_include,
        isCompound: tax.include_base_amount || own.some(({ isCompound }) => isCompound),
        percent: isGroup
          ? sumOf(own.map(({ percent }) => percent))
          : tax.amount_type === 'percent'
            ? String(tax.amount)
            : undefined,
      };
    });
  };

  async function* all(route: StockRoute, signal: AbortSignal) {
    const scope = await scopeOf(route, signal);
    const skus = new Set<string>();
    for await (const page of skusIn([], scope)) for (const sku of page) skus.add(sku);
    yield* describe(skus, scope);
  }

  /** A rule that is new, changed, or begins or ends in the window changes the prices that it sets. */
  async function* changed(window: ChangeWindow, route: StockRoute, signal: AbortSignal) {
    const scope = await scopeOf(route, signal);
    const [since, until] = [window.fromMs, window.untilMs].map((ms) =>
      odooDatetime(new Date(ms).toISOString()),
    );
    const skus = new Set<string>();
    const collect = async (domain: Domain) => {
      for await (const page of skusIn(domain, scope)) for (const sku of page) skus.add(sku);
    };
    if (scope.pricelist) {
      const within = (field: string): Domain => ['&', [field, '>=', since], [field, '<=', until]];
      const rules = await rulesIn(
        [
          ['pricelist_id', 'in', [...scope.pricelist.currencies.keys()]],
          '|',
          '|',
          '|',
          ['write_date', '>=', since],
          ['pricelist_id.write_date', '>=', since],
          ...within('date_start'),
          ...within('date_end'),
        ],
        scope,
      );
      const isWide = ({ templateId, productId }: PriceRule) =>
        templateId === undefined && productId === undefined;
      if (rules.some(isWide)) {
        yield* all(route, signal);
        return;
      }
      if (rules.length > 0) {
        await collect([
          '|',
          [
            'product_tmpl_id',
            'in',
            rules.flatMap(({ templateId, productId }) => (productId ? [] : (templateId ?? []))),
          ],
          ['id', 'in', rules.flatMap(({ productId }) => productId ?? [])],
        ]);
      }
    }
    await collect(['|', ['write_date', '>=', since], ['product_tmpl_id.write_date', '>=', since]]);
    yield* describe(skus, scope);
  }

  return {
    changed: (window, route, { signal }) => forgettingPages(changed(window, route, signal)),
    all: (route, { signal }) => forgettingPages(all(route, signal)),
  };
};

interface ProductTax {
  readonly id: number;
  readonly isIncluded: boolean;
  /** Taxes after it are computed on it, too. */
  readonly isCompound: boolean;
  /** undefined: no percentage of the net price. */
  readonly percent: string | undefined;
}

/** Of those that could be read: taxes of other companies, with which the product may be shared, are none of ours. */
const taxesIn = (
  ids: readonly number[],
  taxes: ReadonlyMap<number, ProductTax>,
): Pick<ErpProduct, 'priceIncludesTax' | 'taxPercent'> => {
  const own = ids.flatMap((id) => taxes.get(id) ?? []);
  const included = own.filter(({ isIncluded }) => isIncluded);
  // Some in the price and some on top, or one on top of another: no single percentage says it.
  const isMixed = included.length > 0 && included.length < own.length;
  const isStacked = own.length > 1 && own.some(({ isCompound }) => isCompound);
  const taxPercent = isMixed || isStacked ? undefined : sumOf(own.map(({ percent }) => percent));
  return { priceIncludesTax: included.length > 0, ...(taxPercent !== undefined && { taxPercent }) };
};

const sumOf = (percents: readonly (string | undefined)[]): string | undefined => {
  let sum = new Big(0);
  for (const percent of percents) {
    if (percent === undefined) return undefined;
    sum = sum.plus(percent);
  }
  return sum.toFixed();
};

/** undefined: a currency that ISO 4217 does not know. */
const money = (amount: Big | number, currency: string): Money | undefined => {
  try {
    return moneyRounded(amount, currency);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
};

const FIELDS = [
  'default_code',
  'display_name',
  'active',
  'sale_ok',
  'lst_price',
  'standard_price',
  'currency_id',
  'product_tmpl_id',
  'categ_id',
  'taxes_id',
] as const;
const RULE_FIELDS = [
  'pricelist_id',
  'applied_on',
  'categ_id',
  'product_tmpl_id',
  'product_id',
  'min_quantity',
  'date_start',
  'date_end',
  'compute_price',
  'base',
  'base_pricelist_id',
  'fixed_price',
  'percent_price',
  'price_discount',
  'price_round',
  'price_surcharge',
  'price_min_margin',
  'price_max_margin',
] as const;
const TAX_FIELDS = [
  'amount',
  'amount_type',
  'price_include',
  'include_base_amount',
  'children_tax_ids',
] as const;

/** A field of rules that this installation's rules do not use may be missing or false. */
const Amount = z
  .union([z.number(), z.literal(false)])
  .nullish()
  .transform((amount) => amount || 0);
const Label = z.union([z.tuple([z.int(), z.string()]), z.literal(false)]);
const idOf = (value: z.infer<typeof Many2one>): number | undefined => (value ? value[0] : undefined);
const nameOf = (value: z.infer<typeof Label>): string => (value ? value[1] : '');

const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');
const Named = z.looseObject({ id: z.int(), default_code: text });
const PricelistRow = z.looseObject({ id: z.int(), name: text, currency_id: Label });
const Based = z.looseObject({ pricelist_id: Many2one, base_pricelist_id: Many2one });
const Category = z.looseObject({ id: z.int(), parent_id: Many2one });
const Product = z.looseObject({
  id: z.int(),
  default_code: text,
  display_name: text,
  active: z.boolean(),
  sale_ok: z.boolean(),
  lst_price: z.number(),
  standard_price: Amount,
  currency_id: Label,
  product_tmpl_id: Many2one,
  categ_id: Label,
  taxes_id: z.array(z.int()),
});
type ProductRow = z.infer<typeof Product>;
const Tax = z.looseObject({
  id: z.int(),
  amount: z.number(),
  amount_type: z.string(),
  price_include: z.boolean(),
  include_base_amount: z.boolean(),
  children_tax_ids: z.array(z.int()),
});
/** `YYYY-MM-DD HH:MM:SS` in UTC. */
const Moment = z
  .union([z.string(), z.literal(false)])
  .transform((value) => (value ? Date.parse(`${value.replace(' ', 'T')}Z`) : undefined));
const Rule = z.looseObject({
  id: z.int(),
  pricelist_id: Many2one,
  applied_on: z.string(),
  categ_id: Many2one,
  product_tmpl_id: Many2one,
  product_id: Many2one,
  min_quantity: Amount,
  date_start: Moment,
  date_end: Moment,
  compute_price: z.string(),
  base: text,
  base_pricelist_id: Many2one,
  fixed_price: Amount,
  percent_price: Amount,
  price_discount: Amount,
  price_round: Amount,
  price_surcharge: Amount,
  price_min_margin: Amount,
  price_max_margin: Amount,
});

const ruleOf = (row: z.infer<typeof Rule>): PriceRule => ({
  id: row.id,
  pricelistId: idOf(row.pricelist_id) ?? 0,
  appliedOn: row.applied_on,
  categoryId: idOf(row.categ_id),
  templateId: idOf(row.product_tmpl_id),
  productId: idOf(row.product_id),
  minQuantity: row.min_quantity,
  fromMs: row.date_start,
  untilMs: row.date_end,
  compute: row.compute_price,
  base: row.base,
  basePricelistId: idOf(row.base_pricelist_id),
  fixed: row.fixed_price,
  percent: row.percent_price,
  discount: row.price_discount,
  round: row.price_round,
  surcharge: row.price_surcharge,
  minMargin: row.price_min_margin,
  maxMargin: row.price_max_margin,
});
