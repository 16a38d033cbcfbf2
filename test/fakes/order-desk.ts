import type {
  ErpOrderChanges,
  ErpOrders,
  ErpPayments,
  OrderContext,
  PeerDocument,
} from '../../shared/connectors/contract.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import type { LedgerEntry } from '../../shared/core/ledger.ts';
import type { Level } from '../../shared/core/order-changes.ts';
import type { PushOrderPorts } from '../../shared/core/order-ports.ts';
import { type PushOutcome, pushOrder } from '../../shared/core/push-order.ts';
import type { TooLate } from '../../shared/core/reasons.ts';
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
  /** What it says; staff may change it. */
  content?: string;
  state?: 'cancelled';
  /** Delivered or invoiced: it cannot be changed or cancelled any more. */
  tooLate?: TooLate;
}

interface CreditNote extends PeerDocument {
  readonly reference: string;
  readonly minor: number;
  readonly parts: readonly string[];
  posted?: boolean;
}

interface Payment extends PeerDocument {
  readonly reference: string;
  readonly direction: 'in' | 'out';
  readonly minor: number;
  posted?: boolean;
}

type Step = 'find' | 'create' | 'complete';
type Call = keyof ErpOrders | 'cancel' | `refund.${Step}` | `payment.${Step | 'resolve'}`;

export interface OrderDeskOptions {
  readonly destination?: string;
  readonly route?: Record<string, unknown>;
  readonly sources?: readonly string[];
  /** Storefronts that can be asked for an order. Default: none. */
  readonly fetchable?: readonly string[];
  /** Can the connector change what it has written? Default: no. */
  readonly changes?: boolean;
}

/**
 * One ERP with its ledger, journal and bindings, all in memory, and a clock that stands still until it is moved.
 * `calls` names every call of the ERP; put a function into `fails` to let the next calls of that name fail.
 */
export const orderDesk = (options: OrderDeskOptions = {}) => {
  const { destination = 'acme-odoo', route = {}, sources = ['acme-woo'], fetchable = [] } = options;
  const isChangeable = options.changes ?? false;
  let now = Date.parse('2026-11-21T23:00:00Z');
  const nowMs = () => now;
  const entries = new Map<string, LedgerEntry>();
  const rows = new Map<string, JournalRow>();
  const orders: ErpOrder[] = [];
  const notes: CreditNote[] = [];
  const payments: Payment[] = [];
  const calls: string[] = [];
  const bound: string[] = [];
  const resolved: OrderContext[] = [];
  const notified: Envelope<OrderNotifiedV1>[] = [];
  const fails: Partial<Record<Call, () => void>> = {};
  const call = (name: Call): void => {
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
      const content = JSON.stringify([
        order.total.minor,
        order.lines.map((l) => [l.sku, l.quantity]),
        order.buyerNote,
      ]);
      return { value: { reference, total: order.total.minor, refs, content }, warnings: ['mapped'] };
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
    complete: async (document, wire, level, _call, asLeft) => {
      const { content } = wire as { content: string };
      const order = orders.find(({ id }) => id === document.id);
      call('complete');
      if (order && asLeft !== undefined && order.content !== content) {
        if (order.content !== asLeft) throw editedInErp(order);
        if (order.tooLate) throw tooLate(order, 'edited');
      }
      if (order) {
        order.level = level;
        order.content = content;
      }
      const money = (minor: number) => ({ minor, currency: 'TWD' });
      return {
        id: document.id,
        name: `S0000${document.id}`,
        url: `https://erp.test/${document.id}`,
        total: money((wire as { total: number }).total),
        rounding: money(2),
        ...(isChangeable && { fingerprint: content }),
        warnings: ['rounded'],
      };
    },
    ...(isChangeable && { changes: changesOfErp(), payments: paymentsOfErp() }),
  };
  const editedInErp = ({ id }: ErpOrder) =>
    new PermanentError('EDITED_IN_ERP', { document: `S0000${id}`, destination, erp: 'another total' });
  const tooLate = ({ id, tooLate: because = 'delivered' }: ErpOrder, change: 'edited' | 'cancelled') =>
    new PermanentError('TOO_LATE_IN_ERP', { change, document: `S0000${id}`, destination, because });
  function changesOfErp(): ErpOrderChanges {
    return {
      cancel: async (document, asLeft) => {
        const order = orders.find(({ id }) => id === document.id);
        call('cancel');
        if (!order || order.state === 'cancelled') return;
        if (order.tooLate) throw tooLate(order, 'cancelled');
        if (asLeft !== undefined && order.content !== asLeft) throw editedInErp(order);
        order.state = 'cancelled';
      },
      refunds: {
        toWire: ({ refund, parts, reference }) => ({
          value: {
            reference,
            minor: refund.total.minor,
            parts: parts.map((part) =>
              part.kind === 'line'
                ? `${part.quantity} x ${part.line.sku}`
                : `${part.kind} ${part.total.minor}`,
            ),
          },
          warnings: [],
        }),
        find: async ({ reference }) => {
          call('refund.find');
          return notes.find((note) => note.reference === reference);
        },
        create: async (wire) => {
          const note = { id: String(notes.length + 1), ...(wire as Omit<CreditNote, 'id'>) };
          call('refund.create');
          notes.push(note);
          return { id: note.id };
        },
        complete: async ({ id }) => {
          const note = notes.find((each) => each.id === id);
          if (note) note.posted = true;
          call('refund.complete');
          return {
            id,
            name: `R0000${id}`,
            total: { minor: note?.minor ?? 0, currency: 'TWD' },
            warnings: [],
          };
        },
      },
    };
  }
  function paymentsOfErp(): ErpPayments {
    return {
      resolve: async () => {
        call('payment.resolve');
        return {};
      },
      toWire: ({ payment: { direction, amount }, reference }) => ({
        value: { reference, direction, minor: amount.minor },
        warnings: [],
      }),
      find: async ({ reference }) => {
        call('payment.find');
        return payments.find((each) => each.reference === reference);
      },
      create: async (wire) => {
        const made = { id: String(payments.length + 1), ...(wire as Omit<Payment, 'id'>) };
        call('payment.create');
        payments.push(made);
        return { id: made.id };
      },
      complete: async ({ id }) => {
        const made = payments.find((each) => each.id === id);
        call('payment.complete');
        if (made) made.posted = true;
        return { id, name: `P0000${id}`, amount: { minor: made?.minor ?? 0, currency: 'TWD' }, warnings: [] };
      },
    };
  }
  const ports: PushOrderPorts = {
    destination,
    routes: sources.map((from) =>
      OrderRoute.parse({ from, to: destination, startAt: '2026-01-01T00:00:00Z', ...route }),
    ),
    erp,
    nowMs,
    leaseMs: LEASE_MS,
    settleMs: SETTLE_MS,
    // What failed is tried again at once; `push` with another scale waits.
    timeScale: 0,
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
    notes,
    payments,
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
