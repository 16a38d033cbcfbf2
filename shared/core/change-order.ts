import type {
  ErpOrderChanges,
  OrderContext,
  PaymentRequest,
  PeerDocument,
  RefundRequest,
} from '../connectors/contract.ts';
import type { OrderChangedV1, OrderRefund } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { BusyError, PermanentError } from './errors.ts';
import { intentKey, paymentReference, refundReference } from './intent-key.ts';
import type { LedgerEntry } from './ledger.ts';
import { inRouteCurrency, type MappedOrder, mapOrder } from './map-order.ts';
import { sum } from './money.ts';
import { type Held, type OnceResult, once, SupersededError } from './once.ts';
import {
  bookedPayment,
  changeOf,
  commercialHash,
  factsOf,
  type Level,
  type OrderChanges,
  settledPayments,
  type Twin,
} from './order-changes.ts';
import type { PushOrderPorts } from './order-ports.ts';
import { assertAddsUp } from './order-totals.ts';
import type { Booking } from './payments.ts';
import type { CallContext } from './ports.ts';
import type { OrderChange } from './reasons.ts';
import { refundParts } from './refund-parts.ts';
import type { Revision } from './revision.ts';

export interface ChangeRequest {
  readonly order: OrderChangedV1;
  /** Of this copy of the order. */
  readonly revision: Revision;
  readonly route: OrderRoute;
  readonly intent: string;
  readonly document: PeerDocument;
  /** Right after the claim: does what was decided still hold? @throws SupersededError */
  readonly begin: (entry: LedgerEntry) => Promise<void>;
  readonly call: CallContext;
}

export interface OrderChanged {
  readonly document: PeerDocument;
  readonly attempt: number;
  readonly level: Level;
  /** What was done, in the order in which it was done: `edited`, `confirm`, `refund 77`, `cancelled`, `payment paid`. */
  readonly done: readonly string[];
  readonly warnings: readonly string[];
  /** What shop, payment provider and books disagree about: for the timeline. */
  readonly notes: readonly string[];
  readonly roundingMinor: number;
}

/**
 * Brings an order that is at the ERP to what the shop says now, under one lease: content, level, refunds, end. Each
 * step reads the state first, so that a worker which dies in between is continued by doing all of it again.
 * @throws PermanentError ORDER_CHANGED_AFTER_WRITE what the route or the connector leaves to people
 */
