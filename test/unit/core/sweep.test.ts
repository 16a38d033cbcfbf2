import { expect, it } from 'vitest';
import { RetryableError } from '../../../shared/core/errors.ts';
import type { Settlement } from '../../../shared/core/journal.ts';
import { type SweepPorts, sweepOrders } from '../../../shared/core/sweep.ts';
import type { Envelope } from '../../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { type JournalRow, memoryJournal, memoryJournalReads } from '../../fakes/memory-journal.ts';
import { anOrder } from '../../fakes/orders.ts';

const KEPT_MS = 1_000;
const open = () => {
  let now = 0;
  const rows = new Map<string, JournalRow>();
  const journal = memoryJournal(rows);
  const published: Envelope<OrderChangedV1>[] = [];
  const swept: string[] = [];
  const waiting = new Map<string, string[]>();
  const ports: SweepPorts = {
    destinations: ['odoo', 'tryton'],
    unfinished: memoryJournalReads(rows),
    parked: { references: async (connection) => new Set(waiting.get(connection)) },
    timeline: memoryJournalReads(rows),
    publish: async (_name, event) => {
      published.push(event as Envelope<OrderChangedV1>);
    },
    nowMs: () => now,
    newId: () => `new${published.length}`,
    keptMs: KEPT_MS,
    onSwept: (...order) => swept.push(order.join(' ')),
  };
  const record = (to: string, orderId: string, sourceVersion = 7) =>
    journal.record(
      to,
      {
        meta: {
          id: `e${sourceVersion}`,
          connection: 'woo',
          correlationId: 'c',
          receivedAtMs: 5,
          via: 'fetch',
          fetchedAtMs: 4,
        },
        data: anOrder({ source: 'woo', orderId, sourceVersion }),
      },
      { atMs: now, code: 'RECEIVED', text: '' },
    );
  const revision = { sourceVersion: 7, contentHash: anOrder().contentHash, seenAtMs: 4, fetched: true };
  const settle = (to: string, orderId: string, settlement: Pick<Settlement, 'state' | 'isProvisional'>) =>
    journal.settle(to, 'woo', orderId, {
      revision,
      step: { atMs: now, code: settlement.state.toUpperCase(), text: '' },
      ...settlement,
    });
  const close = (to: string, orderId: string) => journal.close(to, 'woo', orderId, revision, now);
  const run = (over: Partial<SweepPorts> = {}, endMs = Number.POSITIVE_INFINITY) =>
    sweepOrders({ ...ports, ...over }, { endMs });
  return {
    record,
    settle,
    close,
    run,
    published,
    swept,
    rows,
    waiting,
    wait: (ms: number) => {
      now += ms;
    },
  };
};

it('what no queue can hold any more is published again, as it was, under another id', async () => {
  const at = open();
  await at.record('odoo', '1');
  at.wait(KEPT_MS + 1);
  expect(await at.run()).toEqual({ kind: 'done', looked: 1, published: 1, parked: 0 });
  expect(at.published).toEqual([
    {
      meta: {
        id: 'new0',
        connection: 'woo',
        correlationId: 'c',
        receivedAtMs: 5,
        via: 'replay',
        fetchedAtMs: 4,
      },
      data: expect.objectContaining({ orderId: '1', sourceVersion: 7 }),
    },
  ]);
  expect(at.swept).toEqual(['odoo woo 1']);
});

it('what a queue may still hold is left alone, also after an earlier sweep', async () => {
  const at = open();
  await at.record('odoo', '1');
  at.wait(KEPT_MS);
  expect(await at.run()).toMatchObject({ looked: 0 });
  at.wait(1);
  expect(await at.run()).toMatchObject({ published: 1 });
  at.wait(KEPT_MS);
  expect(await at.run()).toMatchObject({ looked: 1, published: 0 });
  at.wait(1);
  expect(await at.run()).toMatchObject({ published: 1 });
});

it('one event for two ERPs that have not finished the same; two where they know different copies', async () => {
  const at = open();
  for (const erp of ['odoo', 'tryton']) await at.record(erp, '1');
  await at.record('odoo', '2', 8);
  await at.record('tryton', '2', 9);
  at.wait(KEPT_MS + 1);
  expect(await at.run()).toMatchObject({ published: 4 });
  expect(at.published.map(({ data }) => `${data.orderId} ${data.sourceVersion}`)).toEqual([
    '1 7',
    '2 8',
    '2 9',
  ]);
});

it('what waits for a person is left alone; what a person has sent again is not', async () => {
  const at = open();
  for (const orderId of ['1', '2']) {
    await at.record('odoo', orderId);
    await at.settle('odoo', orderId, { state: 'parked' });
  }
  at.waiting.set('odoo', ['woo:1']).set('tryton', ['woo:2']);
  at.wait(KEPT_MS + 1);
  expect(await at.run()).toEqual({ kind: 'done', looked: 2, published: 1, parked: 1 });
  expect(at.published.map(({ data }) => data.orderId)).toEqual(['2']);
  at.wait(1);
  expect(await at.run()).toMatchObject({ published: 0, parked: 1 });
});

it('what was settled but has to be looked at once more is published again; what was looked at is not', async () => {
  const at = open();
  for (const orderId of ['1', '2']) {
    await at.record('odoo', orderId);
    await at.settle('odoo', orderId, { state: 'skipped', isProvisional: true });
  }
  await at.close('odoo', '2');
  at.wait(KEPT_MS + 1);
  expect(await at.run()).toMatchObject({ looked: 1, published: 1 });
  expect(at.published.map(({ data }) => data.orderId)).toEqual(['1']);
});

it('the bus refuses: nothing is noted, and the next run does it', async () => {
  const at = open();
  await at.record('odoo', '1');
  at.wait(KEPT_MS + 1);
  const publish = async () => {
    throw new RetryableError('NOT_PUBLISHED', 'the bus refused the event');
  };
  await expect(at.run({ publish })).rejects.toMatchObject({ code: 'NOT_PUBLISHED' });
  expect(await at.run()).toMatchObject({ published: 1 });
});

it('time runs out: the next run does the rest', async () => {
  const at = open();
  await at.record('odoo', '1');
  await at.record('odoo', '2');
  at.wait(KEPT_MS + 1);
  const onSwept = () => at.wait(1);
  expect(await at.run({ onSwept }, KEPT_MS + 2)).toMatchObject({ kind: 'continues', published: 1 });
  expect(await at.run()).toMatchObject({ kind: 'done', published: 1 });
  expect(at.published.map(({ data }) => data.orderId)).toEqual(['1', '2']);
});
