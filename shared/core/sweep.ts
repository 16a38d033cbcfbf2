import type { Publish } from '../events/catalogue.ts';
import { orderReference } from './intent-key.ts';
import type { Timelines, UnfinishedOrders } from './journal-reads.ts';
import type { WaitingOrders } from './parked.ts';
import type { Clock } from './ports.ts';

export interface SweepPorts {
  /** Connection ids of the ERPs whose routes are on. */
  readonly destinations: readonly string[];
  readonly unfinished: UnfinishedOrders;
  readonly parked: WaitingOrders;
  readonly timeline: Pick<Timelines, 'swept'>;
  readonly publish: Publish;
  readonly nowMs: Clock;
  readonly newId: () => string;
  /** From this age on no queue may hold a message until the next run: how long they keep it, less the time between runs. */
  readonly keptMs: number;
  /** It was published again. */
  readonly onSwept?: (destination: string, source: string, orderId: string) => void;
}

export interface Swept {
  /** Unfinished for that long. */
  readonly looked: number;
  /** Published again. */
  readonly published: number;
  /** These wait for a person, in the index of parked messages, however long. What a person has sent again does not. */
  readonly parked: number;
  /** continues: time ran out; what is left is swept by the next run. */
  readonly kind: 'done' | 'continues';
}

/**
 * Queues forget, silently; the journal does not. Publishes again what is unfinished for so long that the queues forget it
 * before the next run: of a consumer that is paused for weeks, nothing is lost. Every message that comes of it is one that
 * consumers may know already.
 *
 * Published first, noted after: a run that dies in between publishes twice, and never not at all.
 */
export const sweepOrders = async (ports: SweepPorts, call: { readonly endMs: number }): Promise<Swept> => {
  const swept = { looked: 0, published: 0, parked: 0 };
  const oldestMs = ports.nowMs() - ports.keptMs;
  /** Of an order that two ERPs have not finished, one event tells both. */
  const published = new Set<string>();
  for (const destination of ports.destinations) {
    let waiting: ReadonlySet<string> | undefined;
    for await (const order of ports.unfinished.unfinished(destination, oldestMs)) {
      if (ports.nowMs() >= call.endMs) return { ...swept, kind: 'continues' };
      const { source, orderId, state, event, sweptAtMs } = order;
      swept.looked += 1;
      if (state === 'parked') {
        waiting ??= await ports.parked.references(destination);
        if (waiting.has(orderReference(source, orderId))) {
          swept.parked += 1;
          continue;
        }
        // Sent again by a person, or its worker died before it could ask one: a queue may be all that holds it.
      }
      // What was published by an earlier sweep is still in a queue. Without a snapshot it was never recorded: its event
      // is in the recorder's own queue.
      if (!event || (sweptAtMs !== undefined && sweptAtMs >= oldestMs)) continue;
      if (!published.has(event.meta.id)) {
        await ports.publish('order.changed.v1', {
          // As it was when it came, so that it is recognised as the copy that it is.
          meta: { ...event.meta, id: ports.newId(), via: 'replay' },
          data: event.data,
        });
        published.add(event.meta.id);
      }
      const step = {
        atMs: ports.nowMs(),
        code: 'SWEPT',
        text: 'published again: no queue holds it any more',
      };
      await ports.timeline.swept(destination, source, orderId, step);
      swept.published += 1;
      ports.onSwept?.(destination, source, orderId);
    }
  }
  return { ...swept, kind: 'done' };
};
