import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderSettledV1 } from '../events/order-settled.ts';
import type { SkipReason } from './accept.ts';
import type { Level } from './order-changes.ts';
import type { PushOutcome } from './push-order.ts';

/** What the ERP holds for an order that it has. */
export type Holds = Exclude<OrderSettledV1['state'], 'dropped'>;

export const holdsOf = (level: Level, ended: 'cancelled' | 'credited' | undefined): Holds => {
  if (ended === 'cancelled') return 'ended';
  return level === 'draft' ? 'drafted' : 'promised';
};

/** These never reach the ERP, as they are now; what is not listed says nothing about the order's stock. */
const DROPPED: ReadonlySet<SkipReason> = new Set<SkipReason>([
  'ROUTE_OFF',
  'BEFORE_START',
  'NOT_ACCEPTED_YET',
  'IGNORED_BY_POLICY',
  'CANCELLED_BEFORE_WRITTEN',
  'DISCARDED',
]);

/**
 * What the stock has to know of an outcome, to be published after it.
 * @param atMs after the ERP has answered
 * @returns undefined: nothing changed that concerns stock, or somebody else will say so
 */
export const settledOf = (
  destination: string,
  { meta, data }: Envelope<OrderChangedV1>,
  outcome: PushOutcome,
  atMs: number,
): Envelope<OrderSettledV1> | undefined => {
  const state = stateOf(outcome);
  if (state === undefined) return undefined;
  const { source, orderId, sourceVersion, lines } = data;
  return {
    // The same for every copy that a queue delivers.
    meta: { ...meta, id: `${meta.id}:${destination}:settled`, via: 'derived' },
    data: {
      source,
      orderId,
      destination,
      sourceVersion,
      state,
      skus: [...new Set(lines.flatMap(({ sku }) => (sku === undefined ? [] : [sku])))],
      atMs,
    },
  };
};

const stateOf = (outcome: PushOutcome): OrderSettledV1['state'] | undefined => {
  switch (outcome.kind) {
    case 'shadow':
      return undefined;
    case 'skipped':
      return DROPPED.has(outcome.reason) ? 'dropped' : outcome.holds;
    default:
      return holdsOf(outcome.level, outcome.done?.includes('cancelled') ? 'cancelled' : undefined);
  }
};
