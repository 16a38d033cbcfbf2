import type { Env, Field, Row } from './orm.ts';

type Lock = 'fiscalyear' | 'period' | 'tax' | 'sale' | 'hard';

const date = (string: string, more: Partial<Field> = {}): Field => ({ type: 'date', string, ...more });

const ancestors = (row: Row, { db }: Pick<Env, 'db'>): Row[] => {
  const found = [row];
  for (let up = db.get('res.company', row['parent_id']); up; up = db.get('res.company', up['parent_id'])) {
    found.push(up);
  }
  return found;
};
const latest = (days: readonly unknown[]): string =>
  days
    .map((day) => String(day || ''))
    .toSorted()
    .at(-1) ?? '';

/**
 * Lock dates of a company, through which the books are closed (odoo/odoo, addons/account/models/company.py of 16 to 19):
 * up to 17 with one for all but accountants, from 18 on by journal, and as they hold for the user. Exceptions for users
 * are left out. Where nothing is locked, the fields of 18 say Python's least date.
 */
export const lockDateFields = (version: number): Readonly<Record<string, Field>> => {
  const forUser = (lock: Lock): Field =>
    date(`User ${lock}`, {
      readonly: true,
      get: (row, env) =>
        latest(ancestors(row, env).map((company) => company[`${lock}_lock_date`])) || '1-01-01',
    });
  return {
    fiscalyear_lock_date: date('Global Lock Date'),
    tax_lock_date: date('Tax Return Lock Date'),
    ...(version < 18
      ? { period_lock_date: date('Journals Entries Lock Date') }
      : {
          sale_lock_date: date('Sales Lock Date'),
          hard_lock_date: date('Hard Lock Date'),
          user_fiscalyear_lock_date: forUser('fiscalyear'),
          user_tax_lock_date: forUser('tax'),
          user_sale_lock_date: forUser('sale'),
          user_hard_lock_date: forUser('hard'),
        }),
  };
};

/**
 * The day of the books that Odoo chooses by itself for a sales entry (`account.move._get_accounting_date`): its own, or the
 * end of the month after the last lock, once entries are numbered by year the end of that year, and not after today.
 */
export const accountingDate = (
  day: string,
  entry: { readonly companyId: unknown; readonly isTaxed: boolean; readonly isFirst: boolean },
  env: Env,
): string => {
  const company = env.db.get('res.company', entry.companyId);
  if (!company) return day;
  const locks: Lock[] = [
    'fiscalyear',
    'period',
    'sale',
    'hard',
    ...(entry.isTaxed ? (['tax'] as const) : []),
  ];
  const last = latest(
    ancestors(company, env).flatMap((each) => locks.map((lock) => each[`${lock}_lock_date`])),
  );
  if (day > last) return day;
  const open = new Date(Date.parse(last) + 86_400_000);
  const [year, month] = [open.getUTCFullYear(), open.getUTCMonth()];
  const end = new Date(entry.isFirst ? Date.UTC(year, month + 1, 0) : Date.UTC(year, 12, 0));
  const today = env.db.now().slice(0, 10);
  const iso = end.toISOString().slice(0, 10);
  return iso < today ? iso : today;
};