export const changeOrder = async (
  ports: PushOrderPorts,
  request: ChangeRequest,
  changes: OrderChanges,
  twin: Twin,
): Promise<OrderChanged> => {
  const { order, route, document, call } = request;
  const toPeople = refusedChange(ports, changes, twin, route);
  if (toPeople) throw changedAfterWrite(ports.destination, toPeople, document);

  let next: Twin = twin;
  const done: string[] = [];
  const warnings: string[] = [];
  let map: MappedOrder | undefined;
  const mapped = async (): Promise<MappedOrder> => {
    map ??= await mapOrder(ports, order, route, call);
    return map;
  };

  const complete = async (current: PeerDocument, held: Held): Promise<Finished> => {
    let at = current;
    const note = (to: Twin) => ports.ledger.note(request.intent, held.attempt, factsOf(to));
    const hash = commercialHash(order);
    const isOurs = twin.begun?.commercialHash === hash && !changes.end;
    const { isUnsure, ...known } = isOurs
      ? { ...twin, isUnsure: true }
      : await finishBegun(ports, request, twin, held);
    next = { ...known, revision: request.revision };
    const isEdited = changes.edited && (isUnsure || hash !== known.commercialHash);
    if (isEdited || changes.raised) {
      assertAddsUp(inRouteCurrency(order, route));
      const level = changes.raised ?? twin.level;
      const { wire } = await mapped();
      // Before it is begun: whoever has to go on from here must know what the document may say.
      if (isEdited && !isOurs) {
        await note({ ...known, begun: { revision: request.revision, level, commercialHash: hash, wire } });
      }
      held.assertInTime();
      const completed = await ports.erp
        .complete(at, wire, level, call, known.fingerprint)
        .catch(async (error: unknown) => {
          // Refused by what it found: nothing was begun after all.
          if (isEdited && !isOurs && isRefusedAsFound(error)) await note(isUnsure ? twin : known);
          throw error;
        });
      const { id, name, url, fingerprint, rounding } = completed;
      at = { id, name, url };
      warnings.push(...completed.warnings);
      done.push(...(isEdited ? ['edited'] : []), ...(changes.raised ? [changes.raised] : []));
      next = {
        ...next,
        level,
        fingerprint,
        commercialHash: hash,
        roundingMinor: rounding.minor,
      };
    }
    let open = changes.refunds;
    if (changes.end) {
      const ended = await end(ports, request, known, at, changes.end, async () => {
        await note({ ...known, isEndBegun: true });
        held.assertInTime();
      });
      next = { ...next, ended };
      done.push(ended === 'cancelled' ? 'cancelled' : changes.end);
      // What was cancelled was never invoiced: there is nothing to credit.
      if (ended === 'cancelled') open = [];
    }
    for (const refund of open) {
      const credit = await creditOnce(ports, request, at, refund, mapped);
      warnings.push(...credit);
      done.push(`refund ${refund.id}`);
    }
    next = {
      ...next,
      refunds: order.refunds.map(({ id }) => id),
      payments: settledPayments(order, route, twin),
      begun: undefined,
      isEndBegun: false,
    };
    for (const payment of changes.payments) {
      held.assertInTime();
      const said = await bookOnce(ports, request, at, payment, () =>
        note({ ...next, begunPayment: payment }),
      );
      warnings.push(...said);
      done.push(`payment ${payment.id}`);
      const payments = [...(next.payments ?? []), bookedPayment(payment)];
      next = { ...next, payments, begunPayment: undefined };
    }
    return { document: at, facts: factsOf(next) };
  };

  const result = await once(
    ports,
    request.intent,
    { begin: request.begin, find: async () => document, create: neverCreate, complete },
    { reopen: true },
  );
  return {
    document: result.document,
    attempt: result.attempt,
    level: next.level,
    done,
    warnings: [...(map?.warnings ?? []), ...warnings],
    notes: changes.paymentWarnings,
    roundingMinor: next.roundingMinor,
  };
};

/**
 * What an attempt began to make of the document and did not finish is finished first: the document may say so already,
 * and what was not known to be ours would look like the work of staff.
 * @returns what the document says now, as far as that is known
 */
const finishBegun = async (
  { erp }: PushOrderPorts,
  { document, call }: ChangeRequest,
  twin: Twin,
  held: Held,
): Promise<Twin & { readonly isUnsure: boolean }> => {
  const { begun, ...base } = twin;
  if (!begun) return { ...base, isUnsure: twin.isEndBegun === true };
  held.assertInTime();
  try {
    const { fingerprint } = await erp.complete(document, begun.wire, begun.level, call, twin.fingerprint);
    const { level, commercialHash } = begun;
    return { ...base, level, commercialHash, fingerprint, isUnsure: false };
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    // Too late to become what was begun: so it is as we left it.
    return { ...base, isUnsure: error.code !== 'TOO_LATE_IN_ERP' };
  }
};

/**
 * The order was begun by an attempt that nobody finished, and ended in the shop before anybody could.
 * @throws PermanentError ORDER_CHANGED_AFTER_WRITE, TOO_LATE_IN_ERP
 */
