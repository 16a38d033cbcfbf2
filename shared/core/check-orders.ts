import type { ErpOrders } from '../connectors/contract.ts';
import type { Publish } from '../events/catalogue.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { PermanentError } from './errors.ts';
import { intentKey, orderReference } from './intent-key.ts';
import type { JournalReads, Timelines } from './journal-reads.ts';
import type { Ledger } from './ledger.ts';
import type { LedgerRepairs, Repair, WrittenOrder } from './ledger-repairs.ts';
import type { CallContext, Clock } from './ports.ts';
import { precedence, revisionOf } from './revision.ts';

export interface CheckPorts {
  /** Connection id of the ERP. */
  readonly destination: string;
  readonly routes: readonly OrderRoute[];
  readonly erp: Pick<ErpOrders, 'find'>;
  readonly ledger: Pick<Ledger, 'peek' | 'claim' | 'release'>;
  readonly repairs: LedgerRepairs;
  readonly journal: JournalReads;
  readonly timeline: Pick<Timelines, 'note' | 'reopen'>;
  readonly publish: Publish;
  /** Storefronts that can be asked for an order. */
  readonly fetchable: ReadonlySet<string>;
  readonly nowMs: Clock;
  readonly newId: () => string;
  readonly leaseMs: number;
}

export interface CheckWindow {
  /** Finished from here on, epoch milliseconds. */
  readonly sinceMs: number;
  /** And before that: where an earlier look ran out of time. */
  readonly beforeMs: number;
}

export interface Checked {
  /** Orders that the ERP was asked for. */
  readonly looked: number;
  /** Those it has not, the newest first. */
  readonly missing: readonly WrittenOrder[];
  /**
   * Those it has, and that were changed, refunded or cancelled after it got the oldest of the missing: if it was restored,
   * it has forgotten that. Nobody can ask it what it has forgotten of an order, so a person compares.
   */
  readonly outdated: readonly WrittenOrder[];
  /** Time ran out: what was finished before that moment was not looked at; undefined: everything was. */
  readonly leftBeforeMs: number | undefined;
}

/** What was let go is written within minutes, unless whoever did that died before it was sent. */
const FORGOTTEN_MS = 10 * 60_000;

/**
 * Asks the ERP for orders that the ledger calls finished: one that was restored from a backup has forgotten some, and
 * nothing else would ever notice. The newest first, because these are what a restored ERP lacks. Reads only.
 * @throws RetryableError the ERP does not answer: that says nothing about any order
 */
export const checkOrders = async (
  ports: CheckPorts,
  { sinceMs, beforeMs }: CheckWindow,
  call: CallContext & { readonly endMs: number },
): Promise<Checked> => {
  const orders: WrittenOrder[] = [];
  for await (const order of ports.repairs.orders(ports.destination, sinceMs)) {
    if (order.atMs < beforeMs && routeOf(ports, order)) orders.push(order);
  }
  orders.sort((a, b) => b.atMs - a.atMs);
  const missing: WrittenOrder[] = [];
  const changed: WrittenOrder[] = [];
  let looked = 0;
  let leftBeforeMs: number | undefined;
  for (const order of orders) {
    if (ports.nowMs() >= call.endMs) {
      leftBeforeMs = order.atMs + 1;
      break;
    }
    if (order.isCancelled) {
      // Nobody misses it, unless it is alive again.
      changed.push(order);
      continue;
    }
    if (order.state === 'forgotten' && order.atMs > ports.nowMs() - FORGOTTEN_MS) continue;
    looked += 1;
    if (await isAtErp(ports, order, call)) {
      if (order.attempt > 1 || order.refunds.length > 0) changed.push(order);
    } else if (await isAsListed(ports, order)) missing.push(order);
  }
  const outdated: WrittenOrder[] = [];
  if (missing.length > 0) {
    // What was not looked at may be missing from earlier on.
    const sinceLostMs = leftBeforeMs === undefined ? lostSinceMs(missing) : Number.NEGATIVE_INFINITY;
    for (const order of changed) {
      if (order.atMs < sinceLostMs) continue;
      if (!order.isCancelled || (await isAtErp(ports, order, call))) outdated.push(order);
    }
  }
  return { looked, missing, outdated, leftBeforeMs };
};

/** The ERP was restored to a moment before this one, if it was. */
export const lostSinceMs = (missing: readonly Pick<WrittenOrder, 'atMs'>[]): number =>
  Math.min(...missing.map(({ atMs }) => atMs));

/** Orders of routes that are off, or gone, are nobody's business any more. */
const routeOf = ({ routes }: CheckPorts, { source }: Pick<WrittenOrder, 'source'>): OrderRoute | undefined =>
  routes.find(({ from, mode }) => from === source && mode === 'live');

const isAtErp = async (
  ports: CheckPorts,
  order: Pick<WrittenOrder, 'source' | 'orderId'>,
  call: CallContext,
): Promise<boolean> => {
  const route = routeOf(ports, order);
  if (!route) return true;
  try {
    const reference = orderReference(order.source, order.orderId);
    return (await ports.erp.find(reference, route, call)) !== undefined;
  } catch (error) {
    // Two of them are more than none.
    if (error instanceof PermanentError) return true;
    throw error;
  }
};

/** Nobody has worked on it since. */
const isAsListed = async (ports: CheckPorts, order: WrittenOrder): Promise<boolean> =>
  (await ports.ledger.peek(createIntent(ports, order)))?.attempt === order.attempt;

