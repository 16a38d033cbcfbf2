import type { Money } from '../../shared/core/money.ts';
import type { Journey } from './journeys.ts';

/** What `npm start -- --once --json` prints. */
export interface Report {
  /** From the start of the process until everything was up. */
  readonly ready_ms: number;
  readonly orders: readonly ReportedOrder[];
  /** Orders in the ERP beyond one per shop order and ERP. */
  readonly duplicates: number;
  /** Orders that are not in the ERP, or not with the shop's total. */
  readonly failed: number;
}

export interface ReportedOrder {
  readonly storefront: string;
  readonly orderId: string;
  readonly erp: string;
  readonly erpOrderId: string | null;
  /** Read back from the shop. */
  readonly total: Money;
  /** Read back from the ERP. */
  readonly erpTotal: Money | null;
  readonly webhookToErpMs: number | null;
  readonly events: readonly { readonly ms: number; readonly what: string; readonly text: string }[];
}

/** What the peers' own HTTP interfaces say about one order; nothing here comes from Waybill's tables. */
export interface ReadBack {
  readonly storefront: string;
  readonly orderId: string;
  readonly erp: string;
  readonly shopTotal: Money;
  /** Every document in the ERP that carries the order's reference. */
  readonly documents: readonly { readonly id: string; readonly total: Money }[];
}

/** Pure: holds what the peers say beside what the functions logged. */
export const reportOf = (
  readyMs: number,
  readBack: readonly ReadBack[],
  journeys: readonly Journey[],
): Report => {
  const orders = readBack.map(({ storefront, orderId, erp, shopTotal, documents }): ReportedOrder => {
    const journey = journeys.find(
      (j) => j.storefront === storefront && j.orderId === orderId && j.erp === erp,
    );
    const startMs = journey?.events[0]?.atMs ?? 0;
    return {
      storefront,
      orderId,
      erp,
      erpOrderId: documents[0]?.id ?? null,
      total: shopTotal,
      erpTotal: documents[0]?.total ?? null,
      webhookToErpMs: journey?.webhookToErpMs ?? null,
      events: (journey?.events ?? []).map(({ atMs, what, text }) => ({ ms: atMs - startMs, what, text })),
    };
  });
  const isRight = ({ total, erpTotal }: ReportedOrder): boolean =>
    erpTotal !== null && erpTotal.minor === total.minor && erpTotal.currency === total.currency;
  return {
    ready_ms: readyMs,
    orders,
    duplicates: readBack.reduce((sum, { documents }) => sum + Math.max(0, documents.length - 1), 0),
    failed: orders.filter((order) => !isRight(order)).length,
  };
};
