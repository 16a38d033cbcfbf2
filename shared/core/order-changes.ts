import { createHash } from 'node:crypto';
import type { OrderChangedV1, OrderRefund } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { acceptanceOf } from './accept.ts';
import type { LedgerFacts } from './ledger.ts';
import { inRouteCurrency } from './map-order.ts';
import type { PaymentFacts } from './payment-facts.ts';
import { type BookedPayment, type Booking, type MergedPayments, mergePayments } from './payments.ts';
import type { OrderChange } from './reasons.ts';
import type { Revision } from './revision.ts';

export type Level = 'draft' | 'reserve' | 'confirm';

/** What the ERP's order was made from, and how it ended: kept in the ledger beside its intent. */
export interface Twin {
  readonly revision: Revision;
  readonly level: Level;
  readonly commercialHash: string;
  /** What the document said when we left it; undefined: the connector cannot tell. */
  readonly fingerprint: string | undefined;
  /** Ids of the refunds that are in the ERP, or need not be. */
  readonly refunds: readonly string[];
  /**
   * Money that moved and is booked, or need not be. undefined: finished before payments could be booked.
   */
  readonly payments: readonly BookedPayment[] | undefined;
  /** An attempt began to book it, and nobody knows whether it did. */
  readonly begunPayment?: Booking | undefined;
  /** cancelled: the document was. credited: it stands, and all of it was given back. */
  readonly ended: 'cancelled' | 'credited' | undefined;
  readonly roundingMinor: number;
  /** What an attempt began to make of the document and did not finish: it may say so or not. */
  readonly begun?: Begun | undefined;
  /** An attempt began to cancel it, and nobody knows whether it did. */
  readonly isEndBegun?: boolean;
}

/** What a document is made of, or begins to be: enough for another worker to bring it to its end. */
export interface Begun {
  readonly revision: Revision;
  readonly level: Level;
  readonly commercialHash: string;
  /** Of `ErpOrders.toWire`. */
  readonly wire: unknown;
}

/** The order was written, and is not complete: what it is being made of. */
export const begunFacts = (begun: Begun): LedgerFacts => ({ begun: JSON.stringify(begun) });

export const begunOf = (facts: LedgerFacts): Begun | undefined =>
  typeof facts['begun'] === 'string' && facts['begun'] !== ''
    ? (JSON.parse(facts['begun']) as Begun)
    : undefined;

export const factsOf = ({ revision, ...twin }: Twin): LedgerFacts => ({
  sourceVersion: revision.sourceVersion,
  contentHash: revision.contentHash ?? '',
  seenAtMs: revision.seenAtMs,
  fetched: revision.fetched ? 1 : 0,
  level: twin.level,
  commercialHash: twin.commercialHash,
  fingerprint: twin.fingerprint ?? '',
  refunds: JSON.stringify(twin.refunds),
  ...(twin.payments && { payments: JSON.stringify(twin.payments) }),
  ...(twin.begunPayment && { begunPayment: JSON.stringify(twin.begunPayment) }),
  ...(twin.begun && begunFacts(twin.begun)),
  ...(twin.isEndBegun && { isEndBegun: 1 }),
  ended: twin.ended ?? '',
  roundingMinor: twin.roundingMinor,
});

/** undefined: the order was begun and never finished. */
export const twinOf = (facts: LedgerFacts): Twin | undefined => {
  if (facts['sourceVersion'] === undefined) return undefined;
  const text = (name: string) =>
    typeof facts[name] === 'string' && facts[name] !== '' ? facts[name] : undefined;
  return {
    revision: {
      sourceVersion: Number(facts['sourceVersion']),
      contentHash: text('contentHash'),
      seenAtMs: Number(facts['seenAtMs']),
      fetched: facts['fetched'] === 1,
    },
    level: text('level') as Level,
    commercialHash: String(facts['commercialHash']),
    fingerprint: text('fingerprint'),
    refunds: JSON.parse(text('refunds') ?? '[]') as string[],
    payments: json<BookedPayment[]>(text('payments')),
    begunPayment: json<Booking>(text('begunPayment')),
    begun: begunOf(facts),
    isEndBegun: facts['isEndBegun'] === 1,
    ended: text('ended') as Twin['ended'],
    roundingMinor: Number(facts['roundingMinor'] ?? 0),
  };
};

const json = <T>(text: string | undefined): T | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as T);

/** What a snapshot asks for beyond what the ERP has. */
export interface OrderChanges {
  /** Also when it was only begun: what the ERP says is not known then. */
  readonly edited: boolean;
  /** The level to bring it to, when that is higher. */
  readonly raised: Level | undefined;
  /** Those that the ERP has not. */
  readonly refunds: readonly OrderRefund[];
  /** How the order ended in the shop, when it has not ended in the ERP. */
  readonly end: Extract<OrderChange, 'cancelled' | 'failed' | 'refunded'> | undefined;
  /** It ended in the ERP and is alive in the shop. */
  readonly reopened: boolean;
  /** Money that moved and is not booked, in the order in which to book it; what was begun goes first. */
  readonly payments: readonly Booking[];
  /** What shop, payment provider and books disagree about. */
  readonly paymentWarnings: readonly string[];
}

