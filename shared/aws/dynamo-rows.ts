import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { RetryableError } from '../core/errors.ts';

type Item = Record<string, AttributeValue>;

/** DynamoDB's limit for one BatchGetItem. */
const BATCH = 100;
/** Requests that are on their way at once: 10,000 rows are a hundred requests. */
const AT_ONCE = 8;

/** Rows of one table that count their writes, so that of two writers who read the same one wins. */
export interface VersionedRows {
  /** Consistent; those that are there, by `sk`. */
  load<R>(pk: string, sks: readonly string[]): Promise<ReadonlyMap<string, R>>;
  /**
   * Writes `row` as version + 1.
   * @param keepUntilMs epoch milliseconds; undefined: for ever
   * @returns false: somebody was faster, and nothing was written
   */
  put(pk: string, sk: string, row: { readonly version: number }, keepUntilMs?: number): Promise<boolean>;
  /** In pages, not consistent. */
  all<R>(pk: string): AsyncIterable<readonly R[]>;
}

/** Table: partition key `pk`, range key `sk`, time to live on `expiresAtS`. Attribute `row`: JSON; `version`: counts writes, from 1. */
export const versionedRows = (client: DynamoDBClient, tableName: string): VersionedRows => ({
  load: async <R>(pk: string, sks: readonly string[]) => {
    const unique = [...new Set(sks)];
    const found = new Map<string, R>();
    const get = async (part: readonly string[]): Promise<void> => {
      const Keys = part.map((sk) => ({ pk: { S: pk }, sk: { S: sk } }));
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys, ConsistentRead: true } } }),
      );
      // A row that seems to be missing would be written as if nobody had sold any.
      if (Object.keys(UnprocessedKeys ?? {}).length > 0) {
        throw new RetryableError('STOCK_THROTTLED', 'the stock table did not answer for all rows');
      }
      for (const item of Responses?.[tableName] ?? []) found.set(item['sk']?.S ?? '', rowOf<R>(item));
    };
    for (let at = 0; at < unique.length; at += BATCH * AT_ONCE) {
      const starts = Array.from({ length: AT_ONCE }, (_, index) => at + index * BATCH);
      const parts = starts
        .map((start) => unique.slice(start, start + BATCH))
        .filter(({ length }) => length > 0);
      await Promise.all(parts.map(get));
    }
    return found;
  },

  put: async (pk, sk, row, keepUntilMs) => {
    const next = row.version + 1;
    try {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: {
            pk: { S: pk },
            sk: { S: sk },
            version: { N: String(next) },
            row: { S: JSON.stringify({ ...row, version: next }) },
            ...(keepUntilMs === undefined
              ? {}
              : { expiresAtS: { N: String(Math.ceil(keepUntilMs / 1000)) } }),
          },
          ...(row.version === 0
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: 'version = :version',
                ExpressionAttributeValues: { ':version': { N: String(row.version) } },
              }),
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  },

  async *all<R>(pk: string) {
    let from: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
          ...(from ? { ExclusiveStartKey: from } : {}),
        }),
      );
      yield Items.map((item) => rowOf<R>(item));
      from = LastEvaluatedKey;
    } while (from);
  },
});

const rowOf = <R>(item: Item): R => JSON.parse(item['row']?.S ?? '{}') as R;
