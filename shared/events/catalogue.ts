import { OrderChangedV1 } from './order-changed.ts';

/** Every event there is. Publishers, rules, documents and tests all read this. */
export const CATALOGUE = {
  'order.changed.v1': {
    /** EventBridge `source`. */
    source: 'waybill.storefront',
    schema: OrderChangedV1,
    summary: 'An order changed at a storefront: a full snapshot as it is now.',
    producers: ['ingest-webhook'],
    consumers: ['consume-orders', 'record-orders'],
  },
} as const;

export type EventName = keyof typeof CATALOGUE;
export type EventData<N extends EventName> = (typeof CATALOGUE)[N]['schema']['_output'];
