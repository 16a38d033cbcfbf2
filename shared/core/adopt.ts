import type { ErpCandidate } from '../connectors/contract.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { acceptanceOf } from './accept.ts';
import { buyerMarks } from './buyer-marks.ts';
import { orderReference } from './intent-key.ts';
import { inRouteCurrency } from './map-order.ts';
import { endOf } from './order-changes.ts';

/** Which document of the ERP an order of the shop is. */
export type Match =
  | {
      /** certain: it is this one. differs: it names the order, and costs something else. */
      readonly kind: 'certain' | 'differs';
      readonly order: OrderChangedV1;
      readonly candidate: ErpCandidate;
      /** our-reference: we wrote it there. number: people noted the shop's number. buyer: amount, date and buyer agree. */
      readonly by: 'our-reference' | 'number' | 'buyer';
    }
  | {
      readonly kind: 'ambiguous';
      readonly order: OrderChangedV1;
      readonly candidates: readonly ErpCandidate[];
      /** several: of its documents. contested: another order could be the document, too. other-buyer: nothing but the amount and the date. */
      readonly because: 'several' | 'contested' | 'other-buyer';
    }
  /** not-expected: nobody would have entered it, for the reason given. */
  | { readonly kind: 'missing'; readonly order: OrderChangedV1 }
  | { readonly kind: 'not-expected'; readonly order: OrderChangedV1; readonly why: string };

export interface MatchOptions {
  readonly route: OrderRoute;
  /** How many days after the order its document may be dated. */
  readonly days: number;
}

export const DAY_MS = 86_400_000;
/** Zones, and people who date a document back to the evening before. */
const DAYS_BEFORE = 1;

/** The time in which the documents of these orders may be dated. */
export const documentWindow = (orders: readonly OrderChangedV1[], days: number) => {
  const placed = orders.map(({ placedAt }) => Date.parse(placedAt));
  return {
    fromMs: Math.min(...placed) - DAYS_BEFORE * DAY_MS,
    untilMs: Math.max(...placed) + days * DAY_MS,
  };
};

/**
 * Says for each order of one shop which document it is: by our own reference, then by the shop's number that people noted,
 * then by amount, currency, date and buyer. Pure; never guesses, and never gives one document to two orders.
 * @param candidates of one ERP, also those that are other orders' already
 */
export const matchOrders = (
  orders: readonly OrderChangedV1[],
  candidates: readonly ErpCandidate[],
  options: MatchOptions,
): readonly Match[] => {
  const ours = Map.groupBy(
    candidates.filter(({ reference }) => isReference(reference)),
    ({ reference }) => reference,
  );
  const named = namesIn(orders);
  const open = candidates
    .filter(({ reference }) => !isReference(reference))
    .map((candidate): Open => ({ candidate, names: named(candidate) }));
  const byOurs = (order: OrderChangedV1): Match => {
    const found = ours.get(orderReference(order.source, order.orderId)) ?? [];
    const kind = found.some((candidate) => costsTheSame(candidate, order, options.route))
      ? 'certain'
      : 'differs';
    return only(order, found, kind, 'our-reference');
  };
  /** Each way of telling sees only what the ways before it have left. */
  const ways = [byOurs, byNumber, byBuyer, byNumberAlone, byAmount];
  let matches: readonly Match[] = orders.map((order) => ({ kind: 'missing', order }));
  for (const way of ways) {
    const taken = new Set(matches.flatMap((match) => ('candidate' in match ? [match.candidate] : [])));
    const left = open.filter(({ candidate }) => !taken.has(candidate));
    matches = uncontested(
      matches.map((match) => (match.kind === 'missing' ? way(match.order, left, options) : match)),
    );
  }
  return matches.map((match) => (match.kind === 'missing' ? expected(match.order, options.route) : match));
};

/** A document that is nobody's yet, and the ids of the orders whose numbers people noted on it. */
interface Open {
  readonly candidate: ErpCandidate;
  readonly names: ReadonlySet<string>;
}

/** Ours look so: the id of a connection, a colon, the id of an order. */
const isReference = (reference: string): boolean => /^[a-z][a-z0-9-]*:\S+$/.test(reference);

/** What two orders claim is neither's, until a person says whose. */
const uncontested = (matches: readonly Match[]): readonly Match[] => {
  const claims = new Map<ErpCandidate, number>();
  for (const match of matches) {
    if ('candidate' in match) claims.set(match.candidate, (claims.get(match.candidate) ?? 0) + 1);
  }
  return matches.map((match): Match => {
    if (!('candidate' in match) || claims.get(match.candidate) === 1) return match;
    const { order, candidate } = match;
    return { kind: 'ambiguous', order, candidates: [candidate], because: 'contested' };
  });
};

