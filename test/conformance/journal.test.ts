import { gunzipSync } from 'node:zlib';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynamoJournal } from '../../shared/aws/dynamo-journal.ts';
import { dynamoTimelines } from '../../shared/aws/dynamo-timelines.ts';
import { journeyKey } from '../../shared/core/intent-key.ts';
import type { Journal, Settlement } from '../../shared/core/journal.ts';
import { revisionOf } from '../../shared/core/revision.ts';
import type { Envelope } from '../../shared/events/envelope.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { JOURNAL_OPEN_INDEX } from '../../shared/observability/names.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';
import { anOrder } from '../fakes/orders.ts';

let tables: DynamoTables;
let table: string;
let journal: Journal;

beforeAll(async () => {
  tables = await startDynamoTables();
});
afterAll(() => tables.stop());
beforeEach(async () => {
  table = await tables.create({ openIndex: true });
  journal = dynamoJournal(tables.client, table);
});

const ERP = 'acme-odoo';
const SHOP = 'acme-woo';
const event = (sourceVersion: number, override: Partial<OrderChangedV1> = {}): Envelope<OrderChangedV1> => ({
  meta: { id: `e${sourceVersion}`, connection: SHOP, correlationId: 'c', receivedAtMs: 1, via: 'webhook' },
  data: anOrder({ sourceVersion, ...override }),
});
const step = (code: string, atMs = 1_000) => ({ atMs, code, text: `text of ${code}` });
const record = (sourceVersion: number, atMs = 1_000) =>
  journal.record(ERP, event(sourceVersion), step(`RECEIVED ${sourceVersion}`, atMs));
const settle = (
  state: Settlement['state'],
  sourceVersion: number,
  more: Partial<Settlement> & { atMs?: number } = {},
) => {
  const { atMs = 2_000, ...rest } = more;
  return journal.settle(ERP, SHOP, '1001', {
    state,
    revision: revisionOf(event(sourceVersion)),
    step: step(`${state.toUpperCase()} ${sourceVersion}`, atMs),
    ...rest,
  });
};

/** The row as an operator's tool reads it. */
const row = async (orderId = '1001') => {
  const item = await tables.item(table, journeyKey(ERP, SHOP, orderId));
  const bytes = item?.['snapshot']?.B;
  return {
    state: item?.['state']?.S,
    snapshot: bytes ? (JSON.parse(gunzipSync(bytes).toString()) as Envelope<OrderChangedV1>) : undefined,
    steps: item?.['steps']?.L?.map(({ S }) => (JSON.parse(S ?? '') as { code: string }).code),
    document: item?.['document']?.S,
    detail: item?.['detail']?.S,
    wire: item?.['wire']?.B ? JSON.parse(gunzipSync(item['wire'].B).toString()) : undefined,
    expiresAtS: item?.['expiresAtS']?.N,
  };
};
/** What a sweep finds: unfinished orders of one destination, oldest first. */
const open = async (destination = ERP) => {
  const { Items = [] } = await tables.client.send(
    new QueryCommand({
      TableName: table,
      IndexName: JOURNAL_OPEN_INDEX,
      KeyConditionExpression: 'openFor = :destination AND openSinceMs < :before',
      ExpressionAttributeValues: { ':destination': { S: destination }, ':before': { N: '9999999' } },
    }),
  );
  return Items.map((item) => [item['pk']?.S, Number(item['openSinceMs']?.N)]);
};
const KEY = 'acme-odoo#acme-woo#1001';

it('lists an order as unfinished from the moment it is recorded until it is done', async () => {
  await record(10);
  expect(await open()).toEqual([[KEY, 1_000]]);
  expect(await row()).toMatchObject({ state: 'open', steps: ['RECEIVED 10'], expiresAtS: undefined });
  expect((await row()).snapshot).toEqual(event(10));

  await settle('done', 10, { document: { id: '42', name: 'S00042', url: 'https://erp.test/42' } });
  expect(await open()).toEqual([]);
  expect(await row()).toMatchObject({
    state: 'done',
    steps: ['RECEIVED 10', 'DONE 10'],
    document: '{"id":"42","name":"S00042","url":"https://erp.test/42"}',
    expiresAtS: String(2 + 400 * 24 * 60 * 60),
  });
});

it('never opens an order that the consumer settled before the recorder came', async () => {
  await settle('done', 10);
  await record(10);
  expect(await open()).toEqual([]);
  expect(await row()).toMatchObject({ state: 'done', steps: ['DONE 10', 'RECEIVED 10'] });
  expect((await row()).snapshot?.data.sourceVersion).toBe(10);
});

