import type { Envelope } from './envelope.ts';
import { OrderChangedV1 } from './order-changed.ts';
import { OrderNotifiedV1 } from './order-notified.ts';

/** Every event there is. Publishers, rules, documents and tests all read this. */
export const CATALOGUE = {
  'order.changed.v1': {
    /** EventBridge `source`. */
    source: 'waybill.storefront',
    schema: OrderChangedV1,
    summary: 'An order changed at a storefront: a full snapshot as it is now.',
    producers: ['ingest-webhook', 'fetch-orders', 'reconcile-orders', 'sweep-orders', 'check-orders'],
    consumers: ['consume-orders', 'record-orders'],
  },
  'order.notified.v1': {
    source: 'waybill.storefront',
    schema: OrderNotifiedV1,
    summary:
      'An order has to be read at its storefront: what was pushed says too little, or contradicts itself.',
    producers: ['ingest-webhook', 'consume-orders', 'reconcile-orders', 'check-orders'],
    consumers: ['fetch-orders'],
  },
} as const;

export type EventName = keyof typeof CATALOGUE;
export type EventData<N extends EventName> = (typeof CATALOGUE)[N]['schema']['_output'];

/** @throws when the bus did not take it, also when it answered 200 with a failed entry inside */
export type Publish = <N extends EventName>(name: N, event: Envelope<EventData<N>>) => Promise<void>;
