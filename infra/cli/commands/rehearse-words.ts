import { stringify } from 'csv-stringify/sync';
import type { DocumentDifference, PeerDocument } from '../../../shared/connectors/contract.ts';
import { inRouteCurrency } from '../../../shared/core/map-order.ts';
import { moneyText } from '../../../shared/core/money.ts';
import type { Rehearsed, Verdict } from '../../../shared/core/rehearse.ts';
import type { OrderRoute } from '../../../shared/settings/order-route.ts';
import { aligned } from './parked-words.ts';

/** One order of the shop, and what would have become of it. No personal data. */
export interface RehearsalRow {
  readonly orderId: string;
  readonly orderNumber?: string | undefined;
  readonly placedAt?: string | undefined;
  readonly total?: string | undefined;
  readonly outcome: Rehearsed['outcome'];
  /** Of `unmappable`. */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly documents: readonly string[];
  readonly differences: readonly DocumentDifference[];
}

export const rehearsalRow = (one: Rehearsed, route: OrderRoute): RehearsalRow => {
  const { orderId, order, outcome } = one;
  const documents =
    'document' in one ? [nameOf(one.document)] : 'documents' in one ? one.documents.map(nameOf) : [];
  return {
    orderId,
    orderNumber: order?.orderNumber,
    placedAt: order?.placedAt,
    total: order && moneyText(inRouteCurrency(order, route).total),
    outcome,
    code: 'code' in one ? one.code : undefined,
    reason: 'reason' in one ? one.reason : undefined,
    documents,
    differences: 'differences' in one ? one.differences : [],
  };
};

const nameOf = ({ id, name }: PeerDocument): string => name ?? id;

/** @example differenceText({ what: 'quantity', line: 'Tea', ours: '2', theirs: '3' }) // 'quantity of Tea: 2, there 3' */
export const differenceText = ({ what, line, ours, theirs }: DocumentDifference): string => {
  const of = line === undefined ? '' : ` of ${line}`;
  if (what === 'line-missing') return `no line${of}: ${ours}`;
  if (what === 'line-surplus') return `a line${of}: ${theirs}`;
  return `${what}${of}: ${ours || 'none'}, there ${theirs || 'none'}`;
};

const COLUMNS = [
  'orderNumber',
  'orderId',
  'placedAt',
  'total',
  'outcome',
  'code',
  'reason',
  'documents',
  'differences',
];

export const rehearsalCsv = (rows: readonly RehearsalRow[]): string =>
  stringify(
    rows.map((row) => ({
      ...row,
      documents: row.documents.join(' '),
      differences: row.differences.map(differenceText).join('; '),
    })),
    { header: true, columns: COLUMNS },
  );

const MEANS: Readonly<Record<Rehearsed['outcome'], string>> = {
  identical: 'as people entered them',
  different: 'written otherwise than people entered them',
  missing: 'without a document that fits',
  ambiguous: 'with several documents that fit, or the document of another buyer',
  unmappable: 'parked',
  unreadable: 'unreadable at the shop',
  'not-accepted': 'not written: cancelled, unpaid, or ignored by the route',
};

/** What a person reads: the verdict, what is to be mended, and where documents differ. */
export const rehearsalWords = (rows: readonly RehearsalRow[], verdict: Verdict): string[] => {
  const { counts, identicalPercent, failing, differing, isReady } = verdict;
  const lines = aligned(
    Object.entries(counts).map(([outcome, n]) => [
      String(n),
      outcome,
      MEANS[outcome as Rehearsed['outcome']],
    ]),
  );
  const section = (title: string, cells: readonly (readonly string[])[]) =>
    cells.length === 0 ? [] : ['', title, ...aligned(cells).map((line) => `  ${line}`)];
  const different = rows.filter(({ outcome }) => outcome === 'different');
  return [
    ...lines,
    ...section(
      'To be mended, or these orders are parked',
      failing.map(({ code, orders, reason }) => [String(orders), code, reason]),
    ),
    ...section(
      'What differs, in how many orders',
      differing.map(({ what, orders }) => [String(orders), what]),
    ),
    ...section(
      'Order by order',
      different.map((row) => [
        row.orderNumber ?? row.orderId,
        row.documents.join(' '),
        row.differences.map(differenceText).join('; '),
      ]),
    ),
    '',
    identicalPercent === undefined
      ? 'nothing could be compared'
      : `${identicalPercent} % of what could be compared is identical`,
    isReady ? 'ready: every order would be written as people entered it' : 'not ready',
  ];
};
