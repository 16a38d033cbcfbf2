import type { ListedOrder, StorefrontReads } from '../../shared/connectors/contract.ts';
import type { Cursors } from '../../shared/core/cursors.ts';
import type { Clock } from '../../shared/core/ports.ts';
import type { ReconcilePorts } from '../../shared/core/reconcile.ts';
import { walkChanges } from '../../shared/core/walk-changes.ts';
import type { Publish } from '../../shared/events/catalogue.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import type { OrderNotifiedV1 } from '../../shared/events/order-notified.ts';
import { memoryCursors } from './memory-cursors.ts';
import { type JournalRow, memoryJournal, memoryJournalReads } from './memory-journal.ts';
import { anOrder } from './orders.ts';

interface Version {
  readonly atMs: number;
  /** Its transaction commits late: the list shows it only from then on. */
  readonly visibleAtMs: number;
  readonly contentHash: string;
}

export const SHOP = 'acme-woo';
export const ERP = 'acme-odoo';
const PAGE = 3;

/** A shop whose orders change, in memory; what is published is recorded at once, as the recorder does. */
export const changingShop = (options: { readonly startMs: number; readonly idsOnly?: boolean }) => {
  let now = options.startMs;
  const nowMs: Clock = () => now;
  const orders = new Map<string, Version[]>();
  const rows = new Map<string, JournalRow>();
  const journal = memoryJournal(rows);
  const changed: Envelope<OrderChangedV1>[] = [];
  const notified: Envelope<OrderNotifiedV1>[] = [];
  const windows: { fromMs: number; untilMs: number }[] = [];
  let ids = 0;
  let changes = 0;

  const orderOf = (id: string, { atMs, contentHash }: Version): OrderChangedV1 =>
    anOrder({ source: SHOP, orderId: id, orderNumber: id, sourceVersion: atMs, contentHash });
  const visible = (): ListedOrder[] =>
    [...orders].flatMap(([id, versions]) => {
      const version = versions.findLast(({ visibleAtMs }) => visibleAtMs <= now);
      if (!version) return [];
      const fetched = { kind: 'order', order: orderOf(id, version), warnings: [] } as const;
      return [{ id, changedAtMs: version.atMs, ...(options.idsOnly ? {} : { fetched }) }];
    });
  const reads: Pick<StorefrontReads, 'changed'> = {
    changed: (window) => {
      windows.push(window);
      return walkChanges(window, async (fromMs, page: number | undefined = 1) => {
        const found = visible()
          .filter(({ changedAtMs }) => changedAtMs >= fromMs)
          .sort((a, b) => a.changedAtMs - b.changedAtMs || Number(a.id) - Number(b.id));
        const end = page * PAGE;
        return { rows: found.slice(end - PAGE, end), next: end < found.length ? page + 1 : undefined };
      });
    },
  };
  const record = (event: Envelope<OrderChangedV1>, to = ERP) =>
    journal.record(to, event, { atMs: now, code: 'RECEIVED', text: `by ${event.meta.via}` });
  const publish: Publish = async (name, event) => {
    if (name === 'order.changed.v1') {
      changed.push(event as Envelope<OrderChangedV1>);
      await record(event as Envelope<OrderChangedV1>);
    } else notified.push(event as Envelope<OrderNotifiedV1>);
  };
  const push = async (id: string, version: Version) => {
    const meta = {
      id: `w${changes}`,
      connection: SHOP,
      correlationId: id,
      receivedAtMs: now,
      via: 'webhook',
    } as const;
    await record({ meta, data: orderOf(id, version) });
  };
  const cursors: Cursors = memoryCursors(nowMs);
  const ports: ReconcilePorts = {
    source: SHOP,
    destinations: [ERP],
    startMs: options.startMs,
    reads,
    cursors,
    journal: memoryJournalReads(rows),
    publish,
    nowMs,
    newId: () => `e${++ids}`,
    leaseMs: 60_000,
    overlapMs: 600_000,
    inFlightMs: 300_000,
  };
  return {
    ports,
    orders,
    rows,
    changed,
    notified,
    windows,
    journal,
    record,
    nowMs,
    wait: (ms: number) => {
      now += ms;
    },
    /** Something about an order changes, or it is placed; a webhook brings it unless it is lost. */
    change: async (
      id: string,
      { lagMs = 0, webhook = true, content }: { lagMs?: number; webhook?: boolean; content?: string } = {},
    ) => {
      changes += 1;
      const version = { atMs: now, visibleAtMs: now + lagMs, contentHash: content ?? `c${changes}` };
      orders.set(id, [...(orders.get(id) ?? []), version]);
      if (webhook) await push(id, version);
    },
    /** Ids and versions that reconciliation published, in that order. */
    published: () => changed.map(({ data }) => `${data.orderId}@${data.sourceVersion - options.startMs}`),
  };
};
