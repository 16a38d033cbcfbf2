import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';

/** One copy of an order, as far as two copies can be told apart. */
export interface Revision {
  /** The storefront's own version; a shop that counts in seconds gives one to several states of the order. */
  readonly sourceVersion: number;
  /** undefined: not compared. Of one version, every copy is then as good as any other. */
  readonly contentHash: string | undefined;
  /** Pushed: when it came. Fetched: when reading began. By our own clocks, epoch milliseconds. */
  readonly seenAtMs: number;
  /** Read at the storefront by us, so it is what was true at `seenAtMs` or later. A pushed copy is as old as can be. */
  readonly fetched: boolean;
}

/** `unclear`: one version, two contents, and nothing says which was first: only the storefront knows. */
export type Precedence = 'older' | 'same' | 'newer' | 'unclear';

/**
 * Which of two copies is the later state of the order: `copy`, seen from `held`.
 *
 * Of one version, what was read at the storefront wins over all that had come before the reading began, and of two
 * readings the one that began later: the last change of an order leads to a push, and that push to a reading that
 * begins after it.
 */
export const precedence = (copy: Revision, held: Revision): Precedence => {
  if (copy.sourceVersion !== held.sourceVersion) {
    return copy.sourceVersion > held.sourceVersion ? 'newer' : 'older';
  }
  if (!copy.contentHash || !held.contentHash) return 'same';
  // Also when it says the same: what was believed is known now, and settles what comes late.
  if (copy.fetched && copy.seenAtMs > held.seenAtMs) return 'newer';
  if (copy.contentHash === held.contentHash) return 'same';
  if (copy.fetched && copy.seenAtMs === held.seenAtMs) return 'newer';
  if (held.fetched && held.seenAtMs >= copy.seenAtMs) return 'older';
  return 'unclear';
};

export const revisionOf = ({ meta, data }: Envelope<OrderChangedV1>): Revision => ({
  sourceVersion: data.sourceVersion,
  contentHash: data.contentHash,
  seenAtMs: meta.fetchedAtMs ?? meta.receivedAtMs,
  fetched: meta.fetchedAtMs !== undefined,
});
