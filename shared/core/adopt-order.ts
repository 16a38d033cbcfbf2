import type { AdoptedOrder, ErpCandidate, ErpOrders, StorefrontReads } from '../connectors/contract.ts';
import type { Publish } from '../events/catalogue.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { documentWindow, type Match, matchOrders } from './adopt.ts';
import { intentKey, orderReference } from './intent-key.ts';
import type { Journal } from './journal.ts';
import { inRouteCurrency } from './map-order.ts';
import { type OncePorts, once, SupersededError } from './once.ts';
import {
  bookedPayment,
  changesOf,
  commercialHash,
  endOf,
  factsOf,
  type OrderChanges,
  type Twin,
  twinOf,
} from './order-changes.ts';
import { orderHistory } from './order-history.ts';
import type { Bindings } from './order-ports.ts';
import { mergePayments } from './payments.ts';
import type { CallContext } from './ports.ts';
import { type Revision, revisionOf } from './revision.ts';

export interface AdoptPorts extends OncePorts {
  readonly destination: string;
  /** One storefront into one ERP. */
  readonly route: OrderRoute;
  readonly reads: Pick<StorefrontReads, 'changed' | 'order'>;
  readonly erp: Pick<ErpOrders, 'find' | 'adoption'>;
  readonly bindings: Bindings;
  readonly journal: Pick<Journal, 'settle' | 'settled'>;
  readonly publish: Publish;
  readonly newId: () => string;
}

export interface AdoptionRange {
  /** Orders that changed at the storefront from then on, epoch milliseconds. */
  readonly fromMs: number;
  /** How many days after an order its document may be dated. */
  readonly days: number;
  /**
   * Refunds made before that are people's work, those made from then on are ours; default: the route's `startAt`, or when
   * the order was last dealt with in shadow mode, if that is later.
   */
  readonly refundsFromMs?: number | undefined;
}

/** What has to be done about one order, before anything is. */
export type Planned =
  /** It is ours already; `pending`: what the shop says beyond what the ERP was told. */
  | { readonly kind: 'already'; readonly event: Event; readonly pending: readonly string[] }
  | {
      readonly kind: 'matched';
      readonly event: Event;
      readonly match: Match;
      readonly pending: readonly string[];
      /** When it was last dealt with in shadow mode, epoch milliseconds: until then all was people's work. */
      readonly seenInShadowMs?: number | undefined;
    }
  /** The storefront's own answer cannot be stated as an order. */
  | { readonly kind: 'unreadable'; readonly orderId: string; readonly reason: string };

type Event = Envelope<OrderChangedV1>;

/**
 * Reads the shop's orders that were placed before the route's cut-over, or came while it was in shadow mode, and the ERP's
 * documents, and says which is which. Writes nothing.
 */
export const planAdoption = async (
  ports: AdoptPorts,
  range: AdoptionRange,
  call: CallContext,
): Promise<readonly Planned[]> => {
  const { adoption } = ports.erp;
  if (!adoption) throw new TypeError(`${ports.destination} cannot say what people entered by hand`);
  const startMs = Date.parse(ports.route.startAt);
  const history = { source: ports.route.from, reads: ports.reads, nowMs: ports.nowMs, newId: ports.newId };
  const { events, unreadable } = await orderHistory(history, range.fromMs, () => true, call);
  const unread = unreadable.map((one): Planned => ({ kind: 'unreadable', ...one }));
  const known: Planned[] = [];
  const documents = new Set<string>();
  const open: { readonly event: Event; readonly seenInShadowMs: number | undefined }[] = [];
  for (const event of events) {
    const { source, orderId, placedAt } = event.data;
    const entry = await ports.ledger.peek(createIntent(ports, event.data));
    const twin = entry && twinOf(entry.facts);
    if (twin && entry.document) documents.add(entry.document.id);
    const seenInShadowMs = (await ports.journal.settled(ports.destination, source, orderId))?.seenInShadow
      ?.atMs;
    // What comes while the route is live is written, not adopted.
    if (Date.parse(placedAt) >= startMs && seenInShadowMs === undefined) continue;
    if (!twin) {
      open.push({ event, seenInShadowMs });
      continue;
    }
    known.push({ kind: 'already', event, pending: wordsOf(changesOf(event.data, twin, ports.route)) });
  }
  if (open.length === 0) return [...known, ...unread];
  const orders = open.map(({ event }) => event.data);
  const candidates: ErpCandidate[] = [];
  for await (const page of adoption.candidates(documentWindow(orders, range.days), ports.route, call)) {
    candidates.push(...page.filter(({ document }) => !documents.has(document.id)));
  }
  const matches = matchOrders(orders, candidates, { route: ports.route, days: range.days });
  const matched = matches.flatMap((match, i): Planned[] => {
    const found = open[i];
    if (!found) return [];
    const pending = 'candidate' in match ? pendingOf(ports, range, found, match) : [];
    return [{ kind: 'matched', ...found, match, pending }];
  });
  return [...known, ...matched, ...unread];
};

