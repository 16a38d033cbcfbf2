import { journeyKey } from '../../shared/core/intent-key.ts';
import type { Journal, JourneyState, JourneyStep, Settlement } from '../../shared/core/journal.ts';

export interface JournalRow {
  readonly state: JourneyState | 'open';
  readonly version: number | undefined;
  readonly settledVersion: number | undefined;
  readonly steps: readonly JourneyStep[];
  /** Of the newest settlement. */
  readonly settlement: Settlement | undefined;
}

/** The order journal in memory, by `<destination>#<source>#<order id>`. */
export const memoryJournal = (rows = new Map<string, JournalRow>()): Journal => {
  const rowOf = (key: string): JournalRow =>
    rows.get(key) ?? {
      state: 'open',
      version: undefined,
      settledVersion: undefined,
      steps: [],
      settlement: undefined,
    };
  return {
    record: async (destination, { data }, step) => {
      const key = journeyKey(destination, data.source, data.orderId);
      const row = rowOf(key);
      if (data.sourceVersion <= (row.version ?? -Infinity)) return;
      rows.set(key, {
        ...row,
        version: data.sourceVersion,
        steps: [...row.steps, step],
        state: data.sourceVersion > (row.settledVersion ?? -Infinity) ? 'open' : row.state,
      });
    },
    settle: async (destination, source, orderId, settlement) => {
      const key = journeyKey(destination, source, orderId);
      const row = rowOf(key);
      if (settlement.sourceVersion < (row.settledVersion ?? -Infinity)) return;
      rows.set(key, {
        ...row,
        settledVersion: settlement.sourceVersion,
        steps: [...row.steps, settlement.step],
        settlement,
        state: settlement.sourceVersion >= (row.version ?? -Infinity) ? settlement.state : 'open',
      });
    },
    settled: async (destination, source, orderId) => {
      const { settledVersion, state } = rowOf(journeyKey(destination, source, orderId));
      return settledVersion === undefined ? undefined : { sourceVersion: settledVersion, state };
    },
  };
};
