import { UnreadableOrder } from '../core/read-amounts.ts';
import { OrderChangedV1 } from '../events/order-changed.ts';
import { firstProblem } from '../http/json.ts';
import type { Fetched, Mapped } from './contract.ts';

/**
 * What a storefront says of one order, by its mapper: an event of the catalogue, or why it is none. Throws nothing.
 *
 * Quarantined rather than thrown: what cannot be mapped would be the same when it is sent again, and storefronts
 * delete or disable subscriptions whose deliveries fail.
 * @param at where the order stands in what was sent, e.g. `data.`: the mapper's paths begin at the order
 */
export const normalised = (
  map: () => Mapped<OrderChangedV1>,
  at = '',
): Exclude<Fetched, { kind: 'ignored' }> => {
  try {
    const { value, warnings } = map();
    const event = OrderChangedV1.safeParse(value);
    if (!event.success) return unreadable(`as an event, ${firstProblem(event.error)}`);
    return { kind: 'order', order: event.data, warnings };
  } catch (failure) {
    if (failure instanceof UnreadableOrder) return unreadable(`${at}${failure.message}`);
    return unreadable(`not mapped (${failure instanceof Error ? failure.name : 'unknown'})`);
  }
};

const unreadable = (reason: string) => ({ kind: 'unreadable', reason }) as const;