/** None is missing, one is it, and of several none is picked. */
const only = (
  order: OrderChangedV1,
  found: readonly ErpCandidate[],
  kind: 'certain' | 'differs',
  by: Extract<Match, { candidate: unknown }>['by'],
): Match => {
  const [candidate] = found;
  if (!candidate) return { kind: 'missing', order };
  if (found.length > 1) return { kind: 'ambiguous', order, candidates: found, because: 'several' };
  return { kind, order, candidate, by };
};

const byNumber = (order: OrderChangedV1, open: readonly Open[], options: MatchOptions): Match => {
  const named = open.filter(({ names }) => names.has(order.orderId));
  return only(order, fitting(order, named, options), 'certain', 'number');
};

const byBuyer = (order: OrderChangedV1, open: readonly Open[], options: MatchOptions): Match => {
  const marks = marksOf(order);
  const found = fitting(order, unnamed(order, open), options);
  return only(
    order,
    found.filter(({ buyer }) => buyer.some((mark) => marks.has(mark))),
    'certain',
    'buyer',
  );
};

/** What names other orders is theirs, whatever it costs. */
const unnamed = ({ orderId }: OrderChangedV1, open: readonly Open[]): readonly Open[] =>
  open.filter(({ names }) => names.size === 0 || names.has(orderId));

/** It names the order and costs something else: people changed it, or the shop did since. */
const byNumberAlone = (order: OrderChangedV1, open: readonly Open[], options: MatchOptions): Match => {
  const found = open
    .filter(({ candidate, names }) => names.has(order.orderId) && isLike(candidate, order, options))
    .map(({ candidate }) => candidate);
  return only(order, found, 'differs', 'number');
};

/** Nothing but amount and date: a person has to look. */
const byAmount = (order: OrderChangedV1, open: readonly Open[], options: MatchOptions): Match => {
  const candidates = fitting(order, unnamed(order, open), options);
  return candidates.length === 0
    ? { kind: 'missing', order }
    : { kind: 'ambiguous', order, candidates, because: 'other-buyer' };
};

const expected = (order: OrderChangedV1, route: OrderRoute): Match => {
  const acceptance = acceptanceOf(order, { ...route, mode: 'live', startAt: order.placedAt });
  return acceptance.kind === 'take'
    ? { kind: 'missing', order }
    : { kind: 'not-expected', order, why: acceptance.why };
};

const fitting = (
  order: OrderChangedV1,
  open: readonly Open[],
  options: MatchOptions,
): readonly ErpCandidate[] =>
  open
    .map(({ candidate }) => candidate)
    .filter(
      (candidate) => isLike(candidate, order, options) && costsTheSame(candidate, order, options.route),
    );

/** Dated like it; and what people cancelled is nothing that is alive in the shop. */
const isLike = (
  { datedAtMs, state }: ErpCandidate,
  order: OrderChangedV1,
  { days }: MatchOptions,
): boolean => {
  const { fromMs, untilMs } = documentWindow([order], days);
  return datedAtMs >= fromMs && datedAtMs < untilMs && (state !== 'cancelled' || endOf(order) !== undefined);
};

/** The rounding that the route would book, too. */
export const costsTheSame = (
  { total, stepMinor }: Pick<ErpCandidate, 'total' | 'stepMinor'>,
  order: OrderChangedV1,
  route: OrderRoute,
): boolean => {
  const { total: shop, lines } = inRouteCurrency(order, route);
  const tolerance = stepMinor * route.roundingTolerance * Math.max(1, lines.length);
  return total.currency === shop.currency && Math.abs(total.minor - shop.minor) <= tolerance;
};

/** Numbers and ids as words of their own: 1001 is not in 10011. */
const namesIn = (orders: readonly OrderChangedV1[]) => {
  const byWord = new Map<string, Set<string>>();
  for (const { orderNumber, orderId } of orders) {
    for (const word of [orderNumber, orderId].map(fold)) {
      if (word !== '') byWord.set(word, (byWord.get(word) ?? new Set()).add(orderId));
    }
  }
  return ({ mentions }: ErpCandidate): ReadonlySet<string> =>
    new Set(
      mentions
        .map(fold)
        .flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)])
        .flatMap((word) => [...(byWord.get(word) ?? [])]),
    );
};

const fold = (text: string): string => text.trim().toLowerCase().replace(/^#/, '');

const marksOf = ({ buyer, billing, shipping }: OrderChangedV1): ReadonlySet<string> =>
  new Set(
    buyer.masked
      ? []
      : buyerMarks({
          emails: [buyer.email],
          phones: [buyer.phone, billing?.phone, shipping?.phone],
          names: [
            buyer.name,
            buyer.company,
            billing?.name,
            billing?.company,
            shipping?.name,
            shipping?.company,
          ],
        }),
  );
