import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Watermarks } from '../core/stock/ports.ts';

export interface WatermarkWriter {
  /** All orders of the shop that changed before `readUpToMs` were read and published. */
  read(shop: string, readUpToMs: number): Promise<void>;
}

/**
 * Table: partition key `pk` (`watermark#<shop>`). What counts is how far the run before the last one came: what the last one
 * published may still be on its way to the stock.
 */
export const dynamoWatermarks = (client: DynamoDBClient, tableName: string): Watermarks & WatermarkWriter => {
  const key = (shop: string) => ({ pk: { S: `watermark#${shop}` } });
  return {
    of: async (shop) => {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: key(shop), ConsistentRead: true }),
      );
      return Item?.['beforeMs']?.N === undefined ? undefined : Number(Item['beforeMs'].N);
    },
    read: async (shop, readUpToMs) => {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: key(shop),
          UpdateExpression: 'SET beforeMs = if_not_exists(readUpToMs, :none), readUpToMs = :now',
          ExpressionAttributeValues: { ':now': { N: String(readUpToMs) }, ':none': { N: '0' } },
        }),
      );
    },
  };
};
