import { RetryableError } from '../errors.ts';
import type { StockStore } from './ports.ts';
import type { StockRow } from './rows.ts';

/** Pure: called again on the newer row when somebody was faster. The same object means that nothing changes. */
export type RowChange = (row: StockRow) => StockRow;

/** Whoever meets others this often in one row comes back later. */
const MOST_TRIES = 12;
/** Rows written at once. */
const AT_ONCE = 16;

/**
 * Changes rows, each by conditional writes on its version; all are read at once, and only what changes is written.
 * @returns the rows as they are now
 * @throws RetryableError STOCK_CONTENDED others were faster each time; some rows may have been changed
 */
export const changeRows = async (
  store: Pick<StockStore, 'rows' | 'put'>,
  erp: string,
  changes: ReadonlyMap<string, RowChange>,
): Promise<ReadonlyMap<string, StockRow>> => {
  const done = new Map<string, StockRow>();
  let left = [...changes.keys()];
  for (let tries = 0; left.length > 0; tries += 1) {
    if (tries === MOST_TRIES) {
      throw new RetryableError('STOCK_CONTENDED', 'the same stock is changed by others all the time');
    }
    const rows = await store.rows(erp, left);
    const lost: string[] = [];
    await inTurn(left, AT_ONCE, async (sku) => {
      const row = rows.get(sku);
      const change = changes.get(sku);
      if (!row || !change) return;
      const next = change(row);
      if (isSame(next, row)) done.set(sku, row);
      else if (await store.put(next)) done.set(sku, { ...next, version: row.version + 1 });
      else lost.push(sku);
    });
    left = lost;
  }
  return done;
};

const isSame = (a: StockRow, b: StockRow): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** Each of `items`, so many at once. All are tried; the first error is thrown when they are done. */
export const inTurn = async <T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  let at = 0;
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let item = items[at++]; item !== undefined; item = items[at++]) {
      await work(item).catch((error: unknown) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
};
