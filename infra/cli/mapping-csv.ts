import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import * as z from 'zod';
import type { MappingRow } from '../../shared/connectors/contract.ts';

const COLUMNS = ['kind', 'source', 'destination', 'key', 'to', 'quantity', 'share'] as const;

const Line = z.strictObject({
  kind: z.enum(['sku', 'tax', 'payment', 'shipping', 'journal']),
  source: z.string().min(1, 'is empty; name a storefront connection, or * for every one'),
  destination: z.string().min(1, 'is empty; name an ERP connection'),
  key: z.string().min(1, 'is empty; what the storefront calls it'),
  to: z.string().min(1, 'is empty; what the ERP calls it'),
  quantity: z.string().transform((text, context) => numberOf(text || '1', 0.001, 1_000_000, context)),
  share: z.string().transform((text, context) => numberOf(text || '1', 0, 1, context)),
});

/** A file that cannot be taken: every problem, each with its line. Nothing of it was written. */
export class CsvError extends Error {
  readonly problems: readonly string[];

  constructor(origin: string, problems: readonly string[]) {
    super([`${origin}: nothing was imported`, ...problems.map((p) => `  ${p}`)].join('\n'));
    this.name = 'CsvError';
    this.problems = problems;
  }
}

/**
 * Mapping rows from CSV (UTF-8, header line). Several lines with one sku key make a bundle: `quantity` pieces
 * of each component per piece sold, `share` its part of the price; shares of a bundle add up to 1.
 * @throws CsvError
 */
export const mappingRowsFrom = (
  text: string,
  origin: string,
  known: { sources: readonly string[]; destinations: readonly string[] },
): MappingRow[] => {
  const problems: string[] = [];
  const rows = new Map<string, { row: MappingRow; line: number }>();
  let records: { record: Record<string, string>; info: { lines: number } }[];
  try {
    records = parse(text, {
      bom: true,
      columns: headerOf(problems),
      info: true,
      skip_empty_lines: true,
      trim: true,
    });
  } catch (error) {
    throw new CsvError(origin, [...problems, error instanceof Error ? error.message : String(error)]);
  }
  for (const { record, info } of records) {
    const at = `line ${info.lines}`;
    const parsed = Line.safeParse({ quantity: '', share: '', ...record });
    if (!parsed.success) {
      problems.push(
        ...parsed.error.issues.map((i) => `${at}, ${i.path.join('.') || 'columns'}: ${i.message}`),
      );
      continue;
    }
    const { kind, source, destination, key, to, quantity, share } = parsed.data;
    if (source !== '*' && !known.sources.includes(source)) {
      problems.push(
        `${at}, source: there is no storefront "${source}"; known: ${known.sources.join(', ')}, *`,
      );
    }
    if (!known.destinations.includes(destination)) {
      problems.push(
        `${at}, destination: there is no ERP "${destination}"; known: ${known.destinations.join(', ')}`,
      );
    }
    const id = JSON.stringify([kind, source, destination, key]);
    const earlier = rows.get(id);
    if (earlier && kind !== 'sku') {
      problems.push(
        `${at}: ${kind} "${key}" stands on line ${earlier.line} already; only sku rows may be bundles`,
      );
    }
    const component = { value: to, quantity, share };
    const row: MappingRow = { kind, source, destination, key, to: [...(earlier?.row.to ?? []), component] };
    rows.set(id, { row, line: info.lines });
  }
  for (const { row, line } of rows.values()) {
    const hundredths = row.to.reduce((sum, { share }) => sum + Math.round(share * 10_000), 0);
    if (hundredths !== 10_000) {
      problems.push(`line ${line}, share: the shares of "${row.key}" make ${hundredths / 10_000}, not 1`);
    }
  }
  if (problems.length > 0) throw new CsvError(origin, problems);
  return [...rows.values()].map(({ row }) => row);
};

export const csvFrom = (rows: readonly MappingRow[]): string =>
  stringify(
    rows.flatMap(({ kind, source, destination, key, to }) =>
      to.map(({ value, quantity, share }) => [kind, source, destination, key, value, quantity, share]),
    ),
    { header: true, columns: [...COLUMNS] },
  );

const headerOf = (problems: string[]) => (header: string[]) => {
  const unknown = header.filter((name) => !COLUMNS.some((column) => column === name));
  const missing = COLUMNS.slice(0, 5).filter((name) => !header.includes(name));
  if (unknown.length > 0)
    problems.push(`line 1: unknown column ${unknown.map((name) => `"${name}"`).join(', ')}`);
  if (missing.length > 0)
    problems.push(`line 1: missing column ${missing.map((name) => `"${name}"`).join(', ')}`);
  if (problems.length > 0)
    throw new Error(`the columns are: ${COLUMNS.join(', ')} (the last two may be left out)`);
  return header;
};

const numberOf = (text: string, least: number, most: number, context: z.RefinementCtx): number => {
  const value = Number(text);
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  context.addIssue(`"${text}" is no number from ${least} to ${most}`);
  return z.NEVER;
};
