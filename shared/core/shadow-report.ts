import type { ErpOrders } from '../connectors/contract.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderRoute } from '../settings/order-route.ts';
import { DAY_MS } from './adopt.ts';
import type { ShadowOrder, ShadowOrders } from './journal-reads.ts';
import type { CallContext, Clock } from './ports.ts';
import { isReasonCode } from './reasons.ts';
import {
  besideEntered,
  type RehearsalRow,
  type Rehearsed,
  rehearsalRow,
  type Verdict,
  verdictOf,
} from './rehearse.ts';

/** What shadow mode would have written since the last report, beside what people entered. No personal data. */
export interface ShadowReport extends Verdict {
  readonly from: string;
  readonly to: string;
  /** Dealt with in shadow mode after that, epoch milliseconds; 0: since the route is in shadow mode. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** What is not as it should be: neither `identical` nor `not-accepted`. At most `MOST_ROWS`. */
  readonly orders: readonly RehearsalRow[];
  /** Ids of orders that the next report looks at again: people may enter them yet, or there was no time. */
  readonly again: readonly string[];
  /** Ids of the documents that were found, by order. */
  readonly documents: Readonly<Record<string, string>>;
}

export interface ShadowReports {
  /** The newest first, of one route. */
  list(destination: string, source: string, most: number): Promise<readonly ShadowReport[]>;
  /** @returns false: another run was faster, there is a report of what came since then */
  put(report: ShadowReport): Promise<boolean>;
}

export interface ShadowReportPorts {
  readonly route: OrderRoute;
  readonly erp: Pick<ErpOrders, 'adoption'>;
  readonly journal: ShadowOrders;
  readonly reports: ShadowReports;
  readonly nowMs: Clock;
  /** Consumers may still be writing down what they decided so long ago. */
  readonly marginMs: number;
}

/** People may enter an order so long after it was placed. */
const DAYS = 7;
/** More says no more, and an item of a table holds 400 KB. */
export const MOST_ROWS = 500;
/** As long as there are documents that an order of today may be confused with. */
const REPORTS_BACK = DAYS + 1;

/**
 * Compares what shadow mode has recorded since the last report with what people entered into the ERP. Only reads, but for the
 * report itself. What people have not entered yet is looked at again by the next reports, for a week.
 * @returns undefined: another run was faster
 * @throws RetryableError the ERP does not answer
 */
export const reportShadow = async (
  ports: ShadowReportPorts,
  call: CallContext & { readonly endMs: number },
): Promise<ShadowReport | undefined> => {
  const { route, erp, journal, reports, nowMs } = ports;
  const { from, to } = route;
  const { adoption } = erp;
  if (!adoption) throw new TypeError(`${to} cannot say what people entered by hand`);
  const before = await reports.list(to, from, REPORTS_BACK);
  const sinceMs = before[0]?.untilMs ?? 0;
  const untilMs = Math.max(sinceMs, nowMs() - ports.marginMs);
  const waiting = new Set(before[0]?.again);

  const done: Rehearsed[] = [];
  const again: string[] = [];
  const wires = new Map<OrderChangedV1, unknown>();
  const seenAtMs = new Map<string, number>();
  for await (const one of journal.seenInShadow(to, from)) {
    const { orderId, seen, order, wire } = one;
    if (seen.atMs > untilMs || (seen.atMs <= sinceMs && !waiting.has(orderId))) continue;
    if (seen.state === 'shadow' && order) {
      wires.set(order, wire);
      seenAtMs.set(orderId, seen.atMs);
    } else done.push(withoutWire(one));
  }
  const orders = new Set([...wires.keys()].map(({ orderId }) => orderId));
  const taken = new Set(
    before
      .flatMap(({ documents }) => Object.entries(documents))
      .flatMap(([orderId, id]) => (orders.has(orderId) ? [] : [id])),
  );
  const isWaitedFor = (orderId: string) => untilMs - (seenAtMs.get(orderId) ?? 0) < DAYS * DAY_MS;
  const documents: Record<string, string> = {};
  for await (const one of besideEntered({ route, adoption }, wires, { days: DAYS, taken }, call)) {
    done.push(one);
    orders.delete(one.orderId);
    if ('document' in one) documents[one.orderId] = one.document.id;
    if ((one.outcome === 'missing' || one.outcome === 'ambiguous') && isWaitedFor(one.orderId)) {
      again.push(one.orderId);
    }
    if (nowMs() >= call.endMs) break;
  }
  const isWorthARow = ({ outcome }: Rehearsed) => outcome !== 'identical' && outcome !== 'not-accepted';
  const report: ShadowReport = {
    ...verdictOf(done),
    from,
    to,
    sinceMs,
    untilMs,
    orders: done
      .filter(isWorthARow)
      .map((one) => rehearsalRow(one, route))
      .sort((a, b) => (a.placedAt ?? '').localeCompare(b.placedAt ?? ''))
      .slice(0, MOST_ROWS),
    // What is left of `orders`: time ran out.
    again: [...again, ...orders],
    documents,
  };
  return (await reports.put(report)) ? report : undefined;
};

/** What shadow mode decided instead of writing. */
const withoutWire = ({ orderId, seen, order, steps }: ShadowOrder): Rehearsed => {
  const parked = steps.findLast(({ code }) => isReasonCode(code));
  return seen.state === 'parked' && parked
    ? { orderId, order, outcome: 'unmappable', code: parked.code, reason: parked.text }
    : { orderId, order, outcome: 'not-accepted', reason: steps.at(-1)?.text ?? '' };
};
