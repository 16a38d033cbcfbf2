import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import type { Booking } from '../../core/reasons.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { OdooCall, OdooClient } from './client.ts';
import type { MasterData } from './master-data.ts';

interface Books {
  readonly client: OdooClient;
  readonly master: MasterData;
  readonly destination: string;
}

/** What is to be entered into the books of a company. */
export interface Entry {
  readonly what: Booking;
  readonly companyId: number;
  /** ISO date. */
  readonly day: string;
  /** In a sales journal: its own lock counts, too. */
  readonly isSale: boolean;
  /** Tax is in it: the lock of the tax return counts, too. */
  readonly isTaxed: boolean;
}

/**
 * The day on which an entry can be booked: its own, or the day after all locks where the route says so. Asked before it
 * is posted, because Odoo refuses nothing: it books what falls into a locked period on a day of its own choice
 * (odoo/odoo, addons/account, `account.move._post`, `_get_accounting_date`), mostly the end of the month.
 * @throws PermanentError PERIOD_LOCKED
 */
export const bookableDay = async (
  books: Books,
  entry: Entry,
  policy: OrderRoute['lockedPeriod'],
  call: OdooCall,
): Promise<string> => {
  const { what, day } = entry;
  const lockedThrough = await lastLockedDay(books, entry, call);
  if (day > lockedThrough) return day;
  const openFrom = dayAfter(lockedThrough);
  if (policy === 'first-open-day') return openFrom;
  throw new PermanentError('PERIOD_LOCKED', { what, day, openFrom, destination: books.destination });
};

/** Of 18 and later, for our user: exceptions and parent companies are taken into account. */
const FOR_USER = [
  'user_fiscalyear_lock_date',
  'user_hard_lock_date',
  'user_sale_lock_date',
  'user_tax_lock_date',
] as const;
/**
 * Of 16 and 17. The one for all but accountants counts for us, too, whatever rights our user has: it was set to keep
 * others out.
 */
const OF_COMPANY = ['fiscalyear_lock_date', 'period_lock_date', 'tax_lock_date'] as const;

/** ISO date; before all others where nothing is locked. Never cached: it is set on the day on which it matters. */
const lastLockedDay = async (
  { client, master }: Books,
  { companyId, isSale, isTaxed }: Entry,
  { signal }: OdooCall,
): Promise<string> => {
  // Locks of parent companies hold for branches; what our user may not see is left out.
  const call = { signal };
  const present = await master.fields('res.company', [...FOR_USER, ...OF_COMPANY], call);
  const isForUser = FOR_USER[0] in present;
  const names = (isForUser ? FOR_USER : OF_COMPANY).filter(
    (name) =>
      name in present &&
      (isSale || name !== 'user_sale_lock_date') &&
      (isTaxed || !name.endsWith('tax_lock_date')),
  );
  const scope = isForUser ? [companyId] : (await master.company(companyId, call)).scope;
  const query = { domain: [['id', 'in', scope]], fields: names } as const;
  const companies = await client.searchRead('res.company', query, Company, call);
  const days = companies.flatMap((company) => names.map((name) => LockDate.parse(company[name])));
  return days.toSorted().at(-1) ?? '';
};

/** Odoo's least date stands for none in the fields of 18, as `0001-01-01` or `1-01-01`. */
const LockDate = z
  .unknown()
  .transform((value) => (typeof value === 'string' && /^[1-9]\d{3}-\d\d-\d\d$/.test(value) ? value : ''));
const Company = z.looseObject({ id: z.int() });

const dayAfter = (day: string): string =>
  new Date(Date.parse(day) + 24 * 60 * 60_000).toISOString().slice(0, 10);
