import type { OrderChangedV1, OrderRefund } from '../events/order-changed.ts';
import { add, type Money, moneyText, subtract, sum, zero } from './money.ts';
import type { PaymentFacts } from './payment-facts.ts';

/** Money that moved, as it is booked once: the capture (`in`) or what went back (`out`). */
export interface Booking {
  /** Of the storefront's capture; `paid`: all that was paid; of the provider's; `refund <id>`. */
  readonly id: string;
  readonly direction: 'in' | 'out';
  /** Positive. */
  readonly amount: Money;
  /** The storefront's code; mapping tables use it. */
  readonly method: string;
  readonly title?: string | undefined;
  /** At the payment provider. */
  readonly reference?: string | undefined;
  /** What the provider keeps; may be in another currency. */
  readonly fee?: Money | undefined;
  /** UTC, ISO 8601. */
  readonly at?: string | undefined;
  /** Ids of the provider under which the same money may have been booked. */
  readonly aliases?: readonly string[] | undefined;
}

/** What was booked, or need not be. */
export type BookedPayment = Pick<Booking, 'id' | 'direction' | 'amount'>;

export interface MergedPayments {
  /** All that is known to have moved: captures first, each by its date. */
  readonly entries: readonly Booking[];
  /** Those that are not booked yet, in the order in which to book them. */
  readonly open: readonly Booking[];
  /** What storefront, provider and books disagree about; for people. */
  readonly warnings: readonly string[];
}

/** Id of the one capture of a storefront that only says that an order is paid. */
const PAID = 'paid';
const paybackId = ({ id }: Pick<OrderRefund, 'id'>): string => `refund ${id}`;

/**
 * The captures that a storefront states: its list, or one over everything that was not paid with gift cards. Pure.
 * An order that is paid in part by a storefront that keeps no list has none: nobody says how much.
 */
export const capturesOf = (order: OrderChangedV1): readonly Booking[] => {
  const { payment, payments } = order;
  if (payments) {
    const byId = new Map(payments.map((each) => [each.id, each]));
    return [...byId.values()]
      .filter(({ amount }) => amount.minor > 0)
      .map(({ paidAt, ...capture }) => ({ ...capture, direction: 'in', at: paidAt }));
  }
  if (payment.kind === 'free' || !PAID_STATES.has(payment.state)) return [];
  // Given back in part may also mean that less is to be collected at the door.
  const isCollected = payment.state === 'paid' || payment.paidAt !== undefined;
  if (payment.kind === 'cash-on-delivery' && !isCollected) return [];
  const cards = sum(
    order.currency,
    order.giftCards.map(({ amount }) => amount),
  );
  const amount = subtract(order.total, cards);
  if (amount.minor <= 0) return [];
  const { method, title, reference, fee, paidAt } = payment;
  return [{ id: PAID, direction: 'in', amount, method, title, reference, fee, at: paidAt }];
};

const PAID_STATES: ReadonlySet<string> = new Set(['paid', 'partially-refunded', 'refunded']);

/** What went back to the buyer, one entry for each refund that gave money. Pure. */
export const paybacksOf = (order: OrderChangedV1): readonly Booking[] =>
  order.refunds
    .filter(({ total }) => total.minor > 0)
    .map((refund) => ({
      id: paybackId(refund),
      direction: 'out',
      amount: refund.total,
      method: refund.payment?.method ?? order.payment.method,
      reference: refund.payment?.reference,
      at: refund.refundedAt,
    }));

/**
 * One list of what moved, from what the storefront and its payment providers state. Pure; nothing depends on who said
 * it first. What both state is one entry: it keeps the storefront's id, and amount, fee and date are the provider's.
 *
 * One payment may have been booked under one id and be told under another later (a storefront that first says "paid" and
 * then lists its captures; a provider that was faster than the shop). So what is booked and belongs to no entry covers
 * entries of the same amount, then of the same sum: rather one too few, which is said, than one twice.
 */
export const mergePayments = (
  order: OrderChangedV1,
  facts: readonly PaymentFacts[] = [],
  booked: readonly BookedPayment[] = [],
): MergedPayments => {
  const captures = mergeCaptures(order, facts);
  const isKnownToBePaid = captures.entries.length > 0 || booked.some(({ direction }) => direction === 'in');
  const paybacks = mergePaybacks(order, facts, isKnownToBePaid);
  const uncovered = openCaptures(captures.entries, booked);
  const isBooked = (entry: Booking) => booked.some((each) => isSame(entry, each));
  return {
    entries: [...captures.entries, ...paybacks.entries],
    open: [...uncovered.open, ...paybacks.entries.filter((entry) => !isBooked(entry))],
    warnings: [...captures.warnings, ...paybacks.warnings, ...uncovered.warnings, ...disputes(facts)],
  };
};

