import * as z from 'zod';
import type { BoundedCache } from '../../core/bounded-cache.ts';
import { PermanentError } from '../../core/errors.ts';
import type { Domain, TrytonCall, TrytonClient } from './client.ts';
import { Decimal, Flag, Id, Text } from './json.ts';
import type { SaleProduct, TrytonCompany, TrytonCurrency } from './refs.ts';

export interface TrytonProduct extends SaleProduct {
  readonly state: 'active' | 'archived';
  /** Active products with this code. */
  readonly count: number;
}

/** Look-ups of what merchants configure in Tryton. Cached; what is missing is asked for again every time. */
export const masterData = (client: TrytonClient, destination: string, cache: BoundedCache) => {
  /**
   * Records by exact name. Names may be translated: a merchant who works in another language copies the name from
   * there, so the API user's language is tried second.
   */
  const byName = async <T extends { name: string }>(
    model: string,
    domain: Domain,
    names: readonly string[],
    fields: readonly string[],
    row: z.ZodType<T>,
    call: TrytonCall,
  ): Promise<T[]> => {
    const find = (wanted: readonly string[], at: TrytonCall) =>
      client.searchRead(model, { domain: [['name', 'in', wanted], ...domain], fields }, row, at);
    const found = await find(names, call);
    const missing = names.filter((name) => !found.some((record) => record.name === name));
    if (missing.length === 0) return found;
    const { language } = await client.preferences(call);
    if (!language || language === 'en') return found;
    return [...found, ...(await find(missing, { ...call, context: { ...call.context, language } }))];
  };

  return {
    /**
     * By id, by the name of its party, or the API user's own.
     * @throws PermanentError UNKNOWN_COMPANY
     */
    company: async (wanted: number | string | undefined, call: TrytonCall): Promise<TrytonCompany> => {
      const found = await cache.get<TrytonCompany>(`company ${typeof wanted} ${wanted}`, async () => {
        const id = wanted ?? (await client.preferences(call)).company;
        if (id === undefined) return undefined;
        const domain: Domain = typeof id === 'string' ? [['party.name', '=', id]] : [['id', '=', id]];
        const query = { domain, fields: ['timezone'], limit: 2 };
        const companies = await client.searchRead('company.company', query, Company, call);
        const [company] = companies;
        return company && companies.length === 1
          ? { id: company.id, timeZone: company.timezone || 'UTC' }
          : undefined;
      });
      if (found) return found;
      throw new PermanentError('UNKNOWN_COMPANY', {
        ...(wanted !== undefined && { company: String(wanted) }),
        destination,
      });
    },

    /** @throws PermanentError UNMAPPED_CURRENCY not there or not active */
    currency: async (code: string, call: TrytonCall): Promise<TrytonCurrency> => {
      const found = await cache.get<TrytonCurrency>(`currency ${code}`, async () => {
        const query = { domain: [['code', '=', code]], fields: ['rounding'], limit: 1 } as const;
        const [currency] = await client.searchRead('currency.currency', query, Currency, call);
        return currency && { id: currency.id, code, rounding: currency.rounding };
      });
      if (!found) throw new PermanentError('UNMAPPED_CURRENCY', { currency: code, destination });
      return found;
    },

    /** @throws PermanentError UNKNOWN_WAREHOUSE */
    warehouse: async (code: string, call: TrytonCall): Promise<number> => {
      const found = await cache.get(`warehouse ${code}`, async () => {
        const domain: Domain = [
          ['type', '=', 'warehouse'],
          ['code', '=', code],
        ];
        const query = { domain, fields: ['code'], limit: 2 };
        const warehouses = await client.searchRead('stock.location', query, Row, call);
        return warehouses.length === 1 ? warehouses[0]?.id : undefined;
      });
      if (found === undefined) {
        throw new PermanentError('UNKNOWN_WAREHOUSE', { warehouse: code, destination });
      }
      return found;
    },

    /** Products by code, which Tryton does not keep unique. Codes without product are left out. */
    products: async (
      skus: readonly string[],
      call: TrytonCall,
    ): Promise<ReadonlyMap<string, TrytonProduct>> => {
      const key = (sku: string) => `product ${sku}`;
      const found = new Map<string, TrytonProduct>();
      const unknown: string[] = [];
      for (const sku of new Set(skus)) {
        const known = cache.peek<TrytonProduct>(key(sku));
        if (known) found.set(sku, known);
        else unknown.push(sku);
      }
      if (unknown.length === 0) return found;
      const rows = await client.searchRead(
        'product.product',
        {
          domain: [['code', 'in', unknown]],
          fields: ['code', 'active', 'template.active', 'sale_uom', 'default_uom'],
        },
        Product,
        // Archived ones too, to tell "archived" from "never there".
        { ...call, context: { ...call.context, active_test: false } },
      );
      for (const sku of unknown) {
        const same = rows.filter(({ code }) => code === sku);
        const active = same.filter((row) => row.active && row['template.'].active);
        const first = active[0] ?? same[0];
        if (!first) continue;
        const product: TrytonProduct = {
          id: first.id,
          // What cannot be sold has no unit for it; Tryton then refuses the sale and says why.
          unit: first.sale_uom ?? first.default_uom,
          state: active.length > 0 ? 'active' : 'archived',
          count: active.length,
        };
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
      company: TrytonCompany,
      call: TrytonCall,
    ): Promise<Readonly<Record<string, number>>> => {
      const key = (to: string) => `tax ${company.id} ${to}`;
      const unknown = [...new Set(wanted.map(({ to }) => to))].filter((to) => !cache.peek(key(to)));
      if (unknown.length > 0) {
        // What a line takes: no part of another tax, and none that is for purchases only (trytond sale module).
        const domain: Domain = [
          ['parent', '=', null],
          ['OR', ['group', '=', null], ['group.kind', 'in', ['sale', 'both']]],
          ['company', '=', company.id],
        ];
        const ids = unknown.flatMap((to) => idOf(to) ?? []);
        const names = unknown.filter((to) => idOf(to) === undefined);
        const rows = [
          ...(ids.length > 0
            ? await client.searchRead(
                'account.tax',
                { domain: [['id', 'in', ids], ...domain], fields: ['name'] },
                Named,
                call,
              )
            : []),
          ...(names.length > 0 ? await byName('account.tax', domain, names, ['name'], Named, call) : []),
        ];
        for (const to of unknown) {
          const id = idOf(to);
          const same = rows.filter((row) => (id === undefined ? row.name === to : row.id === id));
          const [tax] = same;
          // Two taxes of one name (goods and services, say): never guess.
          if (tax && new Set(same.map((row) => row.id)).size === 1) cache.put(key(to), tax.id);
        }
      }
      return Object.fromEntries(
        wanted.map(({ key: tax, to }) => {
          const found = cache.peek<number>(key(to));
          if (found === undefined) throw new PermanentError('UNKNOWN_TAX', { tax, to, destination });
          return [tax, found];
        }),
      );
    },

    /**
     * Payment term by exact name, or `id:<number>`.
     * @throws PermanentError UNKNOWN_PAYMENT_TERM
     */
    paymentTerm: async (method: string, to: string, call: TrytonCall): Promise<number> => {
      const found = await cache.get(`payment term ${to}`, async () => {
        const model = 'account.invoice.payment_term';
        const id = idOf(to);
        const rows =
          id === undefined
            ? await byName(model, [], [to], ['name'], Named, call)
            : await client.searchRead(model, { domain: [['id', '=', id]], fields: ['name'] }, Named, call);
        return rows[0]?.id;
      });
      if (found === undefined) throw new PermanentError('UNKNOWN_PAYMENT_TERM', { method, to, destination });
      return found;
    },

    /**
     * Payment method (module account_invoice: a journal of cash with the accounts of the money) by exact name, or
     * `id:<number>`.
     * @throws PermanentError UNKNOWN_PAYMENT_JOURNAL
     */
    paymentMethod: async (
      { to, ...row }: { readonly method: string; readonly source: string; readonly to: string },
      company: TrytonCompany,
      call: TrytonCall,
    ): Promise<z.infer<typeof PaymentMethod>> => {
      const found = await cache.get(`payment method ${company.id} ${to}`, async () => {
        const model = 'account.invoice.payment.method';
        const domain: Domain = [['company', '=', company.id]];
        const fields = ['name', 'journal', 'debit_account', 'credit_account'];
        const id = idOf(to);
        const rows =
          id === undefined
            ? await byName(model, domain, [to], fields, PaymentMethod, call)
            : await client.searchRead(
                model,
                { domain: [['id', '=', id], ...domain], fields },
                PaymentMethod,
                call,
              );
        return rows[0];
      });
      if (!found) throw new PermanentError('UNKNOWN_PAYMENT_JOURNAL', { ...row, to, destination });
      return found;
    },

    /** Decimals of unit prices; 4 unless `price_decimal` in trytond's configuration says otherwise. */
    priceDigits: async (call: TrytonCall): Promise<number> =>
      (await cache.get('price digits', async () => {
        const fields = await client.ask('sale.line', 'fields_get', [['unit_price']], PriceField, call);
        return fields.unit_price.digits;
      })) ?? 4,

    /** Kinds of identifiers that parties may have here, e.g. `eu_vat`. */
    identifierTypes: async (call: TrytonCall): Promise<readonly string[]> =>
      (await cache.get('identifier types', async () => {
        const types = await client.ask('party.identifier', 'get_types', [], Selection, call);
        return types.flatMap(([type]) => type ?? []);
      })) ?? [],

    /** @throws PermanentError UNKNOWN_COUNTRY Tryton ships none: they are imported */
    country: async (code: string, call: TrytonCall): Promise<number> => {
      const country = code.toUpperCase();
      const found = await cache.get(`country ${country}`, async () => {
        const query = { domain: [['code', '=', country]], fields: ['code'], limit: 1 } as const;
        const [row] = await client.searchRead('country.country', query, Row, call);
        return row?.id;
      });
      if (found === undefined) throw new PermanentError('UNKNOWN_COUNTRY', { country, destination });
      return found;
    },

    /** A state or province of a country by its code or name as shops write them; undefined if Tryton has none such. */
    subdivision: async (
      countryId: number,
      countryCode: string,
      region: string,
      call: TrytonCall,
    ): Promise<number | undefined> => {
      const subdivisions =
        (await cache.get(`subdivisions ${countryId}`, async () => {
          const query = { domain: [['country', '=', countryId]], fields: ['code', 'name'] } as const;
          const rows = await client.searchRead('country.subdivision', query, Subdivision, call);
          return rows.length > 0 ? rows : undefined;
        })) ?? [];
      for (const wanted of subdivisionCodes(countryCode, region)) {
        const found = subdivisions.find(({ code }) => fold(code) === wanted);
        if (found) return found.id;
      }
      return subdivisions.find(({ name }) => fold(name) === fold(region))?.id;
    },
  };
};
export type MasterData = ReturnType<typeof masterData>;

/**
 * Tryton's codes are those of ISO 3166-2; shops leave the country out (`CA`), put it in (`TH-10`), or join it
 * (WooCommerce: `JP13`).
 * @example subdivisionCodes('JP', 'JP13') // ['jp13', 'jp-jp13', 'jp-13']
 */
const subdivisionCodes = (country: string, region: string): readonly string[] => {
  const code = fold(region);
  const prefix = fold(country);
  const bare = new RegExp(`^${prefix}(\\d+)$`).exec(code)?.[1];
  return [code, `${prefix}-${code}`, ...(bare ? [`${prefix}-${bare}`] : [])];
};

const fold = (value: string): string => value.normalize('NFKC').trim().toLowerCase();

const idOf = (to: string): number | undefined => {
  const id = /^id:(\d+)$/.exec(to)?.[1];
  return id === undefined ? undefined : Number(id);
};

const Row = z.looseObject({ id: Id });
const Named = z.looseObject({ id: Id, name: Text });
const PaymentMethod = z.looseObject({
  name: Text,
  journal: Id,
  debit_account: Id,
  credit_account: Id,
});
const Company = z.looseObject({ id: Id, timezone: Text });
const Currency = z.looseObject({ id: Id, rounding: Decimal });
const Product = z.looseObject({
  id: Id,
  code: Text,
  active: Flag,
  'template.': z.looseObject({ active: Flag }),
  sale_uom: Id.nullish(),
  default_uom: Id,
});
const Subdivision = z.looseObject({ id: Id, code: Text, name: Text });
/** `[16, 4]` as text (observed on Tryton 6.0), or the list itself. */
const PriceField = z.looseObject({
  unit_price: z.looseObject({
    digits: z
      .union([z.string(), z.array(z.unknown())])
      .nullish()
      .transform((digits) => {
        const found = /(\d+)\s*\]?$/.exec(Array.isArray(digits) ? String(digits.at(-1)) : (digits ?? ''));
        return found ? Number(found[1]) : undefined;
      }),
  }),
});
const Selection = z.array(z.tuple([z.string().nullable()], z.unknown()));