it('drops an older snapshot', async () => {
  await record(10);
  await record(9);
  expect((await row()).snapshot?.data.sourceVersion).toBe(10);
  expect((await row()).steps).toEqual(['RECEIVED 10']);
});

it('keeps the first of two snapshots that say the same', async () => {
  await record(10);
  await journal.record(ERP, event(10, { orderNumber: 'again' }), step('RECEIVED again'));
  expect((await row()).snapshot?.data.orderNumber).toBe('1001');
  expect((await row()).steps).toEqual(['RECEIVED 10']);
});

describe('one version with two contents', () => {
  /** Pushed at 1, see `event`. */
  const other = event(10, { contentHash: 'other' });
  const fetched = (fetchedAtMs: number, contentHash: string): Envelope<OrderChangedV1> => {
    const { meta, data } = event(10, { contentHash });
    return { meta: { ...meta, via: 'fetch', fetchedAtMs }, data };
  };
  const settleCopy = (copy: Envelope<OrderChangedV1>, state: Settlement['state']) =>
    settle(state, 10, { revision: revisionOf(copy) });

  it('is unfinished until the storefront was asked, in whatever order the two are written', async () => {
    await record(10);
    expect(await settle('done', 10)).toBe('newer');
    await journal.record(ERP, other, step('RECEIVED other', 3_000));
    expect(await open()).toEqual([[KEY, 3_000]]);
    expect(await settleCopy(other, 'skipped')).toBe('unclear');
    expect(await row()).toMatchObject({ state: 'open', steps: ['RECEIVED 10', 'DONE 10', 'RECEIVED other'] });

    await journal.record(ERP, fetched(5, 'other'), step('FETCHED'));
    expect(await settleCopy(fetched(5, 'other'), 'skipped')).toBe('newer');
    expect(await open()).toEqual([]);
    expect((await journal.settled(ERP, SHOP, '1001'))?.revision).toEqual({
      sourceVersion: 10,
      contentHash: 'other',
      seenAtMs: 5,
      fetched: true,
    });
  });

  it('what was fetched closes the row before it is recorded, and the late copies open it no more', async () => {
    await record(10);
    await settle('done', 10);
    await settleCopy(fetched(5, 'other'), 'skipped');
    await journal.record(ERP, other, step('RECEIVED other'));
    await journal.record(ERP, fetched(5, 'other'), step('FETCHED'));
    expect(await open()).toEqual([]);
    expect((await row()).snapshot?.meta.via).toBe('fetch');
    await record(10);
    expect((await row()).snapshot?.meta.via).toBe('fetch');
    expect(await settle('parked', 10)).toBe('older');
  });

  it('a late copy that says what was fetched does not take its place', async () => {
    await settleCopy(fetched(5, 'first'), 'done');
    expect(await settle('done', 10)).toBe('same');
    await journal.record(ERP, other, step('RECEIVED other'));
    await journal.record(ERP, fetched(5, 'first'), step('FETCHED'));
    expect(await open()).toEqual([]);
  });

  it('of two that were fetched, the one read later holds', async () => {
    await journal.record(ERP, fetched(7, 'b'), step('FETCHED b'));
    await journal.record(ERP, fetched(6, 'a'), step('FETCHED a'));
    expect((await row()).snapshot?.data.contentHash).toBe('b');
    expect(await settleCopy(fetched(6, 'a'), 'skipped')).toBe('newer');
    expect(await open()).toEqual([[KEY, 1_000]]);
    expect(await settleCopy(fetched(7, 'b'), 'done')).toBe('newer');
    expect(await open()).toEqual([]);
  });

  it('loses nothing when all are written at once', async () => {
    // The one that holds comes first, so that any other would write over it.
    const copies = ['d', 'c', 'b', 'a'].map((hash, index) => fetched(20 - index, hash));
    await Promise.all(
      copies.flatMap((copy) => [
        journal.record(ERP, copy, step('FETCHED')),
        settleCopy(copy, copy.data.contentHash === 'd' ? 'done' : 'parked'),
      ]),
    );
    expect(await row()).toMatchObject({ state: 'done' });
    expect((await row()).snapshot?.data.contentHash).toBe('d');
    expect(await open()).toEqual([]);
  });
});