interface Merged {
  readonly entries: readonly Booking[];
  readonly warnings: readonly string[];
}

const isSame = ({ id, direction, aliases = [] }: Booking, other: BookedPayment): boolean =>
  direction === other.direction && (id === other.id || aliases.includes(other.id));

// --- captures -----------------------------------------------------------------------------------------------

type Captured = PaymentFacts['captured'][number] & { readonly references: readonly string[] };

const mergeCaptures = (order: OrderChangedV1, facts: readonly PaymentFacts[]): Merged => {
  const stated = capturesOf(order);
  const provided = facts
    .flatMap(({ captured, references }) =>
      captured.map((capture): Captured => ({ ...capture, references: [capture.id, ...references] })),
    )
    .filter(({ id, amount }, index, all) => amount.minor > 0 && all.findIndex((c) => c.id === id) === index)
    .sort(byMoment(({ paidAt }) => paidAt));
  const pairs = pairUp(stated, provided, [
    (s, p) => s.id === p.id || s.reference === p.id,
    (s, p) => isNamed(s, p) && sameAmount(s, p),
    isNamed,
    sameAmount,
    // Who only says that it was paid means what the provider captured, whatever it was.
    ({ id }) => id === PAID && !order.payments,
  ]);
  const ofShop = stated.map((entry) => merged(entry, pairs.get(entry)));
  const others = provided.filter((p) => ![...pairs.values()].includes(p));
  const [ours, foreign] = split(others, ({ amount }) => amount.currency === order.currency);
  const ofProvider = ours.map(
    ({ id, amount, fee, paidAt, method }): Booking => ({
      id,
      direction: 'in',
      amount,
      method: order.payment.method,
      title: method,
      reference: id,
      fee,
      at: paidAt,
    }),
  );
  const entries = [...ofShop, ...ofProvider].sort(byMoment(({ at }) => at ?? order.placedAt));
  const total = (list: readonly Booking[]) =>
    sum(
      order.currency,
      list.map(({ amount }) => amount),
    );
  const [shop, all] = [total(stated), total(entries)];
  return {
    entries,
    warnings: [
      ...(order.payment.state === 'partially-paid' && entries.length === 0
        ? ['The shop says that part of it was paid and not how much: no payment is booked.']
        : []),
      ...(stated.length > 0 && shop.minor !== all.minor
        ? [`The shop says that ${moneyText(shop)} was paid, the payment provider ${moneyText(all)}.`]
        : []),
      ...foreign.map(
        ({ id, amount }) =>
          `The payment provider captured ${moneyText(amount)} (${id}), and the order is in ${order.currency}: not booked.`,
      ),
    ],
  };
};

const isNamed = ({ reference }: Booking, { references }: Captured): boolean =>
  reference !== undefined && references.includes(reference);

/** Money in another currency than the order's is that of the order as the storefront states it. */
const merged = (entry: Booking, capture: Captured | undefined): Booking => {
  if (!capture) return entry;
  const { id, amount, fee, paidAt } = capture;
  return {
    ...entry,
    amount: amount.currency === entry.amount.currency ? amount : entry.amount,
    reference: entry.reference ?? id,
    fee: fee ?? entry.fee,
    at: paidAt,
    ...(id !== entry.id && { aliases: [id] }),
  };
};

const openCaptures = (
  entries: readonly Booking[],
  booked: readonly BookedPayment[],
): { readonly open: readonly Booking[]; readonly warnings: readonly string[] } => {
  const [first] = entries;
  if (!first) return { open: [], warnings: [] };
  const { currency } = first.amount;
  const done = booked.filter(({ direction, amount }) => direction === 'in' && amount.currency === currency);
  const isDone = (entry: Booking) => booked.some((each) => isSame(entry, each));
  /** Booked, and more than its entry, or of no entry at all. */
  const spare = done
    .filter((each) => !entries.some((entry) => isSame(entry, each)))
    .map(({ amount }) => amount.minor);
  for (const entry of entries) {
    const own = done.filter((each) => isSame(entry, each));
    const over = sumOf(own.map(({ amount }) => amount.minor)) - entry.amount.minor;
    if (own.length > 0 && over > 0) spare.push(over);
  }
  const open: Booking[] = [];
  const unequal: Booking[] = [];
  for (const entry of entries.filter((each) => !isDone(each))) {
    const equal = spare.indexOf(entry.amount.minor);
    if (equal < 0) unequal.push(entry);
    else spare.splice(equal, 1);
  }
  let left = sumOf(spare);
  const warnings: string[] = [];
  for (const entry of unequal) {
    const rest = entry.amount.minor - left;
    left = Math.max(0, 0 - rest);
    if (rest <= 0) continue;
    if (rest === entry.amount.minor) open.push(entry);
    else if (entry.id === PAID) open.push({ ...entry, amount: { minor: rest, currency } });
    else {
      warnings.push(
        `Of ${moneyText(entry.amount)} (${entry.id}) only ${moneyText({ minor: rest, currency })} is not booked yet: not booked.`,
      );
    }
  }
  const known = sumOf([...done, ...open].map(({ amount }) => amount.minor));
  const moved = entries.reduce((total, { amount }) => add(total, amount), zero(currency));
  if (known !== moved.minor && warnings.length === 0) {
    warnings.push(`${moneyText(moved)} was paid, ${moneyText({ minor: known, currency })} is booked.`);
  }
  return { open, warnings };
};

