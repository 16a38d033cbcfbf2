import { journeyKey, partsOf } from '../../shared/core/intent-key.ts';
import {
  isClosable,
  type Journal,
  type JourneyState,
  type JourneyStep,
  onRecord,
  onSettle,
  type SeenInShadow,
  type Settlement,
  seenIn,
  staysListed,
} from '../../shared/core/journal.ts';
import type {
  JournalReads,
  ShadowOrder,
  ShadowOrders,
  Timelines,
  UnfinishedOrder,
  UnfinishedOrders,
} from '../../shared/core/journal-reads.ts';
import { type Revision, revisionOf } from '../../shared/core/revision.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';

export interface JournalRow {
  readonly state: JourneyState | 'open';
  readonly recorded: Revision | undefined;
  readonly settled: Revision | undefined;
  readonly snapshot: Envelope<OrderChangedV1> | undefined;
  readonly steps: readonly JourneyStep[];
  /** Of the newest settlement. */
  readonly settlement: Settlement | undefined;
  /** Unfinished since; undefined: it is finished. */
  readonly openSinceMs?: number | undefined;
  readonly sweptAtMs?: number | undefined;
  readonly seenInShadow?: SeenInShadow | undefined;
}

/** The order journal in memory, by `<destination>#<source>#<order id>`. */
export const memoryJournal = (rows = new Map<string, JournalRow>()): Journal => {
  const rowOf = (key: string): JournalRow =>
    rows.get(key) ?? {
      state: 'open',
      recorded: undefined,
      settled: undefined,
      snapshot: undefined,
      steps: [],
      settlement: undefined,
    };
  return {
    record: async (destination, event, step) => {
      const key = journeyKey(destination, event.data.source, event.data.orderId);
      const row = rowOf(key);
      const recorded = revisionOf(event);
      const recording = onRecord(row, recorded);
      if (!recording) return;
      rows.set(key, {
        ...row,
        recorded,
        snapshot: event,
        steps: [...row.steps, step],
        state: recording.opens ? 'open' : row.state,
        ...(recording.opens && { openSinceMs: row.openSinceMs ?? step.atMs }),
      });
    },
    settle: async (destination, source, orderId, settlement) => {
      const key = journeyKey(destination, source, orderId);
      const row = rowOf(key);
      const settling = onSettle(row, settlement.revision);
      const { precedence, settled, closes } = settling;
      const isListed = staysListed(listed(row), settlement, settling);
      if (precedence === 'older' || precedence === 'unclear') return precedence;
      rows.set(key, {
        ...row,
        settled,
        steps: [...row.steps, settlement.step],
        settlement,
        seenInShadow: seenIn(settlement) ?? row.seenInShadow,
        state: closes ? settlement.state : row.state,
        ...(closes && {
          openSinceMs: isListed ? (row.openSinceMs ?? settlement.step.atMs) : undefined,
        }),
      });
      return precedence;
    },
    close: async (destination, source, orderId, revision) => {
      const key = journeyKey(destination, source, orderId);
      const row = rowOf(key);
      if (isClosable(listed(row), revision)) rows.set(key, { ...row, openSinceMs: undefined });
    },
    settled: async (destination, source, orderId) => {
      const { settled, state, seenInShadow } = rowOf(journeyKey(destination, source, orderId));
      return settled && { revision: settled, state, seenInShadow };
    },
  };
};

const listed = (row: JournalRow) => ({ ...row, isListed: row.openSinceMs !== undefined });

/** The same rows as they are read by what looks after other people's work. */
export const memoryJournalReads = (
  rows: Map<string, JournalRow>,
): JournalReads & UnfinishedOrders & ShadowOrders & Timelines => {
  const note = async (key: string, step: JourneyStep, more: Partial<JournalRow> = {}) => {
    const row = rows.get(key);
    if (row) rows.set(key, { ...row, steps: [...row.steps, step], ...more });
  };
  return {
    row: async (destination, source, orderId) => {
      const { recorded, settled } = rows.get(journeyKey(destination, source, orderId)) ?? {};
      return { recorded, settled };
    },
    snapshot: async (destination, source, orderId) =>
      rows.get(journeyKey(destination, source, orderId))?.snapshot,
    async *unfinished(destination, openedBeforeMs) {
      const open = [...rows].flatMap(([key, row]) => {
        const [to, source = '', orderId = ''] = partsOf(key);
        const { openSinceMs, sweptAtMs, snapshot: event } = row;
        if (to !== destination || openSinceMs === undefined || openSinceMs >= openedBeforeMs) return [];
        const state: UnfinishedOrder['state'] = row.state === 'parked' ? 'parked' : 'open';
        return [{ source, orderId, state, openSinceMs, sweptAtMs, event }];
      });
      yield* open.toSorted((a, b) => a.openSinceMs - b.openSinceMs);
    },
    async *seenInShadow(destination, source) {
      for (const [key, { seenInShadow: seen, snapshot, settlement, steps }] of rows) {
        const [to, from, orderId = ''] = partsOf(key);
        if (to !== destination || from !== source || !seen) continue;
        // As a table keeps it.
        const kept = JSON.stringify({ wire: settlement?.wire });
        const { wire } = JSON.parse(kept) as Pick<ShadowOrder, 'wire'>;
        yield { orderId, seen, order: snapshot?.data, wire, steps };
      }
    },
    note: (destination, source, orderId, step) => note(journeyKey(destination, source, orderId), step),
    reopen: (destination, source, orderId, step) =>
      note(journeyKey(destination, source, orderId), step, {
        state: 'open',
        openSinceMs: step.atMs,
        sweptAtMs: undefined,
      }),
    permit: (destination, source, orderId, step) =>
      note(journeyKey(destination, source, orderId), step, { seenInShadow: undefined }),
    swept: (destination, source, orderId, step) =>
      note(journeyKey(destination, source, orderId), step, { sweptAtMs: step.atMs }),
  };
};
