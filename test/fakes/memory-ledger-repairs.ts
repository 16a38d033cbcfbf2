import { RetryableError } from '../../shared/core/errors.ts';
import { partsOf } from '../../shared/core/intent-key.ts';
import type { LedgerEntry } from '../../shared/core/ledger.ts';
import type { LedgerRepairs, Repair } from '../../shared/core/ledger-repairs.ts';
import { twinOf } from '../../shared/core/order-changes.ts';

export interface Repaired {
  readonly intent: string;
  readonly repair: Repair;
}

/**
 * The repairs of a ledger in memory. It keeps no moment at which an entry was finished: `finishedAtMs` says.
 * @param repaired what was forgotten, by whom and why
 */
export const memoryLedgerRepairs = (
  entries: Map<string, LedgerEntry>,
  repaired: Repaired[] = [],
  finishedAtMs: (intent: string) => number = () => 0,
): LedgerRepairs => ({
  async *orders(destination, sinceMs) {
    for (const [intent, entry] of entries) {
      const [to, source = '', orderId = '', kind] = partsOf(intent);
      const forgotten = repaired.findLast((one) => one.intent === intent);
      const state = entry.state === 'finished' ? 'finished' : 'forgotten';
      const atMs = state === 'finished' ? finishedAtMs(intent) : (forgotten?.repair.atMs ?? -1);
      const isOrder = to === destination && kind === 'create' && source !== '*';
      if (!isOrder || atMs < sinceMs || (state === 'forgotten' && (!forgotten || entry.state !== 'open')))
        continue;
      const twin = twinOf(entry.facts);
      const { attempt, document } = entry;
      const isCancelled = twin?.ended === 'cancelled';
      const refunds = twin?.refunds ?? [];
      const payments = twin?.payments?.map(({ id }) => id) ?? [];
      yield { source, orderId, state, atMs, attempt, document, isCancelled, refunds, payments };
    }
  },
  forget: async (intent, attempt, repair) => {
    const entry = entries.get(intent);
    if (entry?.attempt !== attempt || entry.leaseUntilMs === 0) {
      throw new RetryableError('FENCED', 'another worker has taken over', { intent });
    }
    entries.set(intent, { intent, state: 'open', attempt, failures: 0, leaseUntilMs: 0, facts: {} });
    repaired.push({ intent, repair });
  },
});