/**
 * Compares a snapshot with its twin. Pure; the order of events plays no part in it.
 * @param facts what payment providers told of the order
 */
export const changesOf = (
  order: OrderChangedV1,
  twin: Twin,
  route: OrderRoute,
  facts: readonly PaymentFacts[] = [],
): OrderChanges => {
  const end = endOf(order);
  const acceptance = acceptanceOf(order, route);
  const isRaised = acceptance.kind === 'take' && RANK[acceptance.level] > RANK[twin.level];
  const isOver = end !== undefined || twin.ended !== undefined;
  const isUnsure = twin.begun !== undefined || twin.isEndBegun === true;
  const raised = !isOver && isRaised ? acceptance.level : undefined;
  const counts = isOver || (raised ?? twin.level) === 'confirm';
  const { open, warnings } = counts ? paymentsOf(order, twin, route, facts) : NOTHING_PAID;
  return {
    edited: !isOver && (isUnsure || commercialHash(order) !== twin.commercialHash),
    raised,
    // Nothing was invoiced of what was cancelled: there is nothing to credit.
    refunds: twin.ended === 'cancelled' ? [] : order.refunds.filter(({ id }) => !twin.refunds.includes(id)),
    end: twin.ended === undefined ? end : undefined,
    reopened: twin.ended === 'cancelled' && end === undefined,
    payments: open,
    paymentWarnings: warnings,
  };
};

const NOTHING_PAID: Pick<MergedPayments, 'open' | 'warnings'> = { open: [], warnings: [] };

const paymentsOf = (
  order: OrderChangedV1,
  { payments, begunPayment, level }: Twin,
  route: OrderRoute,
  facts: readonly PaymentFacts[],
): Pick<MergedPayments, 'open' | 'warnings'> => {
  // What was confirmed before anybody booked payments was paid for in another way.
  if (route.payments !== 'book' || (!payments && level === 'confirm')) return NOTHING_PAID;
  const begun = begunPayment ? [begunPayment] : [];
  const { open, warnings } = mergePayments(inRouteCurrency(order, route), facts, [
    ...(payments ?? []),
    ...begun,
  ]);
  return { open: [...begun, ...open], warnings };
};

/**
 * What is booked, or need not be, once a snapshot is dealt with: all that moved so far where the route books no payments,
 * so that a later change of the route books nothing that people have booked.
 */
export const settledPayments = (
  order: OrderChangedV1,
  route: OrderRoute,
  before?: Pick<Twin, 'payments' | 'level'>,
): readonly BookedPayment[] =>
  route.payments === 'book' && (before?.payments || before?.level !== 'confirm')
    ? (before?.payments ?? [])
    : mergePayments(inRouteCurrency(order, route)).entries.map(bookedPayment);

export const bookedPayment = ({ id, direction, amount }: Booking): BookedPayment => ({
  id,
  direction,
  amount,
});

export const isNothing = ({ edited, raised, refunds, end, reopened, payments }: OrderChanges): boolean =>
  !edited && !raised && refunds.length === 0 && !end && !reopened && payments.length === 0;

/** In the words of the one that matters most to a person. */
export const changeOf = ({ end, refunds, reopened }: OrderChanges): OrderChange => {
  if (end) return end;
  if (reopened) return 'reopened';
  return refunds.length > 0 ? 'refunded-in-part' : 'edited';
};

export const endOf = ({ status }: OrderChangedV1): OrderChanges['end'] =>
  status === 'cancelled' || status === 'failed' || status === 'refunded' ? status : undefined;

const RANK: Readonly<Record<Level, number>> = { draft: 0, reserve: 1, confirm: 2 };

/** What the ERP's document is made of: a change of anything else (payment state, status) is no edit. */
export const commercialHash = (order: OrderChangedV1): string => {
  const money = (m: { minor: number }) => m.minor;
  const taxes = (list: OrderChangedV1['lines'][number]['taxes']) => list.map((t) => [t.key, money(t.amount)]);
  const content = [
    order.currency,
    money(order.total),
    order.lines.map((l) => [
      l.id,
      l.sku ?? '',
      l.quantity,
      money(l.subtotal),
      money(l.total),
      taxes(l.taxes),
    ]),
    order.charges.map((c) => [c.kind, c.method ?? '', money(c.total), taxes(c.taxes)]),
    order.shipping ?? order.billing ?? null,
    order.buyerNote ?? '',
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
};