it('opens a settled row again when a newer version is recorded, and forgets that it would expire', async () => {
  await record(10);
  await settle('done', 10);
  await record(11, 5_000);
  expect(await open()).toEqual([[KEY, 5_000]]);
  expect(await row()).toMatchObject({ state: 'open', expiresAtS: undefined });
});

it('stays open when only an older version than the recorded one is settled', async () => {
  await record(11);
  await settle('done', 10, { document: { id: '42' } });
  expect(await open()).toEqual([[KEY, 1_000]]);
  expect(await row()).toMatchObject({
    state: 'open',
    steps: ['RECEIVED 11', 'DONE 10'],
    document: '{"id":"42"}',
    expiresAtS: undefined,
  });
  await settle('skipped', 11);
  expect(await open()).toEqual([]);
});

it('drops the settlement of an older version than the one already settled', async () => {
  await record(11);
  await settle('done', 11, { document: { id: '42' } });
  await settle('parked', 10, { detail: 'old news' });
  expect(await open()).toEqual([]);
  expect(await row()).toMatchObject({
    state: 'done',
    steps: ['RECEIVED 11', 'DONE 11'],
    detail: undefined,
  });
});

it('takes a second settlement of the same version: parked, then redriven', async () => {
  await record(10);
  await settle('parked', 10, { detail: "the peer's own words" });
  expect(await open()).toEqual([[KEY, 1_000]]);
  expect(await row()).toMatchObject({ state: 'parked', detail: "the peer's own words" });

  // Parked again for another reason: the old words would mislead.
  await settle('parked', 10);
  expect(await row()).toMatchObject({ state: 'parked', detail: undefined });

  await settle('parked', 10, { detail: 'third' });
  await settle('done', 10);
  expect(await open()).toEqual([]);
  expect(await row()).toMatchObject({ state: 'done', detail: undefined });
});

it('lists a parked order that the recorder has not seen yet, since it was parked', async () => {
  await settle('parked', 10, { atMs: 3_000 });
  expect(await open()).toEqual([[KEY, 3_000]]);
  await record(10, 7_000);
  expect(await open()).toEqual([[KEY, 3_000]]);
  expect((await row()).state).toBe('parked');
});

it('parked after done: on the list, and it does not expire', async () => {
  await record(10);
  await settle('done', 10);
  await settle('parked', 11, { atMs: 4_000 });
  expect(await open()).toEqual([[KEY, 4_000]]);
  expect(await row()).toMatchObject({ state: 'parked', expiresAtS: undefined });
});

it('keeps what would have been written in shadow mode', async () => {
  await settle('shadow', 10, { wire: { client_order_ref: 'acme-woo:1001', lines: [1, 2] } });
  expect(await row()).toMatchObject({
    state: 'shadow',
    wire: { client_order_ref: 'acme-woo:1001', lines: [1, 2] },
  });
});

describe('what was settled and has to be looked at once more', () => {
  const close = (sourceVersion: number) =>
    journal.close(ERP, SHOP, '1001', revisionOf(event(sourceVersion)), 9_000_000);

  it('is unfinished since it was recorded, until it is closed; then it expires', async () => {
    await record(1, 1_000);
    await settle('skipped', 1, { isProvisional: true });
    expect(await open()).toEqual([[journeyKey(ERP, SHOP, '1001'), 1_000]]);
    expect(await row()).toMatchObject({ state: 'skipped', expiresAtS: undefined });
    await close(1);
    expect(await open()).toEqual([]);
    expect(await row()).toMatchObject({
      state: 'skipped',
      steps: ['RECEIVED 1', 'SKIPPED 1'],
      expiresAtS: String(9_000 + 400 * 24 * 60 * 60),
    });
  });

  it('is not opened by a second copy, once it was closed', async () => {
    await settle('skipped', 1, { isProvisional: true });
    await close(1);
    await settle('skipped', 1, { isProvisional: true });
    expect(await open()).toEqual([]);
    await settle('done', 1, { isProvisional: true });
    expect(await open()).toHaveLength(1);
    await close(1);
    await settle('skipped', 2, { isProvisional: true });
    expect(await open()).toHaveLength(1);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['something newer was recorded', () => record(2)],
    [
      'something newer was settled, and is looked at by others',
      () => settle('skipped', 2, { isProvisional: true }),
    ],
    ['it was parked meanwhile', () => settle('parked', 1)],
    [
      'it was opened again',
      () => dynamoTimelines(tables.client, table).reopen(ERP, SHOP, '1001', step('REPAIRED')),
    ],
  ])('stays where it is, if %s', async (_case, meanwhile) => {
    await record(1);
    await settle('skipped', 1, { isProvisional: true });
    await meanwhile();
    const before = await row();
    await close(1);
    expect(await open()).toHaveLength(1);
    expect(await row()).toEqual(before);
  });

  it('closes nothing that was never there, or finished already', async () => {
    await close(1);
    expect(await row()).toMatchObject({ state: undefined });
    await settle('done', 1);
    const before = await row();
    await close(1);
    expect(await row()).toEqual(before);
  });
});