type Found = Extract<Match, { candidate: unknown }>;
export type Adoptable = Extract<Planned, { kind: 'matched' }> & { readonly match: Found };

/** What differs is only taken by whoever wants it brought to what the shop says. */
export const adoptable = (planned: Planned, differing: boolean): planned is Adoptable =>
  planned.kind === 'matched' &&
  (planned.match.kind === 'certain' || (differing && planned.match.kind === 'differs'));

export interface AdoptOptions {
  readonly range: AdoptionRange;
  /** Write our reference into the document; without it only the ledger knows whose it is. */
  readonly writeReference: boolean;
  readonly who: { readonly by: string; readonly why: string };
}

export type Adopted =
  | {
      readonly kind: 'adopted' | 'already';
      readonly document: AdoptedOrder;
      /** Handed to the consumer, because the shop says it and the ERP does not. */
      readonly pending: readonly string[];
    }
  /** Another order has the document, or the order has another document. */
  | { readonly kind: 'conflict'; readonly reason: string };

/**
 * Makes a document that people entered the twin of an order: from now on its edits, refunds and cancellation are applied,
 * though it was placed before the cut-over. Idempotent; a run that dies at any point is done again.
 *
 * The document is claimed first, by an intent of its own, so that no two orders and no two operators take one.
 * @throws PermanentError, RetryableError of the connector; BusyError another worker holds the order
 */
export const adoptOrder = async (
  ports: AdoptPorts,
  { event, match, seenInShadowMs }: Adoptable,
  options: AdoptOptions,
  call: CallContext,
): Promise<Adopted> => {
  const { destination, route, erp, journal } = ports;
  const { adoption } = erp;
  if (!adoption) throw new TypeError(`${destination} cannot adopt`);
  const order = event.data;
  const reference = orderReference(order.source, order.orderId);
  const { document } = match.candidate;

  const taken = await once(ports, intentKey(destination, '*', `document ${document.id}`, 'adopt'), {
    find: async () => document,
    create: neverCreate,
    complete: async (found) => ({ document: found, facts: { reference } }),
  });
  if (taken.facts['reference'] !== reference) {
    return { kind: 'conflict', reason: `it was adopted for ${String(taken.facts['reference'])}` };
  }
  const other = await erp.find(reference, route, call);
  if (other && other.id !== document.id) {
    return { kind: 'conflict', reason: `the order is ${other.name ?? other.id} already` };
  }

  let adopted: AdoptedOrder | undefined;
  const intent = createIntent(ports, order);
  const result = await once(ports, intent, {
    begin: async (entry) => {
      if (entry.document && entry.document.id !== document.id) throw new SupersededError(intent);
    },
    find: async () => document,
    create: neverCreate,
    complete: async (found, held) => {
      held.assertInTime();
      adopted = await adoption.adopt(found, options.writeReference ? reference : undefined, route, call);
      const { id, name, url } = adopted;
      await ports.bindings.put(destination, order.source, 'order', order.orderId, { id, name, url });
      return {
        document: { id, name, url },
        facts: factsOf(twinFrom(ports, options.range, { event, seenInShadowMs }, match, adopted)),
      };
    },
  }).catch((error: unknown) => {
    if (error instanceof SupersededError) return undefined;
    throw error;
  });
  if (!result || result.document.id !== document.id) {
    return { kind: 'conflict', reason: 'Waybill wrote the order itself' };
  }

  const twin = twinOf(result.facts);
  const pending = twin ? wordsOf(changesOf(order, twin, route)) : [];
  const settled = await journal.settled(destination, order.source, order.orderId);
  const name = result.document.name ?? result.document.id;
  const { by, why } = options.who;
  const over =
    adopted || !settled || settled.state === 'skipped'
      ? await journal.settle(destination, order.source, order.orderId, {
          state: 'done',
          revision: revisionOf(event),
          step: { atMs: ports.nowMs(), code: 'ADOPTED', text: `${name} in ${destination}, by ${by}: ${why}` },
          document: result.document,
        })
      : 'same';
  // Something newer came meanwhile and was skipped as too old for the cut-over: the shop is asked again.
  if (over === 'older' || over === 'unclear') {
    const { fetchedAtMs: _, ...meta } = event.meta;
    await ports.publish('order.notified.v1', {
      meta: { ...meta, id: ports.newId(), receivedAtMs: ports.nowMs() },
      data: { source: order.source, orderId: order.orderId, why: 'listed' },
    });
  } else if (pending.length > 0) await ports.publish('order.changed.v1', event);
  const said = adopted ?? { ...result.document, state: match.candidate.state };
  return { kind: result.kind === 'duplicate' ? 'already' : 'adopted', document: said, pending };
};

