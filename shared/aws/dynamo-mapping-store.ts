import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import type { MappingRow } from '../connectors/contract.ts';
import type { Clock } from '../core/ports.ts';
import { mappingPk } from './dynamo-mappings.ts';

/** A row with its history: who changed it last, and when. */
export interface StoredRow {
  readonly row: MappingRow;
  readonly version: number;
  readonly updatedBy: string;
  readonly updatedAtMs: number;
}

export type PutResult = 'added' | 'changed' | 'unchanged';

/** The merchant's side of the mapping table: what functions read through `dynamoMappings` is written here. */
export interface MappingStore {
  /** All rows, in the order of destination, source, kind, key. */
  list(): Promise<StoredRow[]>;
  /** What `put` would do, without doing it. */
  compare(row: MappingRow): Promise<PutResult>;
  /** Writes the row if it differs; its former state is kept as history. @throws Error changed meanwhile */
  put(row: MappingRow, by: string): Promise<PutResult>;
}

/** History lives in the same table under its own partition keys, so that a look-up never meets it. */
const HISTORY = 'history#';

export const dynamoMappingStore = (client: DynamoDBClient, tableName: string, nowMs: Clock): MappingStore => {
  const keyOf = ({ destination, source, kind, key }: MappingRow) => ({
    pk: { S: mappingPk(destination, source, kind) },
    sk: { S: key },
  });

  const read = async (row: MappingRow): Promise<StoredRow | undefined> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: keyOf(row), ConsistentRead: true }),
    );
    return Item && storedOf(Item);
  };
  const resultOf = (row: MappingRow, held: StoredRow | undefined): PutResult => {
    if (!held) return 'added';
    return JSON.stringify(held.row) === JSON.stringify(normal(row)) ? 'unchanged' : 'changed';
  };

  return {
    list: async () => {
      const rows: StoredRow[] = [];
      for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName })) {
        rows.push(...Items.filter((item) => !item['pk']?.S?.startsWith(HISTORY)).map(storedOf));
      }
      const order = ({ row }: StoredRow) => [row.destination, row.source, row.kind, row.key].join('\u0000');
      return rows.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    },

    compare: async (row) => resultOf(row, await read(row)),

    put: async (row, by) => {
      const held = await read(row);
      const result = resultOf(row, held);
      if (result === 'unchanged') return result;
      const version = (held?.version ?? 0) + 1;
      const { pk, sk } = keyOf(row);
      const attributes = {
        row: { S: JSON.stringify(normal(row)) },
        version: { N: String(version) },
        updatedBy: { S: by },
        updatedAtMs: { N: String(nowMs()) },
      };
      // History first: a row without its history would be worse than history without its row.
      const history = {
        pk: { S: `${HISTORY}${pk.S}` },
        sk: { S: `${sk.S}#${String(version).padStart(8, '0')}` },
      };
      await client.send(new PutItemCommand({ TableName: tableName, Item: { ...history, ...attributes } }));
      try {
        await client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: { pk, sk, ...attributes },
            ConditionExpression: 'attribute_not_exists(pk) OR version = :held',
            ExpressionAttributeValues: { ':held': { N: String(held?.version ?? 0) } },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        throw new Error(`${row.kind} "${row.key}" was changed by somebody else at the same time; try again`);
      }
      return result;
    },
  };
};

/** One order of keys, so that equal rows are equal texts. */
const normal = ({ kind, source, destination, key, to }: MappingRow): MappingRow => ({
  kind,
  source,
  destination,
  key,
  to: to.map(({ value, quantity, share }) => ({ value, quantity, share })),
});

const storedOf = (item: Record<string, AttributeValue>): StoredRow => ({
  row: normal(JSON.parse(item['row']?.S ?? '{}') as MappingRow),
  version: Number(item['version']?.N),
  updatedBy: item['updatedBy']?.S ?? '',
  updatedAtMs: Number(item['updatedAtMs']?.N),
});
