/** One entry of a list that is sorted by change. */
export interface Change {
  readonly id: string;
  readonly changedAtMs: number;
}

/** One answer of a peer's list, oldest change first; `next` asks for the entries after it, undefined: there are none. */
export interface ChangeSlice<R extends Change, C> {
  readonly rows: readonly R[];
  readonly next: C | undefined;
}

/**
 * Every entry that changed in [fromMs, untilMs), oldest first, slice by slice, and no call before a slice is wanted.
 *
 * By the moment of the last change instead of by page number: an entry that changes while pages are turned moves to the
 * end, everything behind it moves up, and the entry at the edge of a page is stepped over for good. Numbers (or the
 * peer's cursors) are only used within one moment, and where a page shows that the list is not sorted after all: that one is
 * read whole. Known edge: within one moment with more entries than a page holds, a change may still hide one.
 *
 * @param read entries from a moment on, that one included; with a cursor, those after what the cursor stands for
 */
export async function* walkChanges<R extends Change, C>(
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
  read: (fromMs: number, cursor: C | undefined) => Promise<ChangeSlice<R, C>>,
): AsyncGenerator<readonly R[], void, undefined> {
  let atMs = fromMs;
  let cursor: C | undefined;
  /** Ids that were told with this very moment. */
  let told = new Set<string>();
  for (;;) {
    let { rows, next } = await read(atMs, cursor);
    while (next !== undefined && !isSorted(rows)) {
      const more = await read(atMs, next);
      rows = [...rows, ...more.rows];
      next = more.next;
    }
    const { told: known, atMs: moment } = { told, atMs };
    const fresh = rows.filter(({ id, changedAtMs }) => changedAtMs !== moment || !known.has(id));
    const wanted = fresh.filter(({ changedAtMs }) => changedAtMs < untilMs);
    if (wanted.length > 0) yield wanted.toSorted((a, b) => a.changedAtMs - b.changedAtMs);
    const lastMs = rows.at(-1)?.changedAtMs ?? atMs;
    if (next === undefined || lastMs >= untilMs) return;
    if (lastMs > atMs) {
      [atMs, cursor, told] = [lastMs, undefined, new Set()];
    } else cursor = next;
    for (const { id, changedAtMs } of rows) if (changedAtMs === atMs) told.add(id);
  }
}

/** Asks for the first slice of a list, and for no more: whoever answers it can be read. */
export const readFirst = async (list: AsyncIterable<unknown>): Promise<void> => {
  for await (const _slice of list) return;
};

const isSorted = (rows: readonly Change[]): boolean =>
  rows.every(({ changedAtMs }, index) => changedAtMs >= (rows[index - 1]?.changedAtMs ?? changedAtMs));
