import { type Cursor, type Cursors, cursorBackwards, cursorTakenOver } from '../../shared/core/cursors.ts';
import type { Clock } from '../../shared/core/ports.ts';

interface CursorRow {
  readonly turn: number;
  readonly leaseUntilMs: number;
  readonly cursor: Cursor | undefined;
}

/** Cursors in memory: same port, same rules, proven by the same suite as those on DynamoDB. */
export const memoryCursors = (nowMs: Clock, rows = new Map<string, CursorRow>()): Cursors => ({
  load: async (name) => rows.get(name)?.cursor,
  claim: async (name, leaseMs) => {
    const row = rows.get(name);
    if (row && row.leaseUntilMs > nowMs()) return { kind: 'busy', leaseUntilMs: row.leaseUntilMs };
    const turn = (row?.turn ?? 0) + 1;
    rows.set(name, { turn, leaseUntilMs: nowMs() + leaseMs, cursor: row?.cursor });
    return { kind: 'claimed', turn, cursor: row?.cursor };
  },
  save: async (name, turn, cursor) => {
    const row = rows.get(name);
    if (row?.turn !== turn) throw cursorTakenOver(name);
    if (row.cursor && row.cursor.atMs > cursor.atMs) throw cursorBackwards(name);
    rows.set(name, { ...row, cursor });
  },
  release: async (name, turn) => {
    const row = rows.get(name);
    if (row?.turn === turn) rows.set(name, { ...row, leaseUntilMs: 0 });
  },
});
