import type {
  DocumentDifference,
  ErpAdoption,
  ErpOrders,
  Mappings,
  PeerDocument,
} from '../connectors/contract.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { acceptanceOf } from './accept.ts';
import { documentWindow, matchOrders } from './adopt.ts';
import { PermanentError } from './errors.ts';
import { orderReference } from './intent-key.ts';
import { inRouteCurrency } from './map-order.ts';
import { moneyText } from './money.ts';
import { type HistoryPorts, orderHistory } from './order-history.ts';
import { assertAddsUp } from './order-totals.ts';
import type { CallContext } from './ports.ts';

export interface RehearsePorts extends Omit<HistoryPorts, 'source'> {
  readonly route: OrderRoute;
  readonly erp: Pick<ErpOrders, 'resolve' | 'toWire' | 'adoption'>;
  readonly mappings: Mappings;
}

export interface RehearseRange {
  /** Orders placed from then on, epoch milliseconds. */
  readonly fromMs: number;
  /** How many days after an order its document may be dated. */
  readonly days: number;
}

/**
 * What would have become of one order. identical, different: from the document that people entered (`differences`). missing,
 * ambiguous: which document it is cannot be said. unmappable: it would have been parked. unreadable: the shop's own answer.
 * not-accepted: nothing would have been written.
 */
export type Rehearsed = {
  readonly orderId: string;
  readonly order?: OrderChangedV1 | undefined;
} & (
  | {
      readonly outcome: 'identical' | 'different';
      readonly document: PeerDocument;
      readonly differences: readonly DocumentDifference[];
    }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'ambiguous'; readonly documents: readonly PeerDocument[] }
  | { readonly outcome: 'unmappable'; readonly code: string; readonly reason: string }
  | { readonly outcome: 'unreadable' | 'not-accepted'; readonly reason: string }
);

/**
 * Real orders of the last days, mapped as they would be written, beside the documents that people entered for them. Writes
 * nothing, neither here nor there, whatever the mode of the route.
 * @throws RetryableError the storefront or the ERP does not answer
 */
export const rehearse = async (
  ports: RehearsePorts,
  { fromMs, days }: RehearseRange,
  call: CallContext,
): Promise<readonly Rehearsed[]> => {
  const { route, erp } = ports;
  const { adoption } = erp;
  if (!adoption) throw new TypeError(`${route.to} cannot say what people entered by hand`);
  const history = await orderHistory(
    { ...ports, source: route.from },
    fromMs,
    (placedAtMs) => placedAtMs >= fromMs,
    call,
  );
  const done: Rehearsed[] = history.unreadable.map((one) => ({ ...one, outcome: 'unreadable' }));
  const wires = new Map<OrderChangedV1, unknown>();
  for (const { data: order } of history.events) {
    const { orderId } = order;
    const acceptance = acceptanceOf(order, { ...route, mode: 'live', startAt: order.placedAt });
    if (acceptance.kind === 'skip') {
      done.push({ orderId, order, outcome: 'not-accepted', reason: acceptance.why });
      continue;
    }
    try {
      wires.set(order, await mapped(ports, order, call));
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      const { code, text } = error;
      done.push({ orderId, order, outcome: 'unmappable', code, reason: text.reason });
    }
  }
  for await (const one of besideEntered({ route, adoption }, wires, { days }, call)) done.push(one);
  return done;
};

/**
 * Orders of one shop, as they would be written, beside the documents that people entered for them; one after another, in
 * their order.
 * @param wires what would be written of each
 * @param range `taken`: ids of documents that are other orders'
 */
export async function* besideEntered(
  { route, adoption }: { readonly route: OrderRoute; readonly adoption: ErpAdoption },
  wires: ReadonlyMap<OrderChangedV1, unknown>,
  { days, taken }: Pick<RehearseRange, 'days'> & { readonly taken?: ReadonlySet<string> },
  call: CallContext,
): AsyncGenerator<Rehearsed & { readonly order: OrderChangedV1 }> {
  const orders = [...wires.keys()];
  if (orders.length === 0) return;
  const candidates = [];
  for await (const page of adoption.candidates(documentWindow(orders, days), route, call)) {
    candidates.push(...page.filter(({ document }) => !taken?.has(document.id)));
  }
  for (const match of matchOrders(orders, candidates, { route, days })) {
    const { order } = match;
    const about = { orderId: order.orderId, order };
    if (match.kind === 'ambiguous') {
      yield { ...about, outcome: 'ambiguous', documents: match.candidates.map(({ document }) => document) };
    } else if ('candidate' in match) {
      const { document } = match.candidate;
      const differences = await adoption.compare(document, wires.get(order), route, call);
      yield {
        ...about,
        outcome: differences.length === 0 ? 'identical' : 'different',
        document,
        differences,
      };
    } else yield { ...about, outcome: 'missing' };
  }
}

