import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { RetryableError } from '../core/errors.ts';
import type { StockStore } from '../core/stock/ports.ts';
import { claimId, type ListingRow, type StockRow } from '../core/stock/rows.ts';

type Item = Record<string, AttributeValue>;

/** DynamoDB's limit for one BatchGetItem. */
const BATCH = 100;
/** Requests that are on their way at once: 10,000 rows are a hundred requests. */
const AT_ONCE = 8;

/**
 * Table: partition key `pk` (`erp#<connection>` or `shop#<connection>`), range key `sk` (SKU, or SKU and location).
 * Attribute `row`: JSON; `version`: counts writes.
 */
export const dynamoStock = (client: DynamoDBClient, tableName: string): StockStore => {
  const load = async <R>(pk: string, sks: readonly string[]): Promise<ReadonlyMap<string, R>> => {
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
  };

  const put = async (pk: string, sk: string, row: { readonly version: number }): Promise<boolean> => {
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
  };

  async function* all<R>(pk: string): AsyncIterable<readonly R[]> {
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
  }

  return {
    rows: async (erp, skus) => {
      const known = await load<StockRow>(erpPk(erp), skus);
      return new Map(skus.map((sku) => [sku, known.get(sku) ?? emptyRow(erp, sku)]));
    },
    put: (row) => put(erpPk(row.erp), row.sku, row),
    listings: async (shop, keys) => {
      const known = await load<ListingRow>(
        shopPk(shop),
        keys.map(({ sku, location }) => listingSk(sku, location)),
      );
      return new Map([...known.values()].map((row) => [claimId(shop, row.location, row.sku), row]));
    },
    putListing: (row) => put(shopPk(row.shop), listingSk(row.sku, row.location), row),
    allRows: (erp) => all<StockRow>(erpPk(erp)),
    allListings: (shop) => all<ListingRow>(shopPk(shop)),
  };
};

const erpPk = (erp: string): string => `erp#${erp}`;
const shopPk = (shop: string): string => `shop#${shop}`;
const listingSk = (sku: string, location: string): string => JSON.stringify([sku, location]);

const rowOf = <R>(item: Item): R => JSON.parse(item['row']?.S ?? '{}') as R;

const emptyRow = (erp: string, sku: string): StockRow => ({
  erp,
  sku,
  version: 0,
  levels: {},
  demand: {},
  claims: {},
  sold: {},
});
