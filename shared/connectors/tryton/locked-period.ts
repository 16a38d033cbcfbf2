import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import type { Booking } from '../../core/reasons.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { TrytonCall, TrytonClient } from './client.ts';
import { Day, Id, trytonDate } from './json.ts';

interface Books {
  readonly client: TrytonClient;
  readonly destination: string;
}

/** What is to be entered into the books of a company. */
export interface Entry {
  readonly what: Booking;
  readonly companyId: number;
  /** Absent: any journal. */
  readonly journalId?: number | undefined;
  /** ISO date. */
  readonly day: string;
}

/**
 * The day on which an entry can be booked: its own, or the first open one after it where the route says so. Tryton books in
 * open periods of type "standard" only, and a journal may be closed in one of them (account/period.py, account/journal.py).
 * @throws PermanentError PERIOD_LOCKED
 */
export const bookableDay = async (
  { client, destination }: Books,
  { what, companyId, journalId, day }: Entry,
  policy: OrderRoute['lockedPeriod'],
  call: TrytonCall,
): Promise<string> => {
  const company = ['fiscalyear.company', '=', companyId] as const;
  const open = [
    company,
    ['type', '=', 'standard'],
    ['state', '=', 'open'],
    ['end_date', '>=', trytonDate(day)],
  ] as const;
  const fields = ['start_date', 'end_date'];
  const periods = await client.searchRead('account.period', { domain: open, fields }, Period, call);
  const closed = journalId === undefined ? [] : await closedFor(client, journalId, call);
  const starts = periods.filter(({ id }) => !closed.includes(id)).map(({ start_date }) => start_date);
  const first = starts.toSorted()[0];
  if (first !== undefined && first <= day) return day;
  if (first !== undefined && policy === 'first-open-day') return first;
  throw new PermanentError('PERIOD_LOCKED', { what, day, openFrom: first, destination });
};

/** Periods that are closed for one journal, open as they may be for others. */
const closedFor = async (client: TrytonClient, journalId: number, call: TrytonCall): Promise<number[]> => {
  const domain = [
    ['journal', '=', journalId],
    ['state', '!=', 'open'],
  ] as const;
  const rows = await client.searchRead(
    'account.journal.period',
    { domain, fields: ['period'] },
    JournalPeriod,
    call,
  );
  return rows.map(({ period }) => period);
};

/** Tryton dates what states no date itself, and by its server's clock. */
export const today = (client: TrytonClient, call: TrytonCall): Promise<string> =>
  client.ask('ir.date', 'today', [], Day, call);

const Period = z.looseObject({ id: Id, start_date: Day, end_date: Day });
const JournalPeriod = z.looseObject({ period: Id });
