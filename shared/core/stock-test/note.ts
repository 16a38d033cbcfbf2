/** What a test changes, written down before it does: whoever comes after a test that was killed puts it back. */
export interface StockTestNote {
  readonly erp: string;
  readonly sku: string;
  /** Counts writes; 0: not written yet. */
  readonly version: number;
  readonly state: 'open' | 'closed';
  readonly startedAtMs: number;
  readonly counts: readonly Counted[];
  /** Pieces on hand that somebody had ordered before. */
  readonly promised: number;
  /** By storefront connection: what it showed before. */
  readonly showed: Readonly<Record<string, number>>;
  /** The order, before it is placed and after. */
  readonly order?: { readonly shop: string; readonly id?: string | undefined; readonly byHand: boolean };
}

export interface Counted {
  readonly warehouse: string;
  /** On hand before the test, and during it. */
  readonly was: number;
  readonly set: number;
}

export interface StockTestNotes {
  /** undefined: never tested. */
  load(erp: string, sku: string): Promise<StockTestNote | undefined>;
  /** Writes it as version + 1. @returns false: somebody was faster, and nothing was written */
  save(note: StockTestNote): Promise<boolean>;
}

/** Pieces on hand that somebody has ordered. */
export const promisedIn = (levels: readonly { readonly onHand: number; readonly free: number }[]): number =>
  levels.reduce((sum, { onHand, free }) => sum + onHand - free, 0);

/** What has to lie in a warehouse so that all is as before, whatever else happened there meanwhile. */
export const restored = ({ was, set }: Counted, onHandNow: number): number =>
  onHandNow === was ? was : Math.max(0, onHandNow + was - set);

/**
 * What has to lie in each warehouse so that `pieces` are free, all of them in the first one. Pieces that are promised stay
 * promised.
 */
export const countsFor = (
  levels: readonly { readonly warehouse: string; readonly onHand: number; readonly free: number }[],
  pieces: number,
): Counted[] =>
  levels.map(({ warehouse, onHand, free }, index) => ({
    warehouse,
    was: onHand,
    set: Math.max(0, onHand - free + (index === 0 ? pieces : 0)),
  }));