export const cancelBegun = async (
  ports: PushOrderPorts,
  request: ChangeRequest,
  change: OrderChange,
): Promise<OrderChanged> => {
  const { order, route, document, revision } = request;
  const { changes } = ports.erp;
  if (!changes || route.cancellations === 'park') {
    throw changedAfterWrite(ports.destination, change, document);
  }
  const twin: Twin = {
    revision,
    level: 'draft',
    commercialHash: commercialHash(order),
    fingerprint: undefined,
    refunds: order.refunds.map(({ id }) => id),
    payments: settledPayments(order, route),
    ended: 'cancelled',
    roundingMinor: 0,
  };
  const { attempt, kind } = await once(ports, request.intent, {
    begin: request.begin,
    find: async () => document,
    create: neverCreate,
    complete: async (begun, held) => {
      held.assertInTime();
      await changes.cancel(begun, undefined, route, request.call);
      return { document: begun, facts: factsOf(twin) };
    },
  });
  // Whoever had begun it finished it before we could claim it: it is an order like any other now.
  if (kind === 'duplicate') throw new SupersededError(request.intent);
  return {
    document,
    attempt,
    level: 'draft',
    done: ['cancelled'],
    warnings: [],
    notes: [],
    roundingMinor: 0,
  };
};

const isRefusedAsFound = (error: unknown): boolean =>
  error instanceof PermanentError && (error.code === 'EDITED_IN_ERP' || error.code === 'TOO_LATE_IN_ERP');

type Finished = Pick<OnceResult, 'document' | 'facts'>;

/** The order is at the ERP: what is asked for is never to write it again. */
const neverCreate = (): Promise<never> => {
  throw new TypeError('an order that is at the ERP must not be created');
};

/** What a person has to do, because the route says so or the connector cannot; undefined: nothing. */
const refusedChange = (
  { erp }: PushOrderPorts,
  changes: OrderChanges,
  twin: Twin,
  route: OrderRoute,
): OrderChange | undefined => {
  const { edited, refunds, end: ends, reopened } = changes;
  const refused =
    reopened ||
    (edited && (!erp.changes || twin.fingerprint === undefined || route.edits === 'park')) ||
    (ends !== undefined && (!erp.changes || route.cancellations === 'park')) ||
    (ends === undefined && refunds.length > 0 && (!erp.changes || route.refunds === 'park'));
  return refused ? changeOf(changes) : undefined;
};

/**
 * Cancels the order, or finds that it can only be given back: what was delivered or invoiced stands, and is credited
 * if the shop gave all of it back. What was credited in part already is credited for the rest.
 */
const end = async (
  ports: PushOrderPorts,
  request: ChangeRequest,
  twin: Twin,
  document: PeerDocument,
  change: OrderChange,
  beforehand: () => Promise<void>,
): Promise<'cancelled' | 'credited'> => {
  const { order, route, call } = request;
  const isGivenBack =
    route.refunds !== 'park' &&
    sum(
      order.currency,
      order.refunds.map(({ total }) => total),
    ).minor === order.total.minor;
  if (twin.refunds.length > 0 || (await isCreditBegun(ports, request, document))) {
    if (isGivenBack) return 'credited';
    throw changedAfterWrite(ports.destination, change, document);
  }
  try {
    await beforehand();
    await changesOfErp(ports).cancel(document, twin.fingerprint, route, call);
    return 'cancelled';
  } catch (error) {
    const isTooLate = error instanceof PermanentError && error.code === 'TOO_LATE_IN_ERP';
    if (isTooLate && isGivenBack) return 'credited';
    throw error;
  }
};

/**
 * Is there a credit note of which the twin knows nothing, because the attempt that made it was not finished?
 * @throws BusyError it may be landing at this moment
 */
const isCreditBegun = async (
  ports: PushOrderPorts,
  { order, route, call }: ChangeRequest,
  document: PeerDocument,
): Promise<boolean> => {
  for (const refund of order.refunds) {
    const entry = await ports.ledger.peek(refundIntent(ports, order, refund.id));
    if (!entry) continue;
    if (entry.document) return true;
    if (entry.leaseUntilMs > ports.nowMs()) throw new BusyError(entry.intent, entry.leaseUntilMs);
    const asked = refundRequest(inRouteCurrency(order, route), refund.id, document, route);
    if (await changesOfErp(ports).refunds.find(asked, call)) return true;
  }
  return false;
};

