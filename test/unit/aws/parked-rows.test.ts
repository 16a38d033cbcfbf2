import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { dynamoJournal } from '../../../shared/aws/dynamo-journal.ts';
import { dynamoJourney } from '../../../shared/aws/dynamo-journey.ts';
import { dynamoParked } from '../../../shared/aws/dynamo-parked.ts';
import { dynamoParkedRows } from '../../../shared/aws/dynamo-parked-rows.ts';
import { dynamoWaitingOrders } from '../../../shared/aws/dynamo-waiting-orders.ts';
import type { ParkedIndex, ParkedMessage, ParkedRows, WaitingOrders } from '../../../shared/core/parked.ts';
import { revisionOf } from '../../../shared/core/revision.ts';
import { type DynamoTables, startDynamoTables } from '../../fakes/dynamo-tables.ts';
import { aRow, eventOf } from '../parked/memory-parked.ts';

let tables: DynamoTables;
let index: ParkedIndex;
let rows: ParkedRows;
let waiting: WaitingOrders;
beforeAll(async () => {
  tables = await startDynamoTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  const table = await tables.create({ sortKey: true });
  index = dynamoParked(tables.client, table);
  rows = dynamoParkedRows(tables.client, table);
  waiting = dynamoWaitingOrders(tables.client, table);
});

const message = (override: Partial<ParkedMessage> = {}): ParkedMessage => {
  const { state: _, actions: __, ...rest } = aRow();
  return {
    ...rest,
    detail: 'the words of the peer',
    attempts: 2,
    correlationId: 'c',
    previousId: 'm0',
    ...override,
  };
};
const action = (by: string) => ({ verb: 'redrive' as const, by, why: 'mapped', atMs: 5 });
const row = async (id = 'm1') => {
  const found = await rows.get('acme-odoo', id);
  if (!found) throw new Error(`no row ${id}`);
  return found;
};

it('reads back what was put, of its connection only, oldest first', async () => {
  await index.put(message({ id: 'm2', parkedAtMs: 20 }));
  await index.put(message({ id: 'm1', parkedAtMs: 10 }));
  await index.put(message({ id: 'm3', connection: 'acme-woo' }));
  expect((await rows.list('acme-odoo')).map(({ id }) => id)).toEqual(['m1', 'm2']);
  expect(await row('m2')).toEqual({ ...message({ id: 'm2', parkedAtMs: 20 }), state: 'parked', actions: [] });
  expect(await rows.get('acme-odoo', 'm3')).toBeUndefined();
});

it('says which orders a person is asked about', async () => {
  await index.put(message({ id: 'm1', orderId: '1' }));
  await index.put(message({ id: 'm2', orderId: '2' }));
  await index.put(message({ id: 'm3', connection: 'acme-woo', orderId: '3' }));
  await index.put(message({ id: 'm4', source: undefined, orderId: undefined }));
  await rows.close(await row('m2'), 'redriven', 1_000);
  expect(await waiting.references('acme-odoo')).toEqual(new Set(['acme-woo:1']));
});

it('lists only what waits, and finds the rest by the beginning of its id', async () => {
  await index.put(message({ id: 'abc-1' }));
  await index.put(message({ id: 'abc-2' }));
  await index.put(message({ id: 'abd-3' }));
  await rows.close(await row('abc-1'), 'redriven', 1_000);
  expect((await rows.list('acme-odoo')).map(({ id }) => id)).toEqual(['abc-2', 'abd-3']);
  expect((await rows.find('acme-odoo', 'abc')).map(({ id, state }) => [id, state])).toEqual([
    ['abc-1', 'redriven'],
    ['abc-2', 'parked'],
  ]);
});

it('writes down who acts while it waits, forgets the answer before, and refuses afterwards', async () => {
  await index.put(message());
  await index.answer('acme-odoo', 'm1', { atMs: 1, outcome: 'retry' });
  expect(await rows.begin(await row(), action('ada'))).toBe(true);
  expect(await row()).toMatchObject({ actions: [{ by: 'ada' }], result: undefined });
  await rows.close(await row(), 'redriven', 1_000);
  expect(await rows.begin(await row(), action('bob'))).toBe(false);
  expect((await row()).actions).toEqual([action('ada')]);
});

it('takes the answer of a consumer at any time, but makes no row of it', async () => {
  await index.put(message());
  await rows.close(await row(), 'redriven', 1_000);
  await index.answer('acme-odoo', 'm1', { atMs: 7, outcome: 'written', documentName: 'S00001' });
  expect((await row()).result).toEqual({ atMs: 7, outcome: 'written', documentName: 'S00001' });
  await index.answer('acme-odoo', 'unknown', { atMs: 7, outcome: 'written' });
  expect(await rows.get('acme-odoo', 'unknown')).toBeUndefined();
});

it('waits again, with its history, when the same message is parked once more', async () => {
  await index.put(message());
  await rows.begin(await row(), action('ada'));
  await index.answer('acme-odoo', 'm1', { atMs: 7, outcome: 'parked', code: 'UNMAPPED_TAX' });
  await rows.close(await row(), 'redriven', 1_000);
  await index.put(message({ code: 'UNKNOWN_SKU', detail: undefined, receives: 9 }));
  expect(await row()).toEqual({
    ...message({ code: 'UNKNOWN_SKU', detail: undefined, receives: 9 }),
    state: 'parked',
    actions: [action('ada')],
    result: undefined,
  });
});

it('keeps words that would outgrow an item, cut', async () => {
  await index.put(
    message({ detail: `${'x'.repeat(3_999)}😀`, params: { list: Array(40_000).fill('12345') } }),
  );
  expect(await row()).toMatchObject({ detail: `${'x'.repeat(3_999)}\uFFFD`, params: {} });
});

it('tells the journey of an order: its steps, and what became of it', async () => {
  const table = await tables.create({ openIndex: true });
  const journal = dynamoJournal(tables.client, table);
  const journey = dynamoJourney(tables.client, table);
  expect(await journey('acme-odoo', 'acme-woo', '1001')).toBeUndefined();
  const event = eventOf('1001');
  const received = { atMs: 1_000, code: 'RECEIVED', text: 'by webhook' };
  const parked = { atMs: 2_000, code: 'UNMAPPED_TAX', text: 'no row' };
  const discarded = { atMs: 3_000, code: 'DISCARDED', text: 'by ada' };
  const revision = revisionOf(event);
  const settle = journal.settle.bind(undefined, 'acme-odoo', 'acme-woo', '1001');
  await journal.record('acme-odoo', event, received);
  await settle({ state: 'parked', revision, step: parked });
  expect(await journey('acme-odoo', 'acme-woo', '1001')).toEqual({
    state: 'parked',
    openSinceMs: 1_000,
    steps: [received, parked],
    document: undefined,
  });
  await settle({ state: 'discarded', revision, step: discarded });
  expect(await journey('acme-odoo', 'acme-woo', '1001')).toMatchObject({
    state: 'discarded',
    openSinceMs: undefined,
    steps: [received, parked, discarded],
  });
});