const createIntent = (
  { destination }: CheckPorts,
  { source, orderId }: Pick<WrittenOrder, 'source' | 'orderId'>,
): string => intentKey(destination, source, orderId, 'create');

/** Writes into the timelines of missing orders that they are missing, and of outdated ones that they may be. */
export const noteMissing = async (
  ports: CheckPorts,
  { missing, outdated }: Pick<Checked, 'missing' | 'outdated'>,
): Promise<void> => {
  for (const { source, orderId, document } of outdated) {
    await ports.timeline.note(ports.destination, source, orderId, {
      atMs: ports.nowMs(),
      code: 'OUTDATED_IN_ERP',
      text: `${ports.destination} lacks orders that are older than the last change of ${document?.name ?? document?.id ?? 'this one'}, so it may lack that change: compare it with the shop`,
    });
  }
  for (const { source, orderId, document } of missing) {
    await ports.timeline.note(ports.destination, source, orderId, {
      atMs: ports.nowMs(),
      code: 'MISSING_IN_ERP',
      text: `${ports.destination} has no ${document?.name ?? document?.id ?? 'document'} any more: see waybill orders repair`,
    });
  }
};

/**
 * sent: on its way to the ERP again. there: the ERP has it after all. busy: another worker is at it. changed: something
 * happened to it since it was listed. no-snapshot: nothing of ours holds what it said; save it once in the shop.
 */
export type RepairDeed = 'sent' | 'there' | 'busy' | 'changed' | 'no-snapshot';

/**
 * Lets an order that the ERP has lost be written again, once: looked for under the claim, forgotten with its refunds and payments,
 * published. The journal calls it unfinished before anything is forgotten, so whoever dies here leaves it to the sweep,
 * and to the next `checkOrders`.
 * @throws RetryableError the ERP or the bus does not answer; FENCED
 */
export const repairOrder = async (
  ports: CheckPorts,
  order: WrittenOrder,
  who: Pick<Repair, 'by' | 'why'>,
  call: CallContext,
): Promise<RepairDeed> => {
  const { destination } = ports;
  const { source, orderId } = order;
  const event = await eventOf(ports, order);
  if (!event && !ports.fetchable.has(source)) return 'no-snapshot';
  const intent = createIntent(ports, order);
  const claim = await ports.ledger.claim(intent, ports.leaseMs, { reopen: true, isUrgent: true });
  if (claim.kind !== 'claimed') return 'busy';
  const { attempt, document } = claim.entry;
  const release = () => ports.ledger.release(intent, attempt, { keepLease: false, budget: 'unspent' });
  try {
    if (attempt !== order.attempt + 1) return await release().then(() => 'changed' as const);
    if (await isAtErp(ports, order, call)) return await release().then(() => 'there' as const);
    const repair: Repair = { ...who, atMs: ports.nowMs(), document };
    await ports.timeline.reopen(destination, source, orderId, {
      atMs: ports.nowMs(),
      code: 'REPAIRED',
      text: `written again, because ${destination} has no ${document?.name ?? document?.id ?? 'document'} any more; ${who.by}: ${who.why}`,
    });
    const made = [
      ...order.refunds.map((id) => `refund ${id}`),
      ...order.payments.map((id) => `payment ${id}`),
    ];
    for (const what of made) await forgetMade(ports, order, what, repair);
    await ports.repairs.forget(intent, attempt, repair);
  } catch (error) {
    await release().catch(() => undefined);
    throw error;
  }
  await send(ports, order, event);
  return 'sent';
};

/** Its credit notes and payments went with it. They are looked for before they are written again, as everything is. */
const forgetMade = async (
  ports: CheckPorts,
  { source, orderId }: WrittenOrder,
  what: string,
  repair: Repair,
): Promise<void> => {
  const intent = intentKey(ports.destination, source, orderId, what);
  const entry = await ports.ledger.peek(intent);
  if (entry?.state !== 'finished') return;
  const claim = await ports.ledger.claim(intent, ports.leaseMs, { reopen: true, isUrgent: true });
  if (claim.kind !== 'claimed') return;
  const { attempt, document } = claim.entry;
  await ports.repairs.forget(intent, attempt, { ...repair, document });
};

/** The newest snapshot, unless the consumer has dealt with a newer one that was never recorded. */
const eventOf = async (
  { destination, journal }: CheckPorts,
  { source, orderId }: WrittenOrder,
): Promise<Envelope<OrderChangedV1> | undefined> => {
  const event = await journal.snapshot(destination, source, orderId);
  const { settled } = await journal.row(destination, source, orderId);
  const isOld = event && settled && precedence(revisionOf(event), settled) === 'older';
  return isOld ? undefined : event;
};

const send = async (
  ports: CheckPorts,
  { source, orderId }: WrittenOrder,
  event: Envelope<OrderChangedV1> | undefined,
): Promise<void> => {
  const id = ports.newId();
  if (event) {
    await ports.publish('order.changed.v1', { meta: { ...event.meta, id, via: 'replay' }, data: event.data });
    return;
  }
  const correlationId = orderReference(source, orderId);
  await ports.publish('order.notified.v1', {
    meta: { id, connection: source, correlationId, receivedAtMs: ports.nowMs(), via: 'replay' },
    data: { source, orderId, why: 'same-version' },
  });
};
