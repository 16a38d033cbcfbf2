import type { ParkedAction, ParkedRow } from '../../../shared/core/parked.ts';
import type { HeldMessage, ParkedPorts } from '../../../shared/core/redrive.ts';
import { type JournalRow, memoryJournal, memoryJournalReads } from '../../fakes/memory-journal.ts';
import { anOrder } from '../../fakes/orders.ts';

export const NOW = 1_764_000_000_000;

export const aRow = (override: Partial<ParkedRow> = {}): ParkedRow => ({
  connection: 'acme-odoo',
  id: 'm1',
  code: 'UNMAPPED_TAX',
  params: {
    line: { kind: 'line', number: 1, title: 'Lamp' },
    tax: '1',
    source: 'acme-woo',
    destination: 'acme-odoo',
  },
  text: { reason: 'the reason', remedy: 'the remedy' },
  source: 'acme-woo',
  orderId: '1001',
  orderNumber: '1001',
  sourceVersion: 7,
  parkedAtMs: NOW - 60_000,
  receives: 1,
  state: 'parked',
  actions: [],
  ...override,
});

/** What EventBridge puts into the queue of an ERP. */
export const eventOf = (orderId: string, sourceVersion = 7) => ({
  meta: {
    id: `e-${orderId}`,
    connection: 'acme-woo',
    correlationId: `c-${orderId}`,
    receivedAtMs: NOW - 120_000,
    via: 'webhook' as const,
  },
  data: anOrder({ orderId, orderNumber: orderId, sourceVersion }),
});
export const bodyOf = (orderId: string, sourceVersion?: number): string =>
  JSON.stringify({ 'detail-type': 'order.changed.v1', detail: eventOf(orderId, sourceVersion) });

export const aMessage = (override: Partial<HeldMessage> & { messageId: string }): HeldMessage => ({
  parkedId: undefined,
  redriveOf: undefined,
  told: undefined,
  byAws: { by: 'sqs', receives: 100 },
  body: bodyOf('1001'),
  sentAtMs: NOW - 60_000,
  receives: 1,
  handle: `handle of ${override.messageId}`,
  ...override,
});

/** Index, queues and journal in memory; what is done to them, in its order. */
export const memoryParked = (given: { rows?: readonly ParkedRow[]; messages?: readonly HeldMessage[] }) => {
  const rows = new Map((given.rows ?? []).map((row) => [row.id, row]));
  const visible = [...(given.messages ?? [])];
  const hidden: HeldMessage[] = [];
  const source: { body: string; redriveOf: string; group: string | undefined }[] = [];
  const log: string[] = [];
  const journal = new Map<string, JournalRow>();
  let now = NOW;
  const slept: number[] = [];
  const without = (list: HeldMessage[], { messageId }: HeldMessage) => {
    const at = list.findIndex((one) => one.messageId === messageId);
    return at >= 0 && list.splice(at, 1).length > 0;
  };
  const ports: ParkedPorts = {
    rows: {
      list: async (connection) =>
        [...rows.values()].filter((row) => row.connection === connection && row.state === 'parked'),
      get: async (_connection, id) => rows.get(id),
      find: async (_connection, prefix) => [...rows.values()].filter(({ id }) => id.startsWith(prefix)),
      begin: async ({ id }, action: ParkedAction) => {
        const row = rows.get(id);
        if (row?.state !== 'parked') return false;
        log.push(`begin ${action.verb} ${id} by ${action.by}: ${action.why}`);
        rows.set(id, { ...row, actions: [...row.actions, action], result: undefined });
        return true;
      },
      close: async ({ id }, state) => {
        log.push(`close ${id} ${state}`);
        const row = rows.get(id);
        if (row) rows.set(id, { ...row, state });
      },
    },
    index: {
      put: async (message) => {
        log.push(`put ${message.id} ${message.code}`);
        rows.set(message.id, { ...message, state: 'parked', actions: rows.get(message.id)?.actions ?? [] });
      },
    },
    messages: () => ({
      count: async () => visible.length + hidden.length,
      take: async () => {
        const taken = visible.splice(0, 10);
        hidden.push(...taken);
        return taken;
      },
      putBack: async (message) => {
        if (without(hidden, message)) visible.push(message);
      },
      send: async (message: Partial<HeldMessage> & { body: string }, { id, source: group }) => {
        log.push(`send ${message.messageId ?? 'as the journal holds it'}`);
        source.push({ body: message.body, redriveOf: id, group });
      },
      delete: async (message) => {
        log.push(`delete ${message.messageId}`);
        without(hidden, message);
      },
    }),
    journal: { ...memoryJournal(journal), ...memoryJournalReads(journal) },
    newId: () => 'new',
    nowMs: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  };
  const wait = (ms: number) => {
    now += ms;
  };
  return { ports, rows, visible, hidden, source, log, journal, slept, wait };
};