/**
 * Hands to the consumer what is pending of an order that is ours already: an earlier run may have died before it did.
 * @returns false: it is parked, so a person knows of it
 */
export const resendPending = async (
  { destination, journal, publish }: Pick<AdoptPorts, 'destination' | 'journal' | 'publish'>,
  event: Event,
): Promise<boolean> => {
  const settled = await journal.settled(destination, event.data.source, event.data.orderId);
  if (settled?.state === 'parked') return false;
  await publish('order.changed.v1', event);
  return true;
};

const neverCreate = (): Promise<never> => {
  throw new TypeError('an order that people entered must not be created');
};

const createIntent = ({ destination }: Pick<AdoptPorts, 'destination'>, order: OrderChangedV1): string =>
  intentKey(destination, order.source, order.orderId, 'create');

// --- what the ERP is taken to say ---------------------------------------------------------------------------

const twinFrom = (
  { route }: Pick<AdoptPorts, 'route'>,
  range: AdoptionRange,
  { event, seenInShadowMs = 0 }: Pick<Adoptable, 'event' | 'seenInShadowMs'>,
  { kind }: Match,
  { state, fingerprint }: Pick<AdoptedOrder, 'state' | 'fingerprint'>,
): Twin => {
  const order = event.data;
  const fromMs = range.refundsFromMs ?? Math.max(Date.parse(route.startAt), seenInShadowMs);
  const byPeople = order.refunds.filter(({ refundedAt }) => isBefore(refundedAt, fromMs)).map(({ id }) => id);
  const moved = mergePayments(inRouteCurrency(order, route)).entries;
  const isCredited = endOf(order) === 'refunded' && byPeople.length === order.refunds.length;
  const revision: Revision = revisionOf(event);
  return {
    revision,
    level: state === 'confirmed' ? 'confirm' : 'draft',
    // Of one that differs it is not known what it was made from, so it is brought to what the shop says.
    commercialHash: kind === 'differs' ? '' : commercialHash(order),
    fingerprint,
    refunds: byPeople,
    payments: moved.filter(({ at }) => route.payments === 'note' || isBefore(at, fromMs)).map(bookedPayment),
    ended: state === 'cancelled' ? 'cancelled' : isCredited ? 'credited' : undefined,
    roundingMinor: 0,
  };
};

/** Without a date it is taken as done by people: one credit note too few is seen, one too many is paid. */
const isBefore = (at: string | undefined, fromMs: number): boolean =>
  at === undefined || Date.parse(at) < fromMs;

const pendingOf = (
  ports: Pick<AdoptPorts, 'route'>,
  range: AdoptionRange,
  order: Pick<Adoptable, 'event' | 'seenInShadowMs'>,
  match: Found,
): readonly string[] => {
  const twin = twinFrom(ports, range, order, match, { state: match.candidate.state });
  return wordsOf(changesOf(order.event.data, twin, ports.route));
};

const wordsOf = ({ edited, refunds, end, reopened, payments }: OrderChanges): readonly string[] => [
  ...(edited ? ['edited'] : []),
  ...refunds.map(({ id }) => `refund ${id}`),
  ...payments.map(({ id }) => `payment ${id}`),
  ...(end ? [end] : []),
  ...(reopened ? ['reopened'] : []),
];
