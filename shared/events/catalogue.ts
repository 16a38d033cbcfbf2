import type { Envelope } from './envelope.ts';
import { OrderChangedV1 } from './order-changed.ts';
import { OrderNotifiedV1 } from './order-notified.ts';
import { OrderSettledV1 } from './order-settled.ts';
import { PaymentNotifiedV1 } from './payment-notified.ts';
import { ProductChangedV1 } from './product-changed.ts';
import { StockChangedV1 } from './stock-changed.ts';
import { StockDueV1 } from './stock-due.ts';

/** Every event there is. Publishers, rules, documents and tests all read this. */
export const CATALOGUE = {
  'order.changed.v1': {
    /** EventBridge `source`. */
    source: 'waybill.storefront',
    schema: OrderChangedV1,
    summary: 'An order changed at a storefront: a full snapshot as it is now.',
    producers: [
      'ingest-webhook',
      'fetch-orders',
      'reconcile-orders',
      'sweep-orders',
      'check-orders',
      'fetch-payments',
    ],
    consumers: ['consume-orders', 'record-orders', 'project-stock'],
  },
  'order.notified.v1': {
    source: 'waybill.storefront',
    schema: OrderNotifiedV1,
    summary:
      'An order has to be read at its storefront: what was pushed says too little, or contradicts itself.',
    producers: ['ingest-webhook', 'consume-orders', 'reconcile-orders', 'check-orders'],
    consumers: ['fetch-orders'],
  },
  'payment.notified.v1': {
    source: 'waybill.payments',
    schema: PaymentNotifiedV1,
    summary: 'A payment has to be read at its provider: money moved there, or may have.',
    producers: ['ingest-webhook'],
    consumers: ['fetch-payments'],
  },
  'order.settled.v1': {
    source: 'waybill.erp',
    schema: OrderSettledV1,
    summary: 'What became of one version of an order at one ERP, where stock flows back from it.',
    producers: ['consume-orders'],
    consumers: ['read-stock', 'project-stock'],
  },
  'stock.changed.v1': {
    source: 'waybill.erp',
    schema: StockChangedV1,
    summary: 'What an ERP has of some SKUs, as it was read.',
    producers: ['poll-stock', 'read-stock'],
    consumers: ['project-stock'],
  },
  'product.changed.v1': {
    source: 'waybill.erp',
    schema: ProductChangedV1,
    summary: 'Products as an ERP sells them, as they are now: price and status.',
    producers: ['poll-stock'],
    consumers: ['write-stock'],
  },
  'stock.due.v1': {
    source: 'waybill.stock',
    schema: StockDueV1,
    summary: 'Shops show something else than there is.',
    producers: ['project-stock', 'write-stock', 'list-stock'],
    consumers: ['write-stock'],
  },
} as const;

export type EventName = keyof typeof CATALOGUE;
export type EventData<N extends EventName> = (typeof CATALOGUE)[N]['schema']['_output'];

/** @throws when the bus did not take it, also when it answered 200 with a failed entry inside */
export type Publish = <N extends EventName>(name: N, event: Envelope<EventData<N>>) => Promise<void>;
