import { stringify } from 'csv-stringify/sync';
import type { ErpCandidate } from '../../../shared/connectors/contract.ts';
import type { Planned } from '../../../shared/core/adopt-order.ts';
import { inRouteCurrency } from '../../../shared/core/map-order.ts';
import { moneyText } from '../../../shared/core/money.ts';
import type { OrderRoute } from '../../../shared/settings/order-route.ts';
import { aligned } from './parked-words.ts';

/**
 * adoptable: it would be adopted. adopted: it was, now. already: it is ours. The others are left to people: differs (it names
 * the order, and costs something else), ambiguous, missing, unreadable (the shop's own answer), conflict (somebody else's),
 * failed. not-expected: nobody would have entered it.
 */
export type AdoptionOutcome =
  | 'adoptable'
  | 'adopted'
  | 'already'
  | 'differs'
  | 'ambiguous'
  | 'missing'
  | 'not-expected'
  | 'unreadable'
  | 'conflict'
  | 'failed';

/** One order of the shop, and what becomes of it. No personal data. */
export interface AdoptionRow {
  readonly orderId: string;
  readonly orderNumber?: string | undefined;
  readonly placedAt?: string | undefined;
  readonly total?: string | undefined;
  readonly outcome: AdoptionOutcome;
  /** How it was found, or why it was not adopted. */
  readonly because?: string | undefined;
  /** Names in the ERP: the one, or all that could be it. */
  readonly documents: readonly string[];
  readonly documentTotal?: string | undefined;
  /** What the shop says and the ERP does not: applied once it is ours. */
  readonly pending: readonly string[];
}

export const rowOf = (planned: Planned, route: OrderRoute): AdoptionRow => {
  if (planned.kind === 'unreadable') {
    const { orderId, reason } = planned;
    return { orderId, outcome: 'unreadable', because: reason, documents: [], pending: [] };
  }
  const { orderId, orderNumber, placedAt } = planned.event.data;
  const total = moneyText(inRouteCurrency(planned.event.data, route).total);
  const row = { orderId, orderNumber, placedAt, total, documents: [], pending: planned.pending };
  if (planned.kind === 'already') return { ...row, outcome: 'already' };
  const { match } = planned;
  switch (match.kind) {
    case 'missing':
      return { ...row, outcome: 'missing' };
    case 'not-expected':
      return { ...row, outcome: 'not-expected', because: match.why };
    case 'ambiguous':
      return {
        ...row,
        outcome: 'ambiguous',
        because: AMBIGUOUS[match.because],
        documents: match.candidates.map(nameOf),
      };
    default: {
      const { candidate } = match;
      return {
        ...row,
        outcome: match.kind === 'differs' ? 'differs' : 'adoptable',
        because: FOUND[match.by],
        documents: [nameOf(candidate)],
        documentTotal: moneyText(candidate.total),
      };
    }
  }
};

const nameOf = ({ document }: ErpCandidate): string => document.name ?? document.id;

const FOUND = {
  'our-reference': 'by our reference',
  number: "by the shop's number",
  buyer: 'by amount, date and buyer',
} as const;
const AMBIGUOUS = {
  several: 'several documents fit',
  contested: 'another order fits this document, too',
  'other-buyer': 'amount and date fit, the buyer does not',
} as const;

const COLUMNS = [
  'orderNumber',
  'orderId',
  'placedAt',
  'total',
  'outcome',
  'because',
  'documents',
  'documentTotal',
  'pending',
] as const;

export const adoptionCsv = (rows: readonly AdoptionRow[]): string =>
  stringify(
    rows.map((row) => ({ ...row, documents: row.documents.join(' '), pending: row.pending.join(', ') })),
    { header: true, columns: [...COLUMNS] },
  );

export const countsOf = (rows: readonly AdoptionRow[]): Partial<Record<AdoptionOutcome, number>> => {
  const counts: Partial<Record<AdoptionOutcome, number>> = {};
  for (const { outcome } of rows) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
};

/** These wait for a person. */
export const LEFT: ReadonlySet<AdoptionOutcome> = new Set([
  'differs',
  'ambiguous',
  'missing',
  'unreadable',
  'conflict',
  'failed',
]);

const MEANS: Readonly<Record<AdoptionOutcome, string>> = {
  adoptable: 'would be adopted',
  adopted: 'adopted now',
  already: 'ours already',
  differs:
    'name the order and cost something else: adopt them with --differing, which brings them to what the shop says',
  ambiguous: "left alone: note the shop's order number on the right document, then run this again",
  missing: 'in the shop only: enter them by hand, or redrive with --not-in-erp what is parked',
  'not-expected': 'need no document',
  unreadable: 'cannot be read at the shop',
  conflict: 'belong to another order',
  failed: 'failed: run this again',
};

/** What a person reads: how many of each, then those that are left to people, one by one. */
export const adoptionWords = (rows: readonly AdoptionRow[]): string[] => {
  const counts = aligned(
    Object.entries(countsOf(rows)).map(([outcome, n]) => [
      String(n),
      outcome,
      MEANS[outcome as AdoptionOutcome],
    ]),
  );
  const left = rows.filter(({ outcome }) => LEFT.has(outcome));
  const pending = rows.filter((row) => row.pending.length > 0 && !LEFT.has(row.outcome));
  return [
    ...counts,
    ...section('Left to people', left),
    ...section('Changed in the shop since: applied to the document once it is ours', pending),
  ];
};

const section = (title: string, rows: readonly AdoptionRow[]): string[] =>
  rows.length === 0
    ? []
    : [
        '',
        title,
        ...aligned(
          rows.map((row) => [
            `  ${row.orderNumber ?? row.orderId}`,
            row.placedAt?.slice(0, 10) ?? '',
            row.total ?? '',
            row.outcome,
            [
              row.documents.join(' '),
              row.documentTotal !== row.total ? row.documentTotal : '',
              row.pending.join(', '),
              row.because,
            ]
              .filter(Boolean)
              .join('; '),
          ]),
        ),
      ];
