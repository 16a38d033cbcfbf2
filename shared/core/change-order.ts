import type { ErpOrderChanges, PeerDocument, RefundRequest } from '../connectors/contract.ts';
import type { OrderChangedV1, OrderRefund } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { PermanentError } from './errors.ts';
import { intentKey, refundReference } from './intent-key.ts';
import type { LedgerEntry } from './ledger.ts';
import { inRouteCurrency, type MappedOrder, mapOrder } from './map-order.ts';
import { sum } from './money.ts';
import { type OnceResult, once } from './once.ts';
import {
  changeOf,
  commercialHash,
  factsOf,
  type Level,
  type OrderChanges,
  type Twin,
} from './order-changes.ts';
import type { PushOrderPorts } from './order-ports.ts';
import { assertAddsUp } from './order-totals.ts';
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
  /** What was done, in the order in which it was done: `edited`, `confirm`, `refund 77`, `cancelled`. */
  readonly done: readonly string[];
  readonly warnings: readonly string[];
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

  let next: Twin = { ...twin, revision: request.revision };
  const done: string[] = [];
  const warnings: string[] = [];
  let map: MappedOrder | undefined;
  const mapped = async (): Promise<MappedOrder> => {
    map ??= await mapOrder(ports, order, route, call);
    return map;
  };

  const complete = async (current: PeerDocument): Promise<OnceResult | Finished> => {
    let held = current;
    if (changes.edited || changes.raised) {
      assertAddsUp(inRouteCurrency(order, route));
      const level = changes.raised ?? twin.level;
      const completed = await ports.erp.complete(held, (await mapped()).wire, level, call, twin.fingerprint);
      const { id, name, url, fingerprint, rounding } = completed;
      held = { id, name, url };
      warnings.push(...completed.warnings);
      done.push(...(changes.edited ? ['edited'] : []), ...(changes.raised ? [changes.raised] : []));
      next = {
        ...next,
        level,
        fingerprint,
        commercialHash: commercialHash(order),
        roundingMinor: rounding.minor,
      };
    }
    let open = changes.refunds;
    if (changes.end) {
      const ended = await end(ports, request, twin, held, changes.end);
      next = { ...next, ended };
      done.push(ended === 'cancelled' ? 'cancelled' : changes.end);
      // What was cancelled was never invoiced: there is nothing to credit.
      if (ended === 'cancelled') open = [];
    }
    for (const refund of open) {
      const credit = await creditOnce(ports, request, held, refund, mapped);
      warnings.push(...credit);
      done.push(`refund ${refund.id}`);
    }
    next = { ...next, refunds: order.refunds.map(({ id }) => id) };
    return { document: held, facts: factsOf(next) };
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
    roundingMinor: next.roundingMinor,
  };
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
    ended: 'cancelled',
    roundingMinor: 0,
  };
  const { attempt } = await once(ports, request.intent, {
    begin: request.begin,
    find: async () => document,
    create: neverCreate,
    complete: async (held) => {
      await changes.cancel(held, undefined, route, request.call);
      return { document: held, facts: factsOf(twin) };
    },
  });
  return { document, attempt, level: 'draft', done: ['cancelled'], warnings: [], roundingMinor: 0 };
};

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
  { order, route, call }: ChangeRequest,
  twin: Twin,
  document: PeerDocument,
  change: OrderChange,
): Promise<'cancelled' | 'credited'> => {
  const isGivenBack =
    route.refunds !== 'park' &&
    sum(
      order.currency,
      order.refunds.map(({ total }) => total),
    ).minor === order.total.minor;
  if (twin.refunds.length > 0) {
    if (isGivenBack) return 'credited';
    throw changedAfterWrite(ports.destination, change, document);
  }
  try {
    await changesOfErp(ports).cancel(document, twin.fingerprint, route, call);
    return 'cancelled';
  } catch (error) {
    const isTooLate = error instanceof PermanentError && error.code === 'TOO_LATE_IN_ERP';
    if (isTooLate && isGivenBack) return 'credited';
    throw error;
  }
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
  const refund = order.refunds.find((each) => each.id === id);
  if (!refund) throw new TypeError('a refund vanished while its order was mapped');
  const request: RefundRequest = {
    order,
    refund,
    parts: refundParts(order, refund),
    document,
    reference: refundReference(source, orderId, id),
    route,
  };
  const { value, warnings } = refunds.toWire(request, refs);
  const said = [...warnings];
  await once(ports, intentKey(ports.destination, source, orderId, `refund ${id}`), {
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
