import type { Money } from '../../shared/core/money.ts';
import type { Journey } from './journeys.ts';
import type { ShownStock } from './sandbox/index.ts';
import type { BookedPayment } from './sandbox/peer.ts';

type Payments = Readonly<Record<string, readonly BookedPayment[]>>;

/** What `npm start -- --once --json` prints. Fields are added, never changed. */
export interface Report {
  /** From the start of the process until everything was up. */
  readonly ready_ms: number;
  /** One for each order and each ERP that its storefront is routed to. */
  readonly orders: readonly ReportedOrder[];
  /** Orders that the route's policy keeps out of the ERP. */
  readonly ignored: readonly IgnoredOrder[];
  /** Orders in the ERP beyond one per shop order and ERP. */
  readonly duplicates: number;
  /** Orders that are not in the ERP, or not with the shop's total; and ignored ones that are in the ERP. */
  readonly failed: number;
  /** Who took part. */
  readonly connections: readonly ReportedConnection[];
  /** Deliveries that were sent once more after everything was written. */
  readonly repeated: number;
  /** In the books of the sandbox's ERPs, by connection; null: they are not ours to read. */
  readonly payments: Payments | null;
  /** Every SKU in every shop that stock flows to, read at the sandbox's peers; null: at peers of one's own. */
  readonly stock: readonly ShownStock[] | null;
}

export interface ReportedOrder {
  readonly storefront: string;
  readonly orderId: string;
  readonly orderNumber: string | null;
  readonly erp: string;
  readonly erpOrderId: string | null;
  readonly erpOrderName: string | null;
  /** Read back from the shop, in the route's currency. */
  readonly total: Money;
  /** Read back from the ERP. */
  readonly erpTotal: Money | null;
  readonly webhookToErpMs: number | null;
  readonly events: readonly { readonly ms: number; readonly what: string; readonly text: string }[];
}

export interface IgnoredOrder {
  readonly storefront: string;
  readonly orderId: string;
  readonly orderNumber: string | null;
  readonly erp: string;
  /** Must be null. */
  readonly erpOrderId: string | null;
  readonly code: string | null;
}

export interface ReportedConnection {
  readonly id: string;
  readonly kind: 'storefront' | 'erp' | 'payments';
  readonly connector: string;
  /** The wires that a sandbox ERP was spoken to over, as it saw them; null: it is not ours to say. */
  readonly dialects: readonly string[] | null;
}

/** What the peers' own HTTP interfaces say about one order; nothing here comes from Waybill's tables. */
export interface ReadBack {
  readonly storefront: string;
  readonly orderId: string;
  readonly erp: string;
  /** ignored: the ERP must not have it. */
  readonly expect: 'written' | 'ignored';
  readonly shopTotal: Money;
  /** Every document in the ERP that carries the order's reference. */
  readonly documents: readonly { readonly id: string; readonly name: string; readonly total: Money }[];
}

export interface ReportInput {
  readonly readyMs: number;
  readonly readBack: readonly ReadBack[];
  readonly journeys: readonly Journey[];
  readonly connections: readonly ReportedConnection[];
  readonly repeated: number;
  readonly payments: Payments | null;
  /** Every SKU in every shop that stock flows to, read at the sandbox's peers; null: at peers of one's own. */
  readonly stock: readonly ShownStock[] | null;
}

/** Pure: holds what the peers say beside what the functions logged. */
export const reportOf = (input: ReportInput): Report => {
  const { readyMs, readBack, journeys, connections, repeated, payments, stock } = input;
  const journeyOf = ({ storefront, orderId, erp }: ReadBack): Journey | undefined =>
    journeys.find((j) => j.storefront === storefront && j.orderId === orderId && j.erp === erp);
  const orders = readBack
    .filter(({ expect }) => expect === 'written')
    .map((held): ReportedOrder => {
      const { storefront, orderId, erp, shopTotal, documents } = held;
      const journey = journeyOf(held);
      const startMs = journey?.events[0]?.atMs ?? 0;
      return {
        storefront,
        orderId,
        orderNumber: journey?.orderNumber ?? null,
        erp,
        erpOrderId: documents[0]?.id ?? null,
        erpOrderName: documents[0]?.name ?? null,
        total: shopTotal,
        erpTotal: documents[0]?.total ?? null,
        webhookToErpMs: journey?.webhookToErpMs ?? null,
        events: (journey?.events ?? []).map(({ atMs, what, text }) => ({ ms: atMs - startMs, what, text })),
      };
    });
  const kept = readBack.filter(({ expect }) => expect === 'ignored');
  const ignored = kept.map((held): IgnoredOrder => {
    const { storefront, orderId, erp, documents } = held;
    const { orderNumber = null, ignored: code = null } = journeyOf(held) ?? {};
    return { storefront, orderId, orderNumber, erp, erpOrderId: documents[0]?.id ?? null, code };
  });
  return {
    ready_ms: readyMs,
    orders,
    ignored,
    duplicates: readBack.reduce((sum, { documents }) => sum + Math.max(0, documents.length - 1), 0),
    failed:
      orders.filter((order) => !isRight(order)).length +
      kept.filter(({ documents }) => documents.length > 0).length,
    connections,
    repeated,
    payments,
    stock,
  };
};

/** The shop shows what the ERP has that nobody has ordered: never more, and less only where something is unexplained. */
export const isShownRight = ({ shows, available, unexplained }: ShownStock): boolean =>
  shows !== null && shows <= Math.max(0, available) && shows >= Math.max(0, available - unexplained);

/** In the ERP, with the shop's total. */
export const isRight = ({ total, erpTotal }: Pick<ReportedOrder, 'total' | 'erpTotal'>): boolean =>
  erpTotal !== null && erpTotal.minor === total.minor && erpTotal.currency === total.currency;