describe('what came in shadow mode', () => {
  const seen = async () => (await journal.settled(ERP, SHOP, '1001'))?.seenInShadow;
  const timeline = () => dynamoTimelines(tables.client, table);

  it('is remembered, with its last moment and outcome, whatever comes after', async () => {
    await settle('shadow', 1, { inShadow: true });
    expect(await seen()).toEqual({ atMs: 2_000, state: 'shadow' });
    await settle('skipped', 2, { inShadow: true, atMs: 3_000 });
    await record(3);
    await settle('parked', 3, { atMs: 4_000 });
    await settle('done', 3, { atMs: 5_000 });
    expect(await seen()).toEqual({ atMs: 3_000, state: 'skipped' });
  });

  it('is nothing that was ours already, nor what came while the route is live', async () => {
    await settle('done', 1, { inShadow: true });
    await settle('skipped', 2);
    expect(await seen()).toBeUndefined();
  });

  it('is forgotten when a person says that nobody entered it; what the journal says else stays', async () => {
    await settle('parked', 1, { inShadow: true });
    await timeline().permit(ERP, SHOP, '1001', step('NOT_ENTERED'));
    expect(await seen()).toBeUndefined();
    expect(await row()).toMatchObject({ state: 'parked', steps: ['PARKED 1', 'NOT_ENTERED'] });
    expect(await open()).toHaveLength(1);
  });
});

it('keeps an order whose JSON is larger than an item may be', async () => {
  const [line] = anOrder().lines;
  if (!line) throw new Error('no line');
  const lines = Array.from({ length: 2_000 }, (_, i) => ({ ...line, id: String(i), sku: `SKU-${i}` }));
  const big = event(10, { lines });
  expect(JSON.stringify(big).length).toBeGreaterThan(600_000);
  await journal.record(ERP, big, step('RECEIVED'));
  expect((await row()).snapshot).toEqual(big);
});

it('keeps orders, shops and destinations apart, and lists the oldest first', async () => {
  await journal.record(ERP, event(10, { orderId: '2' }), step('RECEIVED', 3_000));
  await journal.record(ERP, event(10, { orderId: '1' }), step('RECEIVED', 2_000));
  await journal.record(ERP, event(10, { orderId: '1', source: 'other-shop' }), step('RECEIVED', 4_000));
  await journal.record('other-erp', event(10, { orderId: '1' }), step('RECEIVED', 1_000));
  await journal.settle('other-erp', 'other-shop', '1', {
    state: 'done',
    revision: revisionOf(event(10)),
    step: step('DONE'),
  });
  expect(await open()).toEqual([
    ['acme-odoo#acme-woo#1', 2_000],
    ['acme-odoo#acme-woo#2', 3_000],
    ['acme-odoo#other-shop#1', 4_000],
  ]);
  expect(await open('other-erp')).toEqual([['other-erp#acme-woo#1', 1_000]]);
});

it('says which version was settled last, and how', async () => {
  const settled = () => journal.settled(ERP, SHOP, '1001');
  expect(await settled()).toBeUndefined();
  await record(10);
  expect(await settled()).toBeUndefined();
  await settle('parked', 10);
  expect(await settled()).toEqual({ revision: revisionOf(event(10)), state: 'parked' });
  await record(11);
  expect(await settled()).toEqual({ revision: revisionOf(event(10)), state: 'open' });
  await settle('skipped', 11);
  await settle('done', 10);
  expect(await settled()).toEqual({ revision: revisionOf(event(11)), state: 'skipped' });
});

it('passes on every failure but a failed condition', async () => {
  const broken = dynamoJournal(tables.client, 'no-such-table');
  await expect(broken.record(ERP, event(1), step('RECEIVED'))).rejects.toThrow('resource not found');
  await expect(
    broken.settle(ERP, SHOP, '1', { state: 'done', revision: revisionOf(event(1)), step: step('DONE') }),
  ).rejects.toThrow('resource not found');
});
