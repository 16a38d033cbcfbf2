import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynamoJournal } from '../../shared/aws/dynamo-journal.ts';
import { dynamoJournalReads } from '../../shared/aws/dynamo-journal-reads.ts';
import { dynamoJourney } from '../../shared/aws/dynamo-journey.ts';
import { dynamoShadowOrders } from '../../shared/aws/dynamo-shadow-orders.ts';
import { dynamoTimelines } from '../../shared/aws/dynamo-timelines.ts';
import { dynamoUnfinished } from '../../shared/aws/dynamo-unfinished.ts';
import type { Journal, Settlement } from '../../shared/core/journal.ts';
import type {
  JournalReads,
  ShadowOrder,
  ShadowOrders,
  Timelines,
  UnfinishedOrder,
  UnfinishedOrders,
} from '../../shared/core/journal-reads.ts';
import { revisionOf } from '../../shared/core/revision.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';
import { type JournalRow, memoryJournal, memoryJournalReads } from '../fakes/memory-journal.ts';
import { anOrder } from '../fakes/orders.ts';

let tables: DynamoTables;

beforeAll(async () => {
  tables = await startDynamoTables();
});
afterAll(() => tables.stop());

const ERP = 'acme-odoo';
const SHOP = 'acme-woo';
const event = (orderId: string, sourceVersion = 7): Envelope<OrderChangedV1> => ({
  meta: { id: `e${orderId}`, connection: SHOP, correlationId: 'c', receivedAtMs: 1, via: 'webhook' },
  data: anOrder({ orderId, sourceVersion }),
});
const step = (code: string, atMs: number) => ({ atMs, code, text: `text of ${code}` });