/** As in shadow mode: not even a customer is created on the way. */
const mapped = async (
  { erp, route, mappings }: RehearsePorts,
  snapshot: OrderChangedV1,
  call: CallContext,
): Promise<unknown> => {
  const order = inRouteCurrency(snapshot, route);
  assertAddsUp(order);
  const refs = await erp.resolve(order, { ...call, route, mappings, once: undefined });
  return erp.toWire(order, refs, orderReference(order.source, order.orderId), route).value;
};

/** One order of the shop, and what would have become of it. No personal data. */
export interface RehearsalRow {
  readonly orderId: string;
  readonly orderNumber?: string | undefined;
  readonly placedAt?: string | undefined;
  readonly total?: string | undefined;
  readonly outcome: Rehearsed['outcome'];
  /** Of `unmappable`. */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly documents: readonly string[];
  readonly differences: readonly DocumentDifference[];
}

export const rehearsalRow = (one: Rehearsed, route: OrderRoute): RehearsalRow => {
  const { orderId, order, outcome } = one;
  const documents =
    'document' in one ? [nameOf(one.document)] : 'documents' in one ? one.documents.map(nameOf) : [];
  return {
    orderId,
    orderNumber: order?.orderNumber,
    placedAt: order?.placedAt,
    total: order && moneyText(inRouteCurrency(order, route).total),
    outcome,
    code: 'code' in one ? one.code : undefined,
    reason: 'reason' in one ? one.reason : undefined,
    documents,
    differences: 'differences' in one ? one.differences : [],
  };
};

const nameOf = ({ id, name }: PeerDocument): string => name ?? id;

export interface Verdict {
  readonly isReady: boolean;
  /** Of the orders whose document is known, percent with one decimal; undefined: of none. */
  readonly identicalPercent: number | undefined;
  readonly counts: Partial<Record<Rehearsed['outcome'], number>>;
  /** Why orders would have been parked, the most frequent first. */
  readonly failing: readonly { readonly code: string; readonly orders: number; readonly reason: string }[];
  /** Where documents differ, the most frequent first. */
  readonly differing: readonly { readonly what: DocumentDifference['what']; readonly orders: number }[];
}

/** Ready: every order would have been written, and each as people wrote it. */
export const verdictOf = (rehearsed: readonly Rehearsed[]): Verdict => {
  const counts: Partial<Record<Rehearsed['outcome'], number>> = {};
  for (const { outcome } of rehearsed) counts[outcome] = (counts[outcome] ?? 0) + 1;
  const { identical = 0, different = 0, unmappable = 0, unreadable = 0 } = counts;
  const compared = identical + different;
  const unmapped = rehearsed.flatMap((one) => (one.outcome === 'unmappable' ? [one] : []));
  // One reason names one tax or SKU: these are what has to be mended.
  const failing = [...Map.groupBy(unmapped, ({ code, reason }) => `${code} ${reason}`).values()].flatMap(
    (alike) => (alike[0] ? [{ code: alike[0].code, orders: alike.length, reason: alike[0].reason }] : []),
  );
  const whats = rehearsed.flatMap((one) =>
    one.outcome === 'different' ? [...new Set(one.differences.map(({ what }) => what))] : [],
  );
  const differing = [...Map.groupBy(whats, (what) => what)].map(([what, all]) => ({
    what,
    orders: all.length,
  }));
  return {
    isReady: compared > 0 && different + unmappable + unreadable === 0,
    identicalPercent: compared === 0 ? undefined : Math.floor((identical * 1000) / compared) / 10,
    counts,
    failing: failing.sort((a, b) => b.orders - a.orders),
    differing: differing.sort((a, b) => b.orders - a.orders),
  };
};