const refundIntent = (
  { destination }: PushOrderPorts,
  { source, orderId }: OrderChangedV1,
  id: string,
): string => intentKey(destination, source, orderId, `refund ${id}`);

/** @param order in the route's currency */
const refundRequest = (
  order: OrderChangedV1,
  id: string,
  document: PeerDocument,
  route: OrderRoute,
): RefundRequest => {
  const refund = order.refunds.find((each) => each.id === id);
  if (!refund) throw new TypeError('a refund vanished while its order was mapped');
  const reference = refundReference(order.source, order.orderId, id);
  return { order, refund, parts: refundParts(order, refund), document, reference, route };
};

/** One refund: an intent of its own, found again by a reference of its own. @returns warnings */
const creditOnce = async (
  ports: PushOrderPorts,
  { order: { source, orderId }, route, call }: ChangeRequest,
  document: PeerDocument,
  { id }: OrderRefund,
  mapped: () => Promise<MappedOrder>,
): Promise<readonly string[]> => {
  const { refunds } = changesOfErp(ports);
  const { order, refs } = await mapped();
  const request = refundRequest(order, id, document, route);
  const { value, warnings } = refunds.toWire(request, refs);
  const said = [...warnings];
  await once(ports, refundIntent(ports, order, id), {
    find: () => refunds.find(request, call),
    create: () => refunds.create(value, call),
    complete: async (note) => {
      const { total, warnings: more, ...completed } = await refunds.complete(note, value, call);
      said.push(...more);
      await ports.bindings.put(ports.destination, source, 'refund', `${orderId}/${id}`, completed);
      return { document: completed, facts: { totalMinor: total.minor } };
    },
  });
  return said;
};

/**
 * One payment: an intent of its own, found again by a reference of its own.
 * @param begin notes that it is begun: whoever goes on from here books the same, whatever was heard meanwhile
 * @returns warnings
 */
const bookOnce = async (
  ports: PushOrderPorts,
  { order: snapshot, route, call }: ChangeRequest,
  document: PeerDocument,
  payment: Booking,
  begin: () => Promise<void>,
): Promise<readonly string[]> => {
  const { erp, destination, mappings } = ports;
  const { payments } = erp;
  if (!payments) throw new TypeError(`${destination} cannot book payments`);
  const order = inRouteCurrency(snapshot, route);
  const { source, orderId } = order;
  const asked = (id: string): PaymentRequest => {
    const reference = paymentReference(source, orderId, id);
    return { order, payment, document, reference, route };
  };
  const request = asked(payment.id);
  const context: OrderContext = { ...call, route, mappings, once: undefined };
  const { value, warnings } = payments.toWire(request, await payments.resolve(request, context));
  const said = [...warnings];
  await once(ports, intentKey(destination, source, orderId, `payment ${payment.id}`), {
    begin,
    // Booked under the provider's id, and the ledger has forgotten it.
    find: async () => {
      for (const id of [payment.id, ...(payment.aliases ?? [])]) {
        const found = await payments.find(asked(id), call);
        if (found) return found;
      }
      return undefined;
    },
    create: () => payments.create(value, call),
    complete: async (made) => {
      const { amount, warnings: more, ...completed } = await payments.complete(made, value, call);
      said.push(...more);
      await ports.bindings.put(destination, source, 'payment', `${orderId}/${payment.id}`, completed);
      return { document: completed, facts: { amountMinor: amount.minor } };
    },
  });
  return said;
};

const changesOfErp = ({ erp, destination }: PushOrderPorts): ErpOrderChanges => {
  if (erp.changes) return erp.changes;
  throw new TypeError(`${destination} cannot change what it has written`);
};

export const changedAfterWrite = (destination: string, change: OrderChange, document: PeerDocument) =>
  new PermanentError('ORDER_CHANGED_AFTER_WRITE', {
    change,
    document: document.name ?? document.id,
    destination,
  });
