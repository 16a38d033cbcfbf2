import type { ErpCandidate } from '../../connectors/contract.ts';
import type { OrderChangedV1 } from '../../events/order-changed.ts';
import { acceptanceOf } from '../accept.ts';
import { DAY_MS, documentWindow, matchOrders } from '../adopt.ts';
import { moneyText } from '../money.ts';
import type { CallContext } from '../ports.ts';
import type { AuditedOrders } from './audit.ts';
import type { Difference } from './differences.ts';

/** What is younger is still on its way. */
const IN_FLIGHT_MS = 60 * 60_000;
/** How many days after an order people may date its document. */
const DATED_WITHIN_DAYS = 7;

/**
 * Orders of the last days that the ERP should have and has not, and documents with a reference of this shop that the shop
 * does not know. Entered by hand counts as there. Only reads.
 */
export const auditOrders = async (
  { route, reads, erp }: AuditedOrders,
  { days, nowMs }: { readonly days: number; readonly nowMs: number },
  call: CallContext,
): Promise<{ readonly orders: number; readonly differences: readonly Difference[] }> => {
  const window = { fromMs: nowMs - days * DAY_MS, untilMs: nowMs };
  const orders = new Map<string, OrderChangedV1>();
  const listed = new Set<string>();
  for await (const page of reads.changed(window, call)) {
    for (const { id, fetched } of page) {
      listed.add(id);
      if (fetched?.kind === 'order') orders.set(id, fetched.order);
    }
  }
  const due = [...orders.values()].filter(
    (order) =>
      Date.parse(order.placedAt) >= window.fromMs &&
      acceptanceOf(order, { ...route, mode: 'live' }).kind === 'take',
  );
  const candidates: ErpCandidate[] = [];
  if (erp.adoption) {
    const dated = due.length > 0 ? documentWindow(due, DATED_WITHIN_DAYS) : window;
    const range = { fromMs: Math.min(dated.fromMs, window.fromMs), untilMs: Math.max(dated.untilMs, nowMs) };
    for await (const page of erp.adoption.candidates(range, route, call)) candidates.push(...page);
  }
  const differences: Difference[] = [];
  for (const match of matchOrders(due, candidates, { route, days: DATED_WITHIN_DAYS })) {
    if (match.kind !== 'missing') continue;
    const { order } = match;
    const ageMs = nowMs - Date.parse(order.placedAt);
    differences.push({
      kind: 'order-only-in-shop',
      cause: ageMs < IN_FLIGHT_MS ? 'in-flight' : 'drift',
      shop: route.from,
      sku: order.orderNumber,
      erp: 'not there',
      shows: moneyText(order.total),
      why:
        ageMs < IN_FLIGHT_MS
          ? 'placed within the last hour'
          : 'neither under our reference nor entered by hand: waybill parked list, waybill orders repair',
    });
  }
  const prefix = `${route.from}:`;
  for (const { reference, document, total, datedAtMs, state } of candidates) {
    const id = reference.startsWith(prefix) ? reference.slice(prefix.length) : undefined;
    if (id === undefined || id === '' || id.includes('/') || listed.has(id) || state === 'cancelled')
      continue;
    if (datedAtMs < window.fromMs) continue;
    differences.push({
      kind: 'order-only-in-erp',
      cause: 'drift',
      shop: route.from,
      sku: id,
      erp: `${document.name ?? document.id}, ${moneyText(total)}`,
      shows: 'not there',
      why: 'it carries a reference of this shop, which has no such order: deleted there, or typed in wrongly',
    });
  }
  return { orders: due.length, differences };
};
