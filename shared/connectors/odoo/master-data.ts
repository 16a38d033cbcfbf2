import * as z from 'zod';
import type { BoundedCache } from '../../core/bounded-cache.ts';
import { PermanentError } from '../../core/errors.ts';
import type { Domain, FieldInfo, OdooCall, OdooClient } from './client.ts';
import type { OdooCurrency, OdooTax } from './refs.ts';

export interface OdooCompany {
  readonly id: number;
  /** The company and its parents (branches, from 17): whose taxes and products it may use. */
  readonly scope: readonly number[];
  readonly currencyId: number;
}

export interface OdooProduct {
  readonly id: number;
  readonly state: 'active' | 'archived';
  /** Active products with this SKU. */
  readonly count: number;
}

/** Many2one as Odoo sends it: `[id, name]`, or false for none. */
export const Many2one = z.union([z.tuple([z.int()], z.unknown()), z.literal(false)]);
const Id = z.looseObject({ id: z.int() });
const text = z.union([z.string(), z.literal(false)]).transform((value) => value || '');

/** Look-ups of what merchants configure in Odoo. Cached; what is missing is asked for again every time. */
export const masterData = (client: OdooClient, destination: string, cache: BoundedCache) => {
  const fields = async (
    model: string,
    names: readonly string[],
    call: OdooCall,
  ): Promise<Readonly<Record<string, FieldInfo>>> =>
    (await cache.get(`fields ${model} ${names}`, () => client.fieldsGet(model, names, call))) ?? {};

  /**
   * Records by exact name. Names of taxes and payment terms are translated (17 and later): a merchant who works
   * in another language copies the name from there, so the API user's language is tried second.
   */
  const byName = async <T extends { name: string }>(
    model: string,
    domain: Domain,
    names: readonly string[],
    fieldNames: readonly string[],
    row: z.ZodType<T>,
    call: OdooCall,
  ): Promise<T[]> => {
    const find = (wanted: readonly string[], context: OdooCall['context']) =>
      client.searchRead(
        model,
        { domain: [['name', 'in', wanted], ...domain], fields: fieldNames, order: 'id asc' },
        row,
        { ...call, ...(context && { context }) },
      );
    const found = await find(names, call.context);
    const missing = names.filter((name) => !found.some((record) => record.name === name));
    if (missing.length === 0) return found;
    const lang = await client.userLanguage(call);
    if (!lang || lang === 'en_US') return found;
    return [...found, ...(await find(missing, { ...call.context, lang }))];
  };

  return {
    fields,

    version: (call: OdooCall) => cache.get('version', () => client.version(call)),

    /** @throws PermanentError UNKNOWN_COMPANY */
    company: async (wanted: number | string | undefined, call: OdooCall): Promise<OdooCompany> => {
      const found = await cache.get<OdooCompany>(`company ${typeof wanted} ${wanted}`, async () => {
        const { parent_ids: hasParents } = await fields('res.company', ['parent_ids'], call);
        const domain: Domain =
          typeof wanted === 'string'
            ? [['name', '=', wanted]]
            : [['id', '=', wanted ?? (await ownCompany(client, call))]];
        const companies = await client.searchRead(
          'res.company',
          { domain, fields: ['currency_id', ...(hasParents ? ['parent_ids'] : [])], limit: 2 },
          Company,
          call,
        );
        const company = companies[0];
        if (!company || companies.length > 1 || !company.currency_id) return undefined;
        return {
          id: company.id,
          scope: [...new Set([company.id, ...(company.parent_ids ?? [])])],
          currencyId: company.currency_id[0],
        };
      });
      if (found) return found;
      throw new PermanentError('UNKNOWN_COMPANY', {
        ...(wanted !== undefined && { company: String(wanted) }),
        destination,
      });
    },

    /** @throws PermanentError UNMAPPED_CURRENCY not there or not active */
    currency: async (code: string, call: OdooCall): Promise<OdooCurrency> => {
      const found = await cache.get<OdooCurrency>(`currency ${code}`, async () => {
        const [currency] = await client.searchRead(
          'res.currency',
          { domain: [['name', '=', code]], fields: ['name', 'rounding', 'decimal_places'], limit: 1 },
          Currency,
          call,
        );
        return currency && { id: currency.id, code, rounding: String(currency.rounding) };
      });
      if (!found) throw new PermanentError('UNMAPPED_CURRENCY', { currency: code, destination });
      return found;
    },

    /**
     * The first pricelist in this currency. Without one: false where Odoo then uses the company's currency and
     * that is the order's, undefined where orders have no pricelist at all.
     * @throws PermanentError UNMAPPED_CURRENCY
     */
    pricelist: async (
      currency: OdooCurrency,
      company: OdooCompany,
      call: OdooCall,
    ): Promise<number | false | undefined> => {
      const { pricelist_id: field } = await fields('sale.order', ['pricelist_id'], call);
      const found = field
        ? await cache.get(`pricelist ${currency.id} ${company.id}`, async () => {
            const [pricelist] = await client.searchRead(
              'product.pricelist',
              {
                domain: [
                  ['currency_id', '=', currency.id],
                  ['company_id', 'in', [false, ...company.scope]],
                ],
                fields: ['name'],
                order: 'sequence asc, id asc',
                limit: 1,
              },
              Id,
              call,
            );
            return pricelist?.id;
          })
        : undefined;
      if (found !== undefined) return found;
      // 16 requires a pricelist, 17 and later do not (observed).
      if (currency.id !== company.currencyId || field?.required) {
        throw new PermanentError('UNMAPPED_CURRENCY', { currency: currency.code, destination });
      }
      return field ? false : undefined;
    },

    /** @throws PermanentError UNKNOWN_WAREHOUSE, also where Odoo has no stock module */
    warehouse: async (code: string, company: OdooCompany, call: OdooCall): Promise<number> => {
      const found = await cache.get(`warehouse ${company.id} ${code}`, async () => {
        const { warehouse_id: field } = await fields('sale.order', ['warehouse_id'], call);
        if (!field) return undefined;
        const [warehouse] = await client.searchRead(
          'stock.warehouse',
          {
            domain: [
              ['code', '=', code],
              ['company_id', '=', company.id],
            ],
            fields: ['code'],
            limit: 1,
          },
          Id,
          call,
        );
        return warehouse?.id;
      });
      if (found === undefined) {
        throw new PermanentError('UNKNOWN_WAREHOUSE', { warehouse: code, destination });
      }
      return found;
    },

    /** Products by SKU (`default_code`, which Odoo does not keep unique). SKUs without product are left out. */
    products: async (
      skus: readonly string[],
      company: OdooCompany,
      call: OdooCall,
    ): Promise<ReadonlyMap<string, OdooProduct>> => {
      const key = (sku: string) => `product ${company.id} ${sku}`;
      const found = new Map<string, OdooProduct>();
      const unknown: string[] = [];
      for (const sku of new Set(skus)) {
        const known = cache.peek<OdooProduct>(key(sku));
        if (known) found.set(sku, known);
        else unknown.push(sku);
      }
      if (unknown.length === 0) return found;
      const rows = await client.searchRead(
        'product.product',
        {
          domain: [
            ['default_code', 'in', unknown],
            ['company_id', 'in', [false, ...company.scope]],
          ],
          fields: ['default_code', 'active'],
          order: 'id asc',
        },
        Product,
        // Archived ones too, to tell "archived" from "never there".
        { ...call, context: { ...call.context, active_test: false } },
      );
      for (const sku of unknown) {
        const same = rows.filter((row) => row.default_code === sku);
        const active = same.filter((row) => row.active);
        const first = active[0] ?? same[0];
        if (!first) continue;
        const state = active.length > 0 ? 'active' : 'archived';
        const product: OdooProduct = { id: first.id, state, count: active.length };
        found.set(sku, product);
        // What somebody must mend first is not remembered.
        if (product.count === 1) cache.put(key(sku), product);
      }
      return found;
    },

    /**
     * Sale taxes by what a mapping row says: exact name, or `id:<number>`.
     * @throws PermanentError UNKNOWN_TAX
     */
    taxes: async (
      wanted: readonly { readonly key: string; readonly to: string }[],
      company: OdooCompany,
      call: OdooCall,
    ): Promise<Readonly<Record<string, OdooTax>>> => {
      const key = (to: string) => `tax ${company.id} ${to}`;
      const unknown = [...new Set(wanted.map(({ to }) => to))].filter((to) => !cache.peek(key(to)));
      if (unknown.length > 0) {
        const known = await fields('account.tax', TAX_FIELDS, call);
        const names = ['name', 'company_id', ...TAX_FIELDS.filter((name) => known[name])];
        const domain: Domain = [
          ['type_tax_use', '=', 'sale'],
          ['company_id', 'in', company.scope],
        ];
        const ids = unknown.flatMap((to) => idOf(to) ?? []);
        const texts = unknown.filter((to) => idOf(to) === undefined);
        const rows = [
          ...(ids.length > 0
            ? await client.searchRead(
                'account.tax',
                { domain: [['id', 'in', ids], ...domain], fields: names, order: 'id asc' },
                Tax,
                call,
              )
            : []),
          ...(texts.length > 0 ? await byName('account.tax', domain, texts, names, Tax, call) : []),
        ];
        // A group is taken as it is; whether it is part of the price, its children say.
        const childIds = [...new Set(rows.flatMap((row) => row.children_tax_ids ?? []))];
        const children =
          childIds.length > 0 ? await client.read('account.tax', childIds, names, Tax, call) : [];
        for (const to of unknown) {
          const id = idOf(to);
          const same = rows.filter((row) => (id === undefined ? row.name === to : row.id === id));
          const own = same.filter((row) => row.company_id && row.company_id[0] === company.id);
          const candidates = new Set((own.length > 0 ? own : same).map((row) => row.id));
          const tax = (own[0] ?? same[0]) as z.infer<typeof Tax> | undefined;
          // Two taxes of one name (goods and services, say): never guess.
          if (!tax || candidates.size > 1) continue;
          const parts = [tax, ...children.filter((child) => tax.children_tax_ids?.includes(child.id))];
          cache.put<OdooTax>(key(to), {
            id: tax.id,
            included: parts.some((part) => part.price_include),
            fixed: tax.amount_type === 'fixed',
          });
        }
      }
      return Object.fromEntries(
        wanted.map(({ key: tax, to }) => {
          const found = cache.peek<OdooTax>(key(to));
          if (!found) throw new PermanentError('UNKNOWN_TAX', { tax, to, destination });
          return [tax, found];
        }),
      );
    },

    /**
     * Payment term by exact name, or `id:<number>`.
     * @throws PermanentError UNKNOWN_PAYMENT_TERM
     */
    paymentTerm: async (
      method: string,
      to: string,
      company: OdooCompany,
      call: OdooCall,
    ): Promise<number> => {
      const found = await cache.get(`payment term ${company.id} ${to}`, async () => {
        const model = 'account.payment.term';
        const domain: Domain = [['company_id', 'in', [false, ...company.scope]]];
        const id = idOf(to);
        const rows =
          id === undefined
            ? await byName(model, domain, [to], ['name'], Named, call)
            : await client.searchRead(
                model,
                { domain: [['id', '=', id], ...domain], fields: ['name'], limit: 1 },
                Named,
                call,
              );
        return rows[0]?.id;
      });
      if (found === undefined) throw new PermanentError('UNKNOWN_PAYMENT_TERM', { method, to, destination });
      return found;
    },

    /**
     * Journal of money (bank, cash, from 18 also credit card) by code, else by exact name, or `id:<number>`.
     * @throws PermanentError UNKNOWN_PAYMENT_JOURNAL
     */
    journal: async (
      { to, ...row }: { readonly method: string; readonly source: string; readonly to: string },
      company: OdooCompany,
      call: OdooCall,
    ): Promise<number> => {
      const found = await cache.get(`journal ${company.id} ${to}`, async () => {
        const model = 'account.journal';
        const domain: Domain = [
          ['company_id', 'in', company.scope],
          ['type', 'in', ['bank', 'cash', 'credit']],
        ];
        const id = idOf(to);
        const wanted: Domain = id === undefined ? [['code', '=', to]] : [['id', '=', id]];
        const query = { domain: [...wanted, ...domain], fields: ['name'], order: 'id asc', limit: 1 };
        const rows = await client.searchRead(model, query, Named, call);
        const named =
          rows.length === 0 && id === undefined
            ? await byName(model, domain, [to], ['name'], Named, call)
            : rows;
        return named[0]?.id;
      });
      if (found === undefined)
        throw new PermanentError('UNKNOWN_PAYMENT_JOURNAL', { ...row, to, destination });
      return found;
    },

    /** Decimals of unit prices; 2 unless somebody changed the precision "Product Price". */
    priceDigits: async (call: OdooCall): Promise<number> =>
      (await cache.get('price digits', async () => {
        const [precision] = await client.searchRead(
          'decimal.precision',
          { domain: [['name', '=', 'Product Price']], fields: ['digits'], limit: 1 },
          Precision,
          call,
        );
        return precision?.digits;
      })) ?? 2,

    /** @throws PermanentError UNKNOWN_COUNTRY */
    country: async (code: string, call: OdooCall): Promise<number> => {
      const country = code.toUpperCase();
      const found = await cache.get(`country ${country}`, async () => {
        const [row] = await client.searchRead(
          'res.country',
          { domain: [['code', '=', country]], fields: ['code'], limit: 1 },
          Id,
          call,
        );
        return row?.id;
      });
      if (found === undefined) throw new PermanentError('UNKNOWN_COUNTRY', { country, destination });
      return found;
    },

    /** A state or province of a country by its code or name as shops write them; undefined if Odoo has none such. */
    state: async (
      countryId: number,
      countryCode: string,
      region: string,
      call: OdooCall,
    ): Promise<number | undefined> => {
      const states =
        (await cache.get(`states ${countryId}`, async () => {
          const rows = await client.searchRead(
            'res.country.state',
            { domain: [['country_id', '=', countryId]], fields: ['code', 'name'] },
            State,
            call,
          );
          return rows.length > 0 ? rows : undefined;
        })) ?? [];
      for (const wanted of stateCodes(countryCode, region)) {
        const found = states.find(({ code }) => fold(code) === wanted);
        if (found) return found.id;
      }
      return states.find(({ name }) => fold(name) === fold(region))?.id;
    },
  };
};
export type MasterData = ReturnType<typeof masterData>;

