import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynamoLedger } from '../../shared/aws/dynamo-ledger.ts';
import { dynamoLedgerRepairs } from '../../shared/aws/dynamo-ledger-repairs.ts';
import { intentKey } from '../../shared/core/intent-key.ts';
import type { Ledger, LedgerEntry, LedgerFacts } from '../../shared/core/ledger.ts';
import type { LedgerRepairs, WrittenOrder } from '../../shared/core/ledger-repairs.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';
import { memoryLedger } from '../fakes/memory-ledger.ts';
import { memoryLedgerRepairs } from '../fakes/memory-ledger-repairs.ts';

let tables: DynamoTables;

beforeAll(async () => {
  tables = await startDynamoTables();
});
afterAll(() => tables.stop());

const ERP = 'acme-odoo';
const SHOP = 'acme-woo';
const DOCUMENT = { id: '42', name: 'S00042' };
const T0 = 1_700_000_000_000;
const TWIN: LedgerFacts = {
  sourceVersion: 1,
  commercialHash: 'h',
  refunds: '["7","8"]',
  payments: '[{"id":"paid","direction":"in","amount":{"minor":1,"currency":"TWD"}}]',
  ended: '',
  level: 'confirm',
};

/** What every place that keeps the ledger must do. */
describe.each(['in memory', 'on DynamoDB'])('repairs of a ledger %s', (where) => {
  let now: number;
  let ledger: Ledger;
  let repairs: LedgerRepairs;

  beforeEach(async () => {
    now = T0;
    if (where === 'in memory') {
      const entries = new Map<string, LedgerEntry>();
      const finished = new Map<string, number>();
      const inner = memoryLedger(() => now, entries);
      ledger = {
        ...inner,
        finish: async (intent, ...rest) => {
          finished.set(intent, now);
          await inner.finish(intent, ...rest);
        },
      };
      repairs = memoryLedgerRepairs(entries, [], (intent) => finished.get(intent) ?? 0);
    } else {
      const table = await tables.create();
      ledger = dynamoLedger(tables.client, table, () => now);
      repairs = dynamoLedgerRepairs(tables.client, table);
    }
  });
  const intentOf = (orderId: string, to = ERP, what = 'create', source = SHOP) =>
    intentKey(to, source, orderId, what);
  const finish = async (intent: string, facts: LedgerFacts = TWIN) => {
    const claim = await ledger.claim(intent, 60_000);
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    await ledger.written(intent, claim.entry.attempt, DOCUMENT);
    await ledger.finish(intent, claim.entry.attempt, DOCUMENT, facts);
  };
  const listed = async (sinceMs = 0): Promise<WrittenOrder[]> => {
    const all: WrittenOrder[] = [];
    for await (const order of repairs.orders(ERP, sinceMs)) all.push(order);
    return all.toSorted((a, b) => (a.orderId < b.orderId ? -1 : 1));
  };

  it('orders that were finished there since a moment: no customer, no refund, no other ERP, nothing unfinished', async () => {
    await finish(intentOf('1'));
    now += 1_000;
    await finish(intentOf('a#%2'));
    await finish(intentOf('buyer', ERP, 'create', '*'));
    await finish(intentOf('1', ERP, 'refund 7'));
    await finish(intentOf('1', 'acme-odoo-2'));
    await finish(intentOf('3'), { ...TWIN, ended: 'cancelled', refunds: '', payments: '' });
    await ledger.claim(intentOf('4'), 60_000);
    const told = {
      source: SHOP,
      state: 'finished',
      attempt: 1,
      document: DOCUMENT,
      isCancelled: false,
      refunds: ['7', '8'],
      payments: ['paid'],
    };
    const first = { ...told, orderId: '1', atMs: T0 };
    const others = [
      { ...told, orderId: '3', atMs: T0 + 1_000, isCancelled: true, refunds: [], payments: [] },
      { ...told, orderId: 'a#%2', atMs: T0 + 1_000 },
    ];
    expect(await listed()).toEqual([first, ...others]);
    expect(await listed(T0 + 1)).toEqual(others);
  });

  it('forgotten: as if it had never been written, but for the attempts', async () => {
    const intent = intentOf('1');
    await finish(intent);
    await ledger.claim(intent, 60_000, { reopen: true });
    now += 5_000;
    await repairs.forget(intent, 2, { by: 'ada', why: 'restored', atMs: now, document: DOCUMENT });
    expect(await ledger.peek(intent)).toEqual({
      intent,
      state: 'open',
      attempt: 2,
      failures: 0,
      leaseUntilMs: 0,
      document: undefined,
      facts: {},
    });
    expect(await listed(now)).toMatchObject([
      {
        orderId: '1',
        state: 'forgotten',
        atMs: now,
        attempt: 2,
        document: undefined,
        refunds: [],
        payments: [],
      },
    ]);
    expect(await listed(now + 1)).toEqual([]);
    expect(await ledger.claim(intent, 60_000)).toMatchObject({ kind: 'claimed', entry: { attempt: 3 } });
    await ledger.written(intent, 3, DOCUMENT);
    expect(await listed()).toEqual([]);
    await ledger.finish(intent, 3, DOCUMENT, TWIN);
    expect(await listed()).toMatchObject([{ state: 'finished', attempt: 3 }]);
  });

  it('only under the claim', async () => {
    const intent = intentOf('1');
    await finish(intent);
    const repair = { by: 'ada', why: 'restored', atMs: now };
    await expect(repairs.forget(intent, 1, repair)).rejects.toMatchObject({ code: 'FENCED' });
    await ledger.claim(intent, 60_000, { reopen: true });
    await expect(repairs.forget(intent, 1, repair)).rejects.toMatchObject({ code: 'FENCED' });
    await expect(repairs.forget(intentOf('2'), 1, repair)).rejects.toMatchObject({ code: 'FENCED' });
    expect(await ledger.peek(intent)).toMatchObject({ state: 'finished', document: DOCUMENT });
  });
});

it('keeps who and why with the entry, every time', async () => {
  const table = await tables.create();
  const ledger = dynamoLedger(tables.client, table, () => T0);
  const repairs = dynamoLedgerRepairs(tables.client, table);
  for (const [attempt, by] of [
    [1, 'ada'],
    [2, 'bob'],
  ] as const) {
    await ledger.claim('a#b#c#create', 60_000);
    await repairs.forget('a#b#c#create', attempt, { by, why: 'restored', atMs: T0, document: DOCUMENT });
  }
  const item = await tables.item(table, 'a#b#c#create');
  expect(item?.['repairs']?.L?.map(({ S }) => JSON.parse(S ?? ''))).toEqual([
    { by: 'ada', why: 'restored', atMs: T0, document: DOCUMENT },
    { by: 'bob', why: 'restored', atMs: T0, document: DOCUMENT },
  ]);
  // What is unfinished never expires.
  expect(item?.['expiresAtS']).toBeUndefined();
});
