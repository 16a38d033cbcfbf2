import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dynamoLedger } from '../../shared/aws/dynamo-ledger.ts';
import type { Ledger, LedgerFacts } from '../../shared/core/ledger.ts';
import type { Clock } from '../../shared/core/ports.ts';
import { type DynamoTables, startDynamoTables } from '../fakes/dynamo-tables.ts';
import { memoryLedger } from '../fakes/memory-ledger.ts';
import { ledgerSuite } from './ledger.suite.ts';

let tables: DynamoTables;
let table: string;

beforeAll(async () => {
  tables = await startDynamoTables();
  table = await tables.create();
});
afterAll(() => tables.stop());

const onDynamo = (nowMs: Clock) => dynamoLedger(tables.client, table, nowMs);

ledgerSuite('in memory', memoryLedger);
ledgerSuite('on DynamoDB', onDynamo);

it('lets only finished entries expire, 400 days later', async () => {
  let now = 1_700_000_000_999;
  const ledger = onDynamo(() => now);
  const expiry = async () => (await tables.item(table, 'ttl'))?.['expiresAtS'];
  await ledger.claim('ttl', 1_000);
  expect(await expiry()).toBeUndefined();
  await ledger.written('ttl', 1, { id: '1' });
  expect(await expiry()).toBeUndefined();
  await ledger.release('ttl', 1, { keepLease: false, budget: 'renewed' });
  expect(await expiry()).toBeUndefined();
  await ledger.claim('ttl', 1_000);
  now += 1_001;
  await ledger.finish('ttl', 2, { id: '1' }, {});
  expect(await expiry()).toEqual({ N: String(1_700_000_002 + 400 * 24 * 60 * 60) });
});

it('passes on every failure but a failed condition', async () => {
  const broken = dynamoLedger(tables.client, 'no-such-table', () => 0);
  const missing = { name: 'ResourceNotFoundException' };
  await expect(broken.claim('a', 1)).rejects.toMatchObject(missing);
  await expect(broken.written('a', 1, { id: '1' })).rejects.toMatchObject(missing);
  await expect(broken.finish('a', 1, { id: '1' }, {})).rejects.toMatchObject(missing);
  await expect(broken.release('a', 1, { keepLease: false, budget: 'renewed' })).rejects.toMatchObject(
    missing,
  );
});

/** How many claims ago the caller got its attempt: mostly it is the latest. */
const anAge = fc.constantFrom(0, 0, 0, 1);
const aDocument = fc.record({ id: fc.constantFrom('1', '2') });
const anOperation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      leaseMs: fc.constantFrom(0, 5, 50),
      isUrgent: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 5, 60) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('written' as const), age: anAge, document: aDocument }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      age: anAge,
      document: aDocument,
      facts: fc.constantFrom<LedgerFacts>({}, { refunds: 1, level: 'draft' }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      age: anAge,
      budget: fc.constantFrom('spent' as const, 'unspent' as const, 'renewed' as const),
      keepLease: fc.boolean(),
      restMs: fc.constantFrom(0, 3, 30),
    }),
  },
);
type Operation = typeof anOperation extends fc.Arbitrary<infer O> ? O : never;

it('answers as the one in memory does, whatever is asked of it', async () => {
  let now = 0;
  let runs = 0;
  const reached = new Set<string>();
  const ledgers = [memoryLedger(() => now), onDynamo(() => now)] as const;
  const ask = async (
    ledger: Ledger,
    intent: string,
    latest: number,
    operation: Operation,
  ): Promise<unknown> => {
    switch (operation.kind) {
      case 'claim':
        return ledger.claim(intent, operation.leaseMs, operation);
      case 'written':
        return ledger.written(intent, latest - operation.age, operation.document);
      case 'finish':
        return ledger.finish(intent, latest - operation.age, operation.document, operation.facts);
      case 'release':
        return ledger.release(intent, latest - operation.age, operation);
      case 'wait':
        return undefined;
    }
  };
  const answer = async (ledger: Ledger, intent: string, latest: number, operation: Operation) => ({
    said: await ask(ledger, intent, latest, operation).catch((error: { code: string }) => error.code),
    entry: await ledger.peek(intent),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anOperation, { maxLength: 14 }), async (operations) => {
      runs += 1;
      let attempt = 0;
      for (const operation of operations) {
        if (operation.kind === 'wait') now += operation.ms;
        const [inMemory, onTable] = await Promise.all(
          ledgers.map((ledger) => answer(ledger, `property-${runs}`, attempt, operation)),
        );
        expect(onTable).toEqual(inMemory);
        const { entry } = inMemory ?? {};
        expect(entry?.attempt ?? 0).toBeGreaterThanOrEqual(attempt);
        attempt = entry?.attempt ?? 0;
        if (entry) reached.add(`${entry.state}, ${entry.failures === 0 ? 'fresh' : 'tried'}`);
      }
    }),
    { numRuns: 150, seed: 20261123 },
  );
  expect([...reached].sort()).toEqual([
    'finished, fresh',
    'finished, tried',
    'open, fresh',
    'open, tried',
    'written, fresh',
    'written, tried',
  ]);
}, 60_000);