/**
 * WooCommerce says "JP13" or "TH-10", Odoo "13" (Japan) or "TH-10" (Thailand, Malaysia); others say the name.
 * @example stateCodes('JP', 'JP13') // ['jp13', 'jp-jp13', '13', 'jp-13']
 */
const stateCodes = (country: string, region: string): readonly string[] => {
  const code = fold(region);
  const prefix = fold(country);
  const bare = new RegExp(`^${prefix}-(.+)$|^${prefix}(\\d+)$`).exec(code);
  const short = bare?.[1] ?? bare?.[2];
  return [code, `${prefix}-${code}`, ...(short ? [short, `${prefix}-${short}`] : [])];
};

const fold = (value: string): string => value.normalize('NFKC').trim().toLowerCase();

const idOf = (to: string): number | undefined => {
  const digits = /^id:(\d+)$/.exec(to.trim())?.[1];
  return digits === undefined ? undefined : Number(digits);
};

const ownCompany = async (client: OdooClient, call: OdooCall): Promise<number> => {
  const [user] = await client.read('res.users', [await client.userId(call)], ['company_id'], User, call);
  return user?.company_id ? user.company_id[0] : 0;
};

const TAX_FIELDS = [
  'amount',
  'amount_type',
  'price_include',
  'include_base_amount',
  'children_tax_ids',
] as const;

const Named = z.looseObject({ id: z.int(), name: text });
const User = z.looseObject({ company_id: Many2one });
const Company = z.looseObject({
  id: z.int(),
  currency_id: Many2one,
  parent_ids: z.array(z.int()).optional(),
});
const Currency = z.looseObject({ id: z.int(), rounding: z.number().positive() });
const Product = z.looseObject({ id: z.int(), default_code: text, active: z.boolean() });
const Precision = z.looseObject({ digits: z.int().nonnegative() });
const State = z.looseObject({ id: z.int(), code: text, name: text });
const Tax = z.looseObject({
  id: z.int(),
  name: text,
  company_id: Many2one,
  amount_type: z.string().optional(),
  price_include: z.boolean().optional(),
  children_tax_ids: z.array(z.int()).optional(),
});
