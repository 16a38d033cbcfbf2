import { journeyKey } from '../../shared/core/intent-key.ts';
import {
  type Journal,
  type JourneyState,
  type JourneyStep,
  onRecord,
  onSettle,
  type Settlement,
} from '../../shared/core/journal.ts';
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
      });
    },
    settle: async (destination, source, orderId, settlement) => {
      const key = journeyKey(destination, source, orderId);
      const row = rowOf(key);
      const { precedence, settled, closes } = onSettle(row, settlement.revision);
      if (precedence === 'older' || precedence === 'unclear') return precedence;
      rows.set(key, {
        ...row,
        settled,
        steps: [...row.steps, settlement.step],
        settlement,
        state: closes ? settlement.state : row.state,
      });
      return precedence;
    },
    settled: async (destination, source, orderId) => {
      const { settled, state } = rowOf(journeyKey(destination, source, orderId));
      return settled && { revision: settled, state };
    },
  };
};
