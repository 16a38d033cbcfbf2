import type { ErpOrders, OrderContext, PeerDocument } from '../../shared/connectors/contract.ts';
import type { LedgerEntry } from '../../shared/core/ledger.ts';
import {
  type Level,
  type PushOrderPorts,
  type PushOutcome,
  pushOrder,
} from '../../shared/core/push-order.ts';
import type { Envelope, Meta } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import type { OrderNotifiedV1 } from '../../shared/events/order-notified.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { type JournalRow, memoryJournal } from './memory-journal.ts';
import { memoryLedger } from './memory-ledger.ts';

export const LEASE_MS = 105_000;
export const SETTLE_MS = 35_000;

interface ErpOrder extends PeerDocument {
  readonly reference: string;
  level?: Level;
}

export interface OrderDeskOptions {
  readonly destination?: string;
  readonly route?: Record<string, unknown>;
  readonly sources?: readonly string[];
  /** Storefronts that can be asked for an order. Default: none. */
  readonly fetchable?: readonly string[];
}

/**
 * One ERP with its ledger, journal and bindings, all in memory, and a clock that stands still until it is moved.
 * `calls` names every call of the ERP; put a function into `fails` to let the next calls of that name fail.
 */
export const orderDesk = (options: OrderDeskOptions = {}) => {
  const { destination = 'acme-odoo', route = {}, sources = ['acme-woo'], fetchable = [] } = options;
  let now = Date.parse('2026-11-21T23:00:00Z');
  const nowMs = () => now;
  const entries = new Map<string, LedgerEntry>();
  const rows = new Map<string, JournalRow>();
  const orders: ErpOrder[] = [];
  const calls: string[] = [];
  const bound: string[] = [];
  const resolved: OrderContext[] = [];
  const notified: Envelope<OrderNotifiedV1>[] = [];
  const fails: Partial<Record<keyof ErpOrders, () => void>> = {};
  const call = (name: keyof ErpOrders): void => {
    calls.push(name);
    fails[name]?.();
  };

  const erp: ErpOrders = {
    resolve: async (_order, context) => {
      call('resolve');
      resolved.push(context);
      return { partner: 7 };
    },
    toWire: (order, refs, reference) => {
      call('toWire');
      return { value: { reference, total: order.total.minor, refs }, warnings: ['mapped'] };
    },
    find: async (reference) => {
      call('find');
      const found = orders.find((order) => order.reference === reference);
      return found && { id: found.id, name: found.name };
    },
    create: async (wire) => {
      const { reference } = wire as { reference: string };
      const id = String(orders.length + 1);
      const order = { id, name: `S0000${id}`, reference };
      call('create');
      orders.push(order);
      return { id, name: order.name };
    },
    complete: async (document, wire, level) => {
      call('complete');
      const order = orders.find(({ id }) => id === document.id);
      if (order) order.level = level;
      const money = (minor: number) => ({ minor, currency: 'TWD' });
      return {
        id: document.id,
        name: `S0000${document.id}`,
        url: `https://erp.test/${document.id}`,
        total: money((wire as { total: number }).total),
        rounding: money(2),
        warnings: ['rounded'],
      };
    },
  };
  const ports: PushOrderPorts = {
    destination,
    routes: sources.map((from) =>
      OrderRoute.parse({ from, to: destination, startAt: '2026-01-01T00:00:00Z', ...route }),
    ),
    erp,
    nowMs,
    leaseMs: LEASE_MS,
    settleMs: SETTLE_MS,
    ledger: memoryLedger(nowMs, entries),
    journal: memoryJournal(rows),
    mappings: { lookup: async () => new Map() },
    bindings: {
      put: async (to, source, entity, externalId, { id }) => {
        bound.push([to, source, entity, externalId, id].join(' '));
      },
    },
    refetch: {
      sources: new Set(fetchable),
      notify: async (event) => {
        notified.push(event);
      },
    },
  };
  return {
    ports,
    orders,
    calls,
    fails,
    bound,
    notified,
    resolved,
    entries,
    rows,
    wait: (ms: number) => {
      now += ms;
    },
    push: (
      data: OrderChangedV1,
      over: Partial<PushOrderPorts> = {},
      meta: Partial<Meta> = {},
    ): Promise<PushOutcome> =>
      pushOrder(
        { ...ports, ...over },
        {
          meta: {
            id: 'e',
            connection: data.source,
            correlationId: data.orderId,
            receivedAtMs: 0,
            via: 'webhook',
            ...meta,
          },
          data,
        },
        { signal: new AbortController().signal },
      ),
    /** The journal's row of that order: state, and the last step. */
    journal: (source = 'acme-woo', orderId = '1001') => {
      const row = rows.get(`${destination}#${source}#${orderId}`);
      const { code, text } = row?.steps.at(-1) ?? {};
      const { document, detail, wire } = row?.settlement ?? {};
      return { state: row?.state, code, text, document, detail, wire };
    },
  };
};