// --- paybacks -----------------------------------------------------------------------------------------------

type GivenBack = PaymentFacts['refunds'][number] & { readonly references: readonly string[] };

const mergePaybacks = (
  order: OrderChangedV1,
  facts: readonly PaymentFacts[],
  isKnownToBePaid: boolean,
): Merged => {
  const stated = paybacksOf(order);
  const provided = facts
    .flatMap(({ refunds, references }) => refunds.map((each): GivenBack => ({ ...each, references })))
    .filter(({ id }, index, all) => all.findIndex((each) => each.id === id) === index)
    .sort(byMoment(({ refundedAt }) => refundedAt ?? ''));
  const pairs = pairUp(stated, provided, [
    (s, p) => s.reference === p.id,
    (s, p) => p.state !== 'failed' && hasReference(s, p) && sameAmount(s, p),
    (s, p) => p.state !== 'failed' && sameAmount(s, p),
  ]);
  const [failed, moved] = split(stated, (entry) => pairs.get(entry)?.state === 'failed');
  const waiting = provided.filter((p) => p.state === 'succeeded' && ![...pairs.values()].includes(p));
  const warnings = [
    ...failed.map(({ id }) => `The payment provider could not give back ${id}: not booked.`),
    ...waiting.map(
      ({ id, amount }) =>
        `The payment provider gave back ${moneyText(amount)} (${id}), and the shop states no such refund yet: not booked.`,
    ),
  ];
  if (!isKnownToBePaid && moved.length > 0) {
    return {
      entries: [],
      warnings: [...warnings, 'The shop gave money back and states no payment: not booked.'],
    };
  }
  return {
    entries: moved.map((entry) => {
      const match = pairs.get(entry);
      if (!match) return entry;
      const isOurs = match.amount.currency === entry.amount.currency;
      return {
        ...entry,
        amount: isOurs ? match.amount : entry.amount,
        reference: entry.reference ?? match.id,
        at: match.refundedAt ?? entry.at,
      };
    }),
    warnings,
  };
};

const hasReference = ({ reference }: Booking, { references }: GivenBack): boolean =>
  reference !== undefined && references.includes(reference);

const disputes = (facts: readonly PaymentFacts[]): readonly string[] =>
  facts
    .filter(({ disputed }) => disputed)
    .map(({ paymentId }) => `The buyer disputes payment ${paymentId}: nothing is booked for that.`);

// --- matching -----------------------------------------------------------------------------------------------

/** Pairs each with at most one, by the first rule that finds one; a stricter rule goes before for all of them. */
const pairUp = <S extends object, P extends object>(
  stated: readonly S[],
  provided: readonly P[],
  rules: readonly ((s: S, p: P) => boolean)[],
): ReadonlyMap<S, P> => {
  const pairs = new Map<S, P>();
  const taken = new Set<P>();
  for (const rule of rules) {
    for (const s of stated) {
      const match = pairs.has(s) ? undefined : provided.find((p) => !taken.has(p) && rule(s, p));
      if (!match) continue;
      pairs.set(s, match);
      taken.add(match);
    }
  }
  return pairs;
};

const sameAmount = (s: Booking, { amount }: { readonly amount: Money }): boolean =>
  s.amount.minor === amount.minor && s.amount.currency === amount.currency;

const byMoment =
  <T extends { readonly id: string }>(moment: (item: T) => string) =>
  (a: T, b: T): number => {
    const [x, y] = [Date.parse(moment(a)) || 0, Date.parse(moment(b)) || 0];
    return x - y || (a.id < b.id ? -1 : 1);
  };

const split = <T>(list: readonly T[], is: (item: T) => boolean): readonly [T[], T[]] => [
  list.filter(is),
  list.filter((item) => !is(item)),
];

const sumOf = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