/** What every place that keeps the journal must answer. */
describe.each(['in memory', 'on DynamoDB'])('the journal as it is read, %s', (where) => {
  let journal: Journal;
  let reads: JournalReads & UnfinishedOrders & ShadowOrders & Timelines;
  let stepsOf: (orderId: string) => Promise<string[]>;

  beforeEach(async () => {
    if (where === 'in memory') {
      const rows = new Map<string, JournalRow>();
      [journal, reads] = [memoryJournal(rows), memoryJournalReads(rows)];
      stepsOf = async (id) => rows.get(`${ERP}#${SHOP}#${id}`)?.steps.map(({ code }) => code) ?? [];
    } else {
      const table = await tables.create({ openIndex: true });
      journal = dynamoJournal(tables.client, table);
      reads = {
        ...dynamoJournalReads(tables.client, table),
        ...dynamoUnfinished(tables.client, table),
        ...dynamoShadowOrders(tables.client, table),
        ...dynamoTimelines(tables.client, table),
      };
      const journey = dynamoJourney(tables.client, table);
      stepsOf = async (id) => (await journey(ERP, SHOP, id))?.steps.map(({ code }) => code) ?? [];
    }
  });
  const record = (orderId: string, atMs: number, to = ERP) =>
    journal.record(to, event(orderId), step('RECEIVED', atMs));
  const settle = (orderId: string, state: Settlement['state'], atMs: number) =>
    journal.settle(ERP, SHOP, orderId, {
      state,
      revision: revisionOf(event(orderId)),
      step: step(state, atMs),
    });
  const unfinished = async (beforeMs: number, destination = ERP): Promise<UnfinishedOrder[]> => {
    const all: UnfinishedOrder[] = [];
    for await (const one of reads.unfinished(destination, beforeMs)) all.push(one);
    return all;
  };
  const told = async (beforeMs: number) =>
    (await unfinished(beforeMs)).map(
      ({ orderId, state, openSinceMs }) => `${orderId} ${state} ${openSinceMs}`,
    );

  it('of what nobody knows: nothing', async () => {
    expect(await reads.row(ERP, SHOP, '1')).toEqual({ recorded: undefined, settled: undefined });
    expect(await reads.snapshot(ERP, SHOP, '1')).toBeUndefined();
    expect(await unfinished(1e15)).toEqual([]);
    await reads.note(ERP, SHOP, '1', step('NOTE', 1));
    expect(await stepsOf('1')).toEqual([]);
  });

  it('both sides of a row, and the snapshot as it was recorded', async () => {
    await record('1', 100);
    expect(await reads.row(ERP, SHOP, '1')).toEqual({ recorded: revisionOf(event('1')), settled: undefined });
    await settle('1', 'done', 200);
    expect(await reads.row(ERP, SHOP, '1')).toMatchObject({ settled: { sourceVersion: 7 } });
    expect(await reads.snapshot(ERP, SHOP, '1')).toEqual(event('1'));
  });

  it('what is unfinished since before a moment, the longest first, whatever the id', async () => {
    await record('a#b%23', 300);
    await record('1', 100);
    await record('2', 200);
    await record('3', 150, 'acme-tryton');
    await settle('2', 'parked', 250);
    await record('4', 120);
    await settle('4', 'done', 130);
    expect(await told(1e15)).toEqual(['1 open 100', '2 parked 200', 'a#b%23 open 300']);
    expect(await told(200)).toEqual(['1 open 100']);
    expect((await unfinished(150))[0]).toEqual({
      source: SHOP,
      orderId: '1',
      state: 'open',
      openSinceMs: 100,
      sweptAtMs: undefined,
      event: event('1'),
    });
    expect((await unfinished(1e15, 'acme-tryton')).map(({ orderId }) => orderId)).toEqual(['3']);
  });

  it('a note is one more step, and changes nothing else', async () => {
    await record('1', 100);
    await settle('1', 'done', 200);
    await reads.note(ERP, SHOP, '1', step('MISSING_IN_ERP', 300));
    expect(await stepsOf('1')).toEqual(['RECEIVED', 'done', 'MISSING_IN_ERP']);
    expect(await unfinished(1e15)).toEqual([]);
  });

  it('a row that is opened again is unfinished from then on, until it is settled', async () => {
    await record('1', 100);
    await reads.swept(ERP, SHOP, '1', step('SWEPT', 150));
    await settle('1', 'done', 200);
    await reads.reopen(ERP, SHOP, '1', step('REPAIRED', 900));
    expect(await stepsOf('1')).toEqual(['RECEIVED', 'SWEPT', 'done', 'REPAIRED']);
    expect(await unfinished(1e15)).toMatchObject([
      { orderId: '1', state: 'open', openSinceMs: 900, sweptAtMs: undefined },
    ]);
    await settle('1', 'done', 950);
    expect(await unfinished(1e15)).toEqual([]);
  });

  it('lists what came in shadow mode on one route, as it was decided last', async () => {
    const seen = async (source = SHOP) => {
      const all: ShadowOrder[] = [];
      for await (const one of reads.seenInShadow(ERP, source)) all.push(one);
      return all.sort((a, b) => (a.orderId < b.orderId ? -1 : 1));
    };
    const shadow = (orderId: string, state: Settlement['state'], wire?: unknown, destination = ERP) =>
      journal.settle(destination, SHOP, orderId, {
        state,
        revision: revisionOf(event(orderId)),
        step: step(state.toUpperCase(), 200),
        inShadow: true,
        ...(wire === undefined ? {} : { wire }),
      });
    for (const id of ['1', '2#%', '3']) await record(id, 100);
    await shadow('1', 'shadow', { lines: [1] });
    await shadow('2#%', 'parked');
    await settle('3', 'done', 200);
    await shadow('4', 'shadow', {}, `${ERP}-2`);
    expect(await seen()).toEqual([
      {
        orderId: '1',
        seen: { atMs: 200, state: 'shadow' },
        order: event('1').data,
        wire: { lines: [1] },
        steps: [step('RECEIVED', 100), step('SHADOW', 200)],
      },
      {
        orderId: '2#%',
        seen: { atMs: 200, state: 'parked' },
        order: event('2#%').data,
        wire: undefined,
        steps: [step('RECEIVED', 100), step('PARKED', 200)],
      },
    ]);
    expect(await seen('acme')).toEqual([]);
  });

  it('what was published again says when', async () => {
    await record('1', 100);
    await reads.swept(ERP, SHOP, '1', step('SWEPT', 900));
    expect(await stepsOf('1')).toEqual(['RECEIVED', 'SWEPT']);
    expect((await unfinished(1e15))[0]).toMatchObject({ openSinceMs: 100, sweptAtMs: 900 });
  });
});
