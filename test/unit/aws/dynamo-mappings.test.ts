import { type BatchGetItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { dynamoMappings, mappingPk } from '../../../shared/aws/dynamo-mappings.ts';
import type { MappingKind, MappingRow, Mappings } from '../../../shared/connectors/contract.ts';
import { RetryableError } from '../../../shared/core/errors.ts';
import { type DynamoTables, startDynamoTables } from '../../fakes/dynamo-tables.ts';

let tables: DynamoTables;
let table: string;
let now: number;
let asked: string[][];
let whileReading: () => void;
let mappings: Mappings;

beforeAll(async () => {
  tables = await startDynamoTables();
});
afterAll(() => tables.stop());

/** The real client, listened to. */
const listening = (): DynamoDBClient => {
  const client = Object.create(DynamoDBClient.prototype) as DynamoDBClient;
  client.send = async (command: BatchGetItemCommand) => {
    const { Keys = [] } = command.input.RequestItems?.[table] ?? {};
    asked.push(Keys.map(({ pk, sk }) => `${pk?.S} ${sk?.S}`));
    const answer = await tables.client.send(command);
    whileReading();
    return answer;
  };
  return client;
};

beforeEach(async () => {
  table = await tables.create({ sortKey: true });
  now = 1_000_000;
  asked = [];
  whileReading = () => undefined;
  mappings = dynamoMappings(listening(), table, () => now);
});

const save = async (source: string, key: string, value: string, kind: MappingKind = 'sku') => {
  const row: MappingRow = { kind, source, destination: 'erp', key, to: [{ value, quantity: 1, share: 1 }] };
  const Item = {
    pk: { S: mappingPk('erp', source, kind) },
    sk: { S: key },
    row: { S: JSON.stringify(row) },
  };
  await tables.client.send(new PutItemCommand({ TableName: table, Item }));
};
const look = async (...keys: string[]) =>
  Object.fromEntries(
    [...(await mappings.lookup('sku', 'shop', 'erp', keys))].map(([key, row]) => [key, row.to[0]?.value]),
  );

it('prefers the row of this source to the one of every source', async () => {
  await save('*', 'A', 'any');
  await save('shop', 'A', 'exact');
  await save('*', 'B', 'any');
  await save('other-shop', 'C', 'not ours');
  await save('shop', 'D', 'another kind', 'tax');
  expect(await look('A', 'B', 'C', 'D')).toEqual({ A: 'exact', B: 'any' });
});

it('keeps the exact row first when both come from the cache', async () => {
  await save('*', 'A', 'any');
  await look('A');
  await save('shop', 'A', 'exact');
  expect(await look('A')).toEqual({ A: 'exact' });
  expect(await look('A')).toEqual({ A: 'exact' });
});

it('asks for rows it holds again after a minute, not before', async () => {
  await save('shop', 'A', 'old');
  await save('*', 'A', 'any');
  await look('A');
  await save('shop', 'A', 'new');
  now += 59_999;
  expect(await look('A')).toEqual({ A: 'old' });
  expect(asked).toEqual([['erp#shop#sku A', 'erp#*#sku A']]);
  now += 1;
  expect(await look('A')).toEqual({ A: 'new' });
});

it('never remembers that a row was missing', async () => {
  expect(await look('A')).toEqual({});
  await save('shop', 'A', 'created now');
  expect(await look('A')).toEqual({ A: 'created now' });
});

it('does not lose a row whose minute ends while others are being read', async () => {
  await save('shop', 'A', 'held');
  await save('*', 'A', 'held, too');
  await look('A');
  now += 59_999;
  whileReading = () => {
    now += 2;
  };
  await save('shop', 'B', 'read now');
  expect(await look('A', 'B')).toEqual({ A: 'held', B: 'read now' });
});

it('reads in batches of a hundred, each key once', async () => {
  const keys = Array.from({ length: 130 }, (_, i) => `SKU-${i}`);
  for (const key of keys) await save('shop', key, `item of ${key}`);
  const rows = await mappings.lookup('sku', 'shop', 'erp', [...keys, ...keys]);
  expect(rows.size).toBe(130);
  expect(rows.get('SKU-129')?.to[0]?.value).toBe('item of SKU-129');
  expect(asked.map((batch) => batch.length)).toEqual([100, 100, 60]);
});

it('asks for nothing when there is nothing to ask, nor for keys that cannot exist', async () => {
  expect(await look()).toEqual({});
  expect(await look('')).toEqual({});
  expect(asked).toEqual([]);
});

it('asks once when the source itself is "*"', async () => {
  await save('*', 'A', 'any');
  const rows = await mappings.lookup('sku', '*', 'erp', ['A']);
  expect(rows.get('A')?.to[0]?.value).toBe('any');
});

it('does not mix up connections and kinds whose names hold the separator', () => {
  expect(mappingPk('a#b', 'c', 'sku')).not.toBe(mappingPk('a', 'b#c', 'sku'));
});

it.each([
  ['the first', 0],
  ['a later', 1],
])('is retryable when %s batch was not answered in full', async (_which, throttled) => {
  let calls = 0;
  const client = Object.create(DynamoDBClient.prototype) as DynamoDBClient;
  client.send = async (command: BatchGetItemCommand) => {
    calls += 1;
    const all = command.input.RequestItems?.[table]?.Keys ?? [];
    return calls - 1 === throttled
      ? { Responses: { [table]: [] }, UnprocessedKeys: { [table]: { Keys: all.slice(0, 1) } } }
      : { Responses: { [table]: [] }, UnprocessedKeys: {} };
  };
  const keys = Array.from({ length: 60 }, (_, i) => `SKU-${i}`);
  const lookup = dynamoMappings(client, table, () => now).lookup('sku', 'shop', 'erp', keys);
  const error: unknown = await lookup.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(RetryableError);
  expect(error).toMatchObject({ code: 'MAPPINGS_THROTTLED' });
});

it('reads what was saved a moment ago: consistently', async () => {
  const reads: unknown[] = [];
  const client = Object.create(DynamoDBClient.prototype) as DynamoDBClient;
  client.send = async (command: BatchGetItemCommand) => {
    reads.push(command.input.RequestItems?.[table]?.ConsistentRead);
    return {};
  };
  await dynamoMappings(client, table, () => now).lookup('sku', 'shop', 'erp', ['A']);
  expect(reads).toEqual([true]);
});
