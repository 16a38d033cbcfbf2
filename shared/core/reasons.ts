import { english } from './reasons-en.ts';

/**
 * Every reason why work is parked, with the sentence that an operator or a merchant reads: what happened,
 * and what to do about it. `code` is stable (alarms, runbook and metrics use it); the words may improve.
 */
export interface ReasonText {
  readonly reason: string;
  readonly remedy: string;
}

/** Languages that people read. Log lines are always English. */
export const LANGUAGES = ['en', 'zh-Hant'] as const;
export type Language = (typeof LANGUAGES)[number];

export type ChargeKind = 'shipping' | 'fee' | 'duty' | 'tip';

/** A line of an order. Lines are counted as a person counts them: from 1. */
export type LineLabel =
  | { readonly kind: 'line'; readonly number: number; readonly title: string }
  | { readonly kind: ChargeKind; readonly title: string }
  | { readonly kind: 'discount' };

/** What an ERP was asked to do; completes "refused to ...". */
export type ErpOperation =
  | {
      readonly what:
        | 'log-in'
        | 'create-order'
        | 'rewrite-draft'
        | 'book-rounding'
        | 'note-payment-pending'
        | 'create-customer'
        | 'create-delivery-address'
        | 'create-invoice-address'
        | 'create-credit-note'
        | 'create-payment'
        | 'adjust-stock';
    }
  | {
      readonly what:
        | 'confirm-order'
        | 'restore-order-date'
        | 'change-order'
        | 'cancel-order'
        | 'post-credit-note'
        | 'post-payment';
      readonly document: string;
    }
  | { readonly what: 'use-collective-customer'; readonly reference: string }
  | { readonly what: 'read'; readonly model: string };

/** Why it refused. `words`: the ERP's own, never translated and never with a person in them. */
export type ErpRefusal =
  | { readonly why: 'words'; readonly words: string }
  | { readonly why: 'record-missing'; readonly exception: string; readonly model: string }
  | {
      readonly why: 'constraint';
      readonly exception: string;
      readonly model: string;
      readonly field: string;
    }
  | { readonly why: 'reference-shared'; readonly count: number }
  | { readonly why: 'reference-unknown' | 'asked-a-question' | 'tax-number-invalid' };

export type AmountProblem =
  | { readonly kind: 'two-currencies'; readonly one: string; readonly other: string }
  | { readonly kind: 'unknown-currency'; readonly currency: string }
  | { readonly kind: 'too-large' };

/** How a storefront changed an order that the ERP holds already. */
export type OrderChange = 'edited' | 'cancelled' | 'failed' | 'refunded' | 'refunded-in-part' | 'reopened';

/** Why an ERP does not let a document be changed any more. */
export type TooLate = 'delivered' | 'invoiced' | 'locked' | 'cancelled';

/** What is entered into an ERP's books, on a day. */
export type Booking = 'credit-note' | 'payment';

export type EventProblem =
  | { readonly kind: 'not-json' }
  | { readonly kind: 'other-event'; readonly got: string; readonly wanted: string }
  /** Paths and codes of the schema, never values. */
  | { readonly kind: 'fields'; readonly fields: string };

