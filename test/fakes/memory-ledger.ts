import { RetryableError } from '../../shared/core/errors.ts';
import type { Ledger, LedgerEntry } from '../../shared/core/ledger.ts';
import type { Clock } from '../../shared/core/ports.ts';

/** The ledger in memory: same port, same rules, proven by the same suite as the one on DynamoDB. */
export const memoryLedger = (nowMs: Clock, entries = new Map<string, LedgerEntry>()): Ledger => {
  const fenced = (intent: string, attempt: number): LedgerEntry => {
    const entry = entries.get(intent);
    if (entry?.attempt !== attempt) throw fencedError(intent);
    return entry;
  };
  const fencedError = (intent: string) =>
    new RetryableError('FENCED', 'another worker has taken over', { intent });
  return {
    peek: async (intent) => entries.get(intent),
    claim: async (intent, leaseMs, { reopen = false, isUrgent = false } = {}) => {
      const old = entries.get(intent);
      if (old?.state === 'finished' && !reopen) return { kind: 'finished', entry: old };
      const restUntilMs = old?.notBeforeMs ?? 0;
      if (old && (old.leaseUntilMs > nowMs() || (!isUrgent && restUntilMs > nowMs())))
        return { kind: 'busy', leaseUntilMs: Math.max(old.leaseUntilMs, restUntilMs) };
      const entry: LedgerEntry = {
        intent,
        state: old?.state ?? 'open',
        attempt: (old?.attempt ?? 0) + 1,
        failures: (old?.failures ?? 0) + 1,
        leaseUntilMs: nowMs() + leaseMs,
        document: old?.document,
        facts: old?.facts ?? {},
      };
      entries.set(intent, entry);
      return { kind: 'claimed', entry };
    },
    written: async (intent, attempt, document, facts) => {
      const entry = fenced(intent, attempt);
      if (entry.state === 'finished') throw fencedError(intent);
      entries.set(intent, { ...entry, state: 'written', document, facts: facts ?? entry.facts });
    },
    note: async (intent, attempt, facts) => {
      const entry = fenced(intent, attempt);
      if (entry.leaseUntilMs === 0) throw fencedError(intent);
      entries.set(intent, { ...entry, facts });
    },
    finish: async (intent, attempt, document, facts) => {
      entries.set(intent, {
        ...fenced(intent, attempt),
        state: 'finished',
        document,
        facts,
        leaseUntilMs: 0,
        failures: 0,
      });
    },
    release: async (intent, attempt, { keepLease, budget, restMs = 0 }) => {
      const entry = entries.get(intent);
      if (entry?.attempt !== attempt) return;
      entries.set(intent, {
        ...entry,
        ...(keepLease ? {} : { leaseUntilMs: 0 }),
        failures: { spent: entry.failures, unspent: entry.failures - 1, renewed: 0 }[budget],
        ...(restMs > 0 && { notBeforeMs: nowMs() + restMs }),
      });
    },
  };
};
