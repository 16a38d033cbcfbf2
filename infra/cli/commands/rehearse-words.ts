import { stringify } from 'csv-stringify/sync';
import type { DocumentDifference } from '../../../shared/connectors/contract.ts';
import type { RehearsalRow, Rehearsed, Verdict } from '../../../shared/core/rehearse.ts';
import { aligned } from './parked-words.ts';

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