/** What each code needs to know to say something useful. Plain data: it is kept as JSON and rendered later. */
export interface ReasonParams {
  UNKNOWN_SKU: { line: LineLabel; sku: string; destination: string };
  MISSING_SKU: { line: LineLabel };
  AMBIGUOUS_SKU: { line: LineLabel; sku: string; destination: string; count: number };
  ARCHIVED_SKU: { line: LineLabel; sku: string; destination: string };
  UNMAPPED_TAX: { line: LineLabel; tax: string; source: string; destination: string };
  UNKNOWN_TAX: { tax: string; to: string; destination: string };
  UNMAPPED_CURRENCY: { currency: string; destination: string };
  /** No company: the API user's own. */
  UNKNOWN_COMPANY: { company?: string | undefined; destination: string };
  UNKNOWN_WAREHOUSE: { warehouse: string; destination: string };
  UNKNOWN_PRICELIST: { pricelist: string; destination: string };
  UNKNOWN_COUNTRY: { country: string; destination: string };
  UNKNOWN_PAYMENT_TERM: { method: string; to: string; destination: string };
  /** No `to`: the mapping table has no row for the method. */
  UNKNOWN_PAYMENT_JOURNAL: { method: string; to?: string | undefined; source: string; destination: string };
  MISSING_SERVICE_PRODUCT: {
    purpose: ChargeKind | 'discount' | 'rounding';
    sku: string;
    destination: string;
  };
  TOTALS_DO_NOT_ADD_UP: { stated: string; computed: string; difference: string };
  AMOUNTS_UNUSABLE: { problem: AmountProblem };
  /** No line: none of them explains the gap alone. */
  TOTAL_MISMATCH: {
    line?: LineLabel | undefined;
    shop: string;
    erp: string;
    difference: string;
    tolerance: string;
  };
  AMBIGUOUS_REFERENCE: { reference: string; count: number; destination: string };
  ERP_REFUSED: { destination: string; operation: ErpOperation; error: ErpRefusal };
  ERP_DOCUMENT_GONE: { destination: string; document: string };
  /** `lastReason` is the log line's text, English; `lastStatus` the HTTP status, if there was one. */
  RETRIES_EXHAUSTED: {
    attempts: number;
    lastCode: string;
    lastReason: string;
    lastStatus?: number | undefined;
  };
  ORDER_CHANGED_AFTER_WRITE: { change: OrderChange; document: string; destination: string };
  /** `erp`, `shop`: what each says the order costs. */
  EDITED_IN_ERP: { document: string; destination: string; erp: string; shop?: string | undefined };
  TOO_LATE_IN_ERP: { change: OrderChange; document: string; destination: string; because: TooLate };
  /** `day`, `openFrom`: ISO dates; no `openFrom`: no later day is open either. */
  PERIOD_LOCKED: {
    what: Booking;
    day: string;
    openFrom?: string | undefined;
    destination: string;
  };
  EVENT_NOT_UNDERSTOOD: { problem: EventProblem };
  ROUTE_MISSING: { source: string; destination: string };
  /** `day`: ISO date on which the order was placed. */
  SEEN_IN_SHADOW: { source: string; destination: string; day: string };
  STOREFRONT_CREDENTIALS_MISSING: { source: string; orderId: string };
  /** `problem`: a field of the storefront's answer and what is wrong with it, never a value. */
  ORDER_UNREADABLE: { source: string; orderId: string; problem: string };
  /** `problem`: as of orders. */
  PAYMENT_UNREADABLE: { source: string; paymentId: string; problem: string };
  /** Parked by AWS itself: the function never said why. `error`: EventBridge's own code. */
  PARKED_BY_AWS: { by: 'sqs'; receives: number } | { by: 'eventbridge'; error: string };
}
export type ReasonCode = keyof ReasonParams;

/** One language: a sentence for every code, and the words that stand inside of sentences. */
export interface Wording {
  readonly reasons: { readonly [C in ReasonCode]: (p: ReasonParams[C]) => ReasonText };
  line(label: LineLabel): string;
  operation(operation: ErpOperation): string;
}

export const isReasonCode = (code: string): code is ReasonCode => Object.hasOwn(english.reasons, code);

/** @param wording one of `wordings.ts`; English by default */
export const reasonText = <C extends ReasonCode>(
  code: C,
  params: ReasonParams[C],
  wording: Wording = english,
): ReasonText => wording.reasons[code](params);

/** What a line is called. @example lineText({ kind: 'line', number: 2, title: 'Mug' }) // 'Line 2 ("Mug")' */
export const lineText = (label: LineLabel, wording: Wording = english): string => wording.line(label);

/** @example operationText({ what: 'create-order' }) // 'create the order' */
export const operationText = (operation: ErpOperation, wording: Wording = english): string =>
  wording.operation(operation);
