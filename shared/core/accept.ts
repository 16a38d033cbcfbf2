import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { AcceptLevel, AcceptPolicy, OrderRoute } from '../settings/order-route.ts';

/** Why an order is not written now. Stable codes: the journal, metrics and the runbook use them. */
export type SkipReason =
  | 'ROUTE_OFF'
  | 'BEFORE_START'
  | 'NOT_ACCEPTED_YET'
  | 'IGNORED_BY_POLICY'
  | 'CANCELLED_BEFORE_WRITTEN'
  | 'ALREADY_DONE'
  | 'OLDER_THAN_WRITTEN'
  | 'OLDER_THAN_SETTLED'
  | 'FETCHING_AGAIN'
  | 'DISCARDED';

export type Acceptance =
  | { readonly kind: 'take'; readonly level: Exclude<AcceptLevel, 'ignore'> }
  | { readonly kind: 'skip'; readonly reason: SkipReason; readonly why: string };

/** Which line of the accept policy speaks about this order; undefined: none, it does not count yet. */
export const policyKey = (order: OrderChangedV1): keyof AcceptPolicy | undefined => {
  if (order.test) return 'test';
  const { state, kind } = order.payment;
  if (order.status === 'pending' || state === 'failed' || state === 'refunded') return undefined;
  if (order.status === 'on-hold') {
    return kind === 'bank-transfer' && state === 'pending' ? 'bankTransferPending' : 'onHold';
  }
  if (state === 'paid' || state === 'partially-refunded' || kind === 'free') return 'paid';
  if (kind === 'cash-on-delivery') return 'cashOnDelivery';
  if (kind === 'bank-transfer') return 'bankTransferPending';
  return undefined;
};

/** Does the route take this order, and how far? Pure. */
export const acceptanceOf = (order: OrderChangedV1, route: OrderRoute): Acceptance => {
  const skip = (reason: SkipReason, why: string): Acceptance => ({ kind: 'skip', reason, why });
  if (route.mode === 'off') return skip('ROUTE_OFF', 'the route is switched off');
  if (Date.parse(order.placedAt) < Date.parse(route.startAt)) {
    return skip('BEFORE_START', `placed at ${order.placedAt}, before the route's startAt ${route.startAt}`);
  }
  if (order.status === 'cancelled' || order.status === 'failed' || order.status === 'refunded') {
    return skip('CANCELLED_BEFORE_WRITTEN', `already ${order.status} when it came`);
  }
  const key = policyKey(order);
  if (!key)
    return skip('NOT_ACCEPTED_YET', `not paid: status ${order.sourceStatus}, payment ${order.payment.state}`);
  const level = route.accept[key];
  if (level === 'ignore') return skip('IGNORED_BY_POLICY', `the route's policy for ${key} is ignore`);
  return { kind: 'take', level };
};
