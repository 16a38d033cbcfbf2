import { stringify } from 'csv-stringify/sync';
import pc from 'picocolors';
import type { Audit } from '../../../shared/core/audit/audit.ts';
import { type Difference, isExplained } from '../../../shared/core/audit/differences.ts';
import type { AuditReport } from '../../../shared/core/audit/report.ts';
import { aligned, timeWords } from './parked-words.ts';

/** What is for a person first; then what settings or the flow explain. */
export const auditWords = (erp: string, { differences, skus, listings, orders }: Audit): string[] => {
  const [open, explained] = [
    differences.filter((one) => !isExplained(one)),
    differences.filter((one) => isExplained(one)),
  ];
  return [
    `${erp}: ${skus} SKUs, ${listings} listings and ${orders} orders compared`,
    ...part('to be mended', open, pc.yellow),
    ...part('explained', explained, (text) => text),
    ...(open.length === 0 ? [pc.green('nothing is to be mended')] : []),
  ];
};

/** Daily audits that were kept. */
export const reportWords = (reports: readonly AuditReport[]): string[] =>
  reports.length === 0
    ? ['no audit yet: there is one each morning while a stock route is on']
    : reports.flatMap(({ atMs, leftOut, erp, ...rest }, i) => [
        ...(i === 0 ? [] : ['']),
        timeWords(atMs),
        ...auditWords(erp, rest),
        ...(leftOut === 0 ? [] : [`${leftOut} more were found and not kept: waybill audit lists them all`]),
      ]);

const part = (title: string, found: readonly Difference[], paint: (text: string) => string): string[] =>
  found.length === 0
    ? []
    : [
        '',
        `${found.length} ${title}`,
        ...aligned(
          found.map(({ kind, cause, shop, location, sku, erp, shows, why }) => [
            `  ${kind}`,
            cause,
            `${shop ?? ''}${location && location !== 'default' ? ` ${location}` : ''}`,
            sku,
            [erp && `ERP: ${erp}`, shows && `shop: ${shows}`].filter(Boolean).join(', '),
            why,
          ]),
        ).map(paint),
      ];

const COLUMNS = ['kind', 'cause', 'explained', 'shop', 'location', 'sku', 'erp', 'shows', 'why'] as const;

/** For spreadsheets: one row for each difference, with a heading. */
export const auditCsv = (differences: readonly Difference[]): string =>
  stringify(
    differences.map((one) =>
      COLUMNS.map((name) => (name === 'explained' ? isExplained(one) : (one[name] ?? ''))),
    ),
    {
      header: true,
      columns: [...COLUMNS],
      cast: { boolean: (value) => (value ? 'yes' : 'no') },
      // A SKU or a title that begins with "=" would be a formula.
      escape_formulas: true,
    },
  );
