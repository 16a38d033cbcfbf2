import type { Money } from '../core/money.ts';
import type { PaymentFacts } from '../core/payment-facts.ts';
import type { Booking } from '../core/payments.ts';
import type { CallContext, Clock } from '../core/ports.ts';
import type { RateBudget } from '../core/rate-budget.ts';
import type { RefundPart } from '../core/refund-parts.ts';
import type { OrderChangedV1, OrderRefund } from '../events/order-changed.ts';
import type { AcceptLevel, OrderRoute } from '../settings/order-route.ts';
import type { ErpManifest, PaymentsManifest, StorefrontManifest } from './manifest.ts';
import type { ErpProducts, ErpStock, StorefrontStock } from './stock-contract.ts';

// ---------------------------------------------------------------------------------------------------------
// Storefronts
// ---------------------------------------------------------------------------------------------------------

/** A webhook as it came: the exact bytes that were signed. */
export interface Delivery {
  readonly method: string;
  /** The address that was asked, with scheme, host and query; some platforms sign it. undefined: not known. */
  readonly url?: string | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** What a delivery turned out to be. `order` and `notified` are published; everything else says why it is not. */
export type Received =
  /** Not from this shop. Answered 401; nothing is kept. */
  | { readonly kind: 'rejected'; readonly reason: SignatureProblem }
  /** The platform tests whether somebody answers. */
  | { readonly kind: 'ping' }
  /** Authentic, and nothing for us to do; `reason` is a stable code that is counted. */
  | { readonly kind: 'ignored'; readonly reason: string; readonly deliveryId?: string | undefined }
  | {
      readonly kind: 'order';
      readonly order: OrderChangedV1;
      readonly warnings: readonly string[];
      readonly deliveryId?: string | undefined;
    }
  /** Says no more than which order changed (marketplaces): it is fetched. Needs `reads` in the manifest. */
  | { readonly kind: 'notified'; readonly orderId: string; readonly deliveryId?: string | undefined }
  /** Authentic, but not something we understand: kept raw in the quarantine queue. */
  | { readonly kind: 'unreadable'; readonly reason: string; readonly deliveryId?: string | undefined };

export type SignatureProblem =
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_MALFORMED'
  | 'SIGNATURE_WRONG'
  /** The signature is right and was made too long ago, or in the future: a replay, or a clock that is wrong. */
  | 'TIMESTAMP_OUT_OF_TOLERANCE';

/** The status codes that mean the right thing to this platform. */
export interface ReplyTable {
  readonly accepted: number;
  readonly ping: number;
  readonly ignored: number;
  readonly quarantined: number;
  /** An answer of success must have no body (Shopee). Default: it says in JSON what became of the delivery. */
  readonly withoutBody?: boolean;
}

export interface ReceiveContext<S, C> {
  /** Connection id. */
  readonly connection: string;
  readonly settings: S;
  readonly credentials: C;
  /** For schemes that sign the time, too. */
  readonly nowMs: Clock;
}

/** An order as the storefront tells it when it is asked. */
export type Fetched =
  | { readonly kind: 'order'; readonly order: OrderChangedV1; readonly warnings: readonly string[] }
  /** It is there and is no order for us (a cart being checked out, the bin); the codes are those of deliveries. */
  | { readonly kind: 'ignored'; readonly reason: string }
  /** The storefront's own answer, and it cannot be stated as an order: the field and what is wrong, no personal data. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** What changed from `fromMs` on and before `untilMs`, by the storefront's own clock; epoch milliseconds. */
export interface ChangeWindow {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** One order in a list of changes. */
export interface ListedOrder {
  readonly id: string;
  /** As the storefront states it, mostly in whole seconds. */
  readonly changedAtMs: number;
  /** undefined: the list says no more than that it changed; it has to be read by its id. */
  readonly fetched?: Fetched | undefined;
}

/**
 * Reads at one storefront connection, normalised by the same mapper as its pushes, so that both say one thing in one
 * way. A storefront may tell more when it is asked (Shopify's GraphQL): then the content hashes differ.
 * Methods throw CredentialsError (code CREDENTIALS_MISSING: the secret holds none for reading) or RetryableError,
 * and nothing else. None of them retries by itself, apart from asking once more with credentials read afresh.
 */
export interface StorefrontReads {
  /** A connection test: one read, which shows whether somebody answers there who lets us read orders. */
  test(call: CallContext): Promise<void>;
  /** undefined: the storefront says that there is no such order. */
  order(id: string, call: CallContext): Promise<Fetched | undefined>;
  /**
   * Orders that changed in a window, oldest change first, in pages; the storefront is called when the next page is
   * wanted. None is stepped over because others change meanwhile; one that changes then leaves the window, and one may
   * be told twice. An order that cannot be read hides no other.
   */
  changed(window: ChangeWindow, call: CallContext): AsyncIterable<readonly ListedOrder[]>;
  /**
   * What the clock of the storefront shows, epoch milliseconds. There where storefronts run on machines of their own;
   * undefined: theirs is as good as ours.
   */
  clock?(call: CallContext): Promise<number>;
}

export interface OpenOptions<S, C> {
  /** Connection id. */
  readonly connection: string;
  readonly settings: S;
  /** Cached by the caller; `fresh` reads the secret again (after a 401). */
  readonly credentials: (fresh?: boolean) => Promise<C>;
  readonly nowMs: Clock;
}

export interface StorefrontConnector<S, C> {
  readonly manifest: StorefrontManifest;
  readonly replies: ReplyTable;
  /**
   * Effect-free: verify over the raw bytes, then normalise. Throws nothing for bad input; it says `Received`.
   * @throws RangeError no usable secret: a missing setting must never mean "accept"
   */
  receive(delivery: Delivery, context: ReceiveContext<S, C>): Received;
  /** There when the manifest has `reads`. */
  open?(options: OpenOptions<S, C>): StorefrontReads;
}

/** What the stock side of a storefront is opened with. */
export interface StockOptions<S, C> extends OpenOptions<S, C> {
  /** The shop's locations that settings name. Default: DEFAULT_LOCATION, which is its only one, or its main one. */
  readonly locations?: readonly string[];
  /** Points of a storefront that counts them, shared by all workers of the connection. Default: this one's alone. */
  readonly budget?: RateBudget;
  /** Waits until the budget allows the next call. Default: real time passes. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Stock and prices of a storefront: apart from its connector, so that functions that take orders do not carry it. */
export interface StockConnector<S, C> {
  /** Its `stock` is there. */
  readonly manifest: StorefrontManifest;
  openStock(options: StockOptions<S, C>): StorefrontStock;
}

/** A connector whose orders can be read. */
export type ReadableStorefront<S, C> = StorefrontConnector<S, C> &
  Required<Pick<StorefrontConnector<S, C>, 'open'>>;

// ---------------------------------------------------------------------------------------------------------
// Payment providers
// ---------------------------------------------------------------------------------------------------------

/** What a provider's delivery turned out to be. */
export type ReceivedPayment =
  | Exclude<Received, { kind: 'order' | 'notified' }>
  /** Something happened to this payment: it is read, for deliveries overtake each other. */
  | {
      readonly kind: 'payment';
      readonly paymentId: string;
      /** dispute: the buyer's bank asks for the money back, or that went on. */
      readonly why: 'push' | 'dispute';
      readonly deliveryId?: string | undefined;
    };

/** A payment as the provider has it now. */
export interface ProviderPayment extends Omit<PaymentFacts, 'source' | 'asOfMs'> {
  readonly disputes: readonly {
    readonly id: string;
    readonly amount: Money;
    /** The provider's own words. */
    readonly reason: string;
    readonly status: string;
  }[];
}

export type FetchedPayment =
  | { readonly kind: 'payment'; readonly payment: ProviderPayment; readonly warnings: readonly string[] }
  /** As of an order. */
  | Extract<Fetched, { kind: 'unreadable' }>;

/** Reads at one provider connection; errors as in StorefrontReads. */
export interface PaymentReads {
  test(call: CallContext): Promise<void>;
  /** undefined: the provider says that there is no such payment. */
  payment(id: string, call: CallContext): Promise<FetchedPayment | undefined>;
}

export interface PaymentsConnector<S, C> {
  readonly manifest: PaymentsManifest;
  readonly replies: ReplyTable;
  /** As of storefronts. @throws RangeError no usable secret */
  receive(delivery: Delivery, context: ReceiveContext<S, C>): ReceivedPayment;
  open(options: OpenOptions<S, C>): PaymentReads;
}

// ---------------------------------------------------------------------------------------------------------
// ERPs
// ---------------------------------------------------------------------------------------------------------

/** Pure result with what somebody should know about it. */
export interface Mapped<T> {
  readonly value: T;
  readonly warnings: readonly string[];
}

/** A document at a peer. */
export interface PeerDocument {
  /** The peer's immutable id. */
  readonly id: string;
  /** What staff call it, e.g. S00042. */
  readonly name?: string | undefined;
  /** Deep link for staff. */
  readonly url?: string | undefined;
}

export interface CompletedOrder extends PeerDocument {
  /** What the ERP itself says the order costs, read back from it. */
  readonly total: Money;
  /** Booked on a rounding line; zero when there is none. */
  readonly rounding: Money;
  /**
   * What the document says, as far as we write it (lines, addresses, note; not its state): another one means that
   * somebody changed it since. Undefined: the connector cannot tell, so nothing is changed once it is finished.
   */
  readonly fingerprint?: string | undefined;
  readonly warnings: readonly string[];
}

/** Kinds of mapping rows that merchants keep. */
export type MappingKind = 'sku' | 'tax' | 'payment' | 'shipping' | 'journal';

/** One row: a key of the source means one or more things at the destination. */
export interface MappingRow {
  readonly kind: MappingKind;
  readonly source: string;
  readonly destination: string;
  readonly key: string;
  /** sku: components of a bundle, each with pieces per piece sold and its share of the price. Others: exactly one. */
  readonly to: readonly { readonly value: string; readonly quantity: number; readonly share: number }[];
}

export interface Mappings {
  /** Rows for those keys that have one. Cached with bounded age. */
  lookup(
    kind: MappingKind,
    source: string,
    destination: string,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, MappingRow>>;
}

/**
 * Does a write at the peer once, however often it is asked: its own ledger entry, look-up, create.
 * `subject` names what is created and must not contain personal data (hash it).
 * @throws BusyError while another worker is doing it
 */
export type Once = (
  subject: string,
  steps: { find(): Promise<PeerDocument | undefined>; create(): Promise<PeerDocument> },
) => Promise<PeerDocument>;

export interface OrderContext extends CallContext {
  readonly route: OrderRoute;
  readonly mappings: Mappings;
  /** undefined in shadow mode: nothing may be written; say so with `unresolved` refs. */
  readonly once: Once | undefined;
}

/**
 * Orders at one ERP connection.
 * Every method throws PermanentError, RetryableError, UnknownOutcomeError (writes only) or CredentialsError,
 * and nothing else. None of them retries by itself; reads may be repeated in place.
 */
export interface ErpOrders<Refs = unknown, Wire = unknown> {
  /** The peer's ids for everything that the order names. Creates the customer through `context.once`. */
  resolve(order: OrderChangedV1, context: OrderContext): Promise<Refs>;
  /**
   * Pure: no clock, no network, no environment. `reference` is our key in the peer's own reference field. The value is
   * plain JSON: it is kept until it is written completely, and read back when another worker has to finish it.
   */
  toWire(order: OrderChangedV1, refs: Refs, reference: string, route: OrderRoute): Mapped<Wire>;
  /**
   * Find by the reference that we wrote; undefined means "certainly not there".
   * @throws PermanentError AMBIGUOUS_REFERENCE two or more: never pick one
   */
  find(reference: string, route: OrderRoute, call: CallContext): Promise<PeerDocument | undefined>;
  /** Exactly one write. */
  create(wire: Wire, call: CallContext): Promise<PeerDocument>;
  /**
   * Bring a written order to `level`: compare totals (rewriting our own draft when it differs), book rounding
   * within tolerance, confirm, restore the buyer's date. Reads the state first, so it can be repeated after a
   * crash at any point.
   *
   * `asLeft` is the fingerprint that the last completion returned, when there was one: the document is then changed
   * to say what `wire` says, also when it is confirmed. A document that says neither the one nor the other was
   * changed by staff, and staff win.
   * @throws PermanentError EDITED_IN_ERP; TOO_LATE_IN_ERP what is delivered, invoiced or locked stays as it is
   */
  complete(
    document: PeerDocument,
    wire: Wire,
    level: Exclude<AcceptLevel, 'ignore'>,
    call: CallContext,
    asLeft?: string,
  ): Promise<CompletedOrder>;
  /** Undefined: this connector cannot change what it has written, a person does. */
  readonly changes?: ErpOrderChanges<Refs>;
  /** Undefined: this connector cannot book payments. */
  readonly payments?: ErpPayments;
  /** Undefined: what people entered by hand cannot be found by this connector. */
  readonly adoption?: ErpAdoption;
}

/** An order in the ERP, as far as it is needed to say which of the shop's orders it is. */
export interface ErpCandidate {
  readonly document: PeerDocument;
  /** The date that the ERP shows, epoch milliseconds: the buyer's, or when it was typed in or confirmed. */
  readonly datedAtMs: number;
  readonly total: Money;
  /** The step in which the ERP states amounts of that currency, in minor units: 100 where it books whole dollars. */
  readonly stepMinor: number;
  readonly state: 'draft' | 'confirmed' | 'cancelled';
  /** What stands in the field of our references; empty: nothing. */
  readonly reference: string;
  /** Texts in which people note the shop's number of the order. */
  readonly mentions: readonly string[];
  /** `buyerMarks` of whoever it names; nobody can be read out of them. */
  readonly buyer: readonly string[];
}

/** An order that people entered, when it became ours. */
export interface AdoptedOrder extends PeerDocument {
  readonly state: ErpCandidate['state'];
  /** What it says, see `CompletedOrder`. */
  readonly fingerprint?: string | undefined;
}

/** Where a document of the ERP is not what Waybill would write. */
export interface DocumentDifference {
  readonly what: 'line-missing' | 'line-surplus' | 'quantity' | 'amount' | 'taxes' | 'total' | 'currency';
  /** The line as the ERP or the shop names it; undefined: the whole document. */
  readonly line?: string | undefined;
  /** What Waybill would write. */
  readonly ours: string;
  /** What stands there. */
  readonly theirs: string;
}

/** Cut-over: orders that people entered by hand before Waybill wrote there. Errors as in ErpOrders. */
export interface ErpAdoption {
  /** All orders dated in the window, whoever made them, in any order and in pages. */
  candidates(
    window: ChangeWindow,
    route: OrderRoute,
    call: CallContext,
  ): AsyncIterable<readonly ErpCandidate[]>;
  /**
   * Reads the order and writes `reference` into the field by which `find` looks, unless it stands there already; what
   * people had noted there is kept elsewhere. Nothing else is written. undefined: write nothing.
   * @throws PermanentError ERP_DOCUMENT_GONE
   */
  adopt(
    document: PeerDocument,
    reference: string | undefined,
    route: OrderRoute,
    call: CallContext,
  ): Promise<AdoptedOrder>;
  /**
   * Compares a document with what `toWire` made of its order: lines by product, amounts within the rounding that would be
   * booked. Only reads. @throws PermanentError ERP_DOCUMENT_GONE
   */
  compare(
    document: PeerDocument,
    wire: unknown,
    route: OrderRoute,
    call: CallContext,
  ): Promise<readonly DocumentDifference[]>;
}

/** What becomes of an order after it was written. */
export interface ErpOrderChanges<Refs = unknown, Wire = unknown> {
  /**
   * Cancels the order and frees its stock. Reads the state first: what is cancelled already stays so, whoever did it.
   * @throws PermanentError TOO_LATE_IN_ERP delivered, invoiced or locked; EDITED_IN_ERP as in `complete`
   */
  cancel(
    document: PeerDocument,
    asLeft: string | undefined,
    route: OrderRoute,
    call: CallContext,
  ): Promise<void>;
  readonly refunds: ErpRefunds<Refs, Wire>;
}

/** What is given back of one order, once: everything that a credit note is made of. */
export interface RefundRequest {
  readonly order: OrderChangedV1;
  readonly refund: OrderRefund;
  /** `refund`, part by part; what the storefront did not assign to a line is an amount. Adds up to `refund.total`. */
  readonly parts: readonly RefundPart[];
  /** The order at the ERP. */
  readonly document: PeerDocument;
  /** Our key in the credit note's own reference field. */
  readonly reference: string;
  readonly route: OrderRoute;
}

/** Credit notes (or the ERP's own way of giving money back) at one ERP connection; verbs and errors as in ErpOrders. */
export interface ErpRefunds<Refs = unknown, Wire = unknown> {
  /** Pure. `refs` are those of the order. */
  toWire(request: RefundRequest, refs: Refs): Mapped<Wire>;
  /** @throws PermanentError AMBIGUOUS_REFERENCE */
  find(request: RefundRequest, call: CallContext): Promise<PeerDocument | undefined>;
  /** Exactly one write. */
  create(wire: Wire, call: CallContext): Promise<PeerDocument>;
  /** Compares totals, posts it unless the route wants a draft; can be repeated after a crash at any point. */
  complete(
    document: PeerDocument,
    wire: Wire,
    call: CallContext,
  ): Promise<PeerDocument & { readonly total: Money; readonly warnings: readonly string[] }>;
}

/** One payment of one order, to be booked once. */
export interface PaymentRequest {
  readonly order: OrderChangedV1;
  readonly payment: Booking;
  /** The order at the ERP: whoever it is invoiced to has paid, whomever the shop's buyer is taken for. */
  readonly document: PeerDocument;
  /** Our key in the payment's own reference field. */
  readonly reference: string;
  readonly route: OrderRoute;
}

/** Payments at one ERP connection; verbs and errors as in ErpOrders. */
export interface ErpPayments<Refs = unknown, Wire = unknown> {
  /** The peer's ids: journal by the mapping row of the method, whose payment it is. @throws PermanentError UNKNOWN_PAYMENT_JOURNAL */
  resolve(request: PaymentRequest, context: OrderContext): Promise<Refs>;
  /** Pure. */
  toWire(request: PaymentRequest, refs: Refs): Mapped<Wire>;
  /** @throws PermanentError AMBIGUOUS_REFERENCE */
  find(request: PaymentRequest, call: CallContext): Promise<PeerDocument | undefined>;
  /** Exactly one write. */
  create(wire: Wire, call: CallContext): Promise<PeerDocument>;
  /** Posts it; can be repeated after a crash at any point. `amount` is what the ERP itself says. */
  complete(
    document: PeerDocument,
    wire: Wire,
    call: CallContext,
  ): Promise<PeerDocument & { readonly amount: Money; readonly warnings: readonly string[] }>;
}

export interface OpenedErp<Refs = unknown, Wire = unknown> {
  readonly orders: ErpOrders<Refs, Wire>;
  /** Undefined: this connector reads no stock. */
  readonly stock?: ErpStock;
  /** Undefined: this connector reads no products and prices. */
  readonly products?: ErpProducts;
  /**
   * The connection test: whether the ERP can be reached, knows our login, and serves our database. A few reads; it is
   * asked afresh, whatever was known. What it says is never about one record.
   * @returns who answered, e.g. `Odoo 18, user 2`; no personal data
   * @throws CredentialsError or RetryableError, and nothing else
   */
  test(call: CallContext): Promise<string>;
}

export interface ErpConnector<S, C, Refs = unknown, Wire = unknown> {
  readonly manifest: ErpManifest;
  open(options: OpenOptions<S, C>): OpenedErp<Refs, Wire>;
}
