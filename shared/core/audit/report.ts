import type { Audit } from './audit.ts';
import { type Difference, type DifferenceCause, isExplained } from './differences.ts';

/** What one daily audit found, as it is kept. */
export interface AuditReport {
  /** Connection id. */
  readonly erp: string;
  /** When it began, epoch milliseconds. */
  readonly atMs: number;
  readonly skus: number;
  readonly listings: number;
  readonly orders: number;
  /** How many by cause, of all that were found. */
  readonly causes: Readonly<Partial<Record<DifferenceCause, number>>>;
  /** For a person: what nothing explains. */
  readonly unexplained: number;
  /** Those for a person first; the rest is left out when there are very many. */
  readonly differences: readonly Difference[];
  readonly leftOut: number;
}

export interface AuditReports {
  put(report: AuditReport): Promise<void>;
  /** The newest first. */
  list(erp: string, most: number): Promise<readonly AuditReport[]>;
}

/** Some 200 KB of JSON; gzipped they fit an item of DynamoDB many times. */
const MOST_DIFFERENCES = 1000;

export const reportOf = (erp: string, atMs: number, audit: Audit): AuditReport => {
  const { differences, skus, listings, orders } = audit;
  const open = differences.filter((one) => !isExplained(one));
  const kept = [...open, ...differences.filter(isExplained)].slice(0, MOST_DIFFERENCES);
  const causes: Partial<Record<DifferenceCause, number>> = {};
  for (const { cause } of differences) causes[cause] = (causes[cause] ?? 0) + 1;
  return {
    erp,
    atMs,
    skus,
    listings,
    orders,
    causes,
    unexplained: open.length,
    differences: kept,
    leftOut: differences.length - kept.length,
  };
};
