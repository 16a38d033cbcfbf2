import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { journeyKey, partsOf } from '../core/intent-key.ts';
import type { JourneyStep, SeenInShadow } from '../core/journal.ts';
import type { ShadowOrders } from '../core/journal-reads.ts';
import { type JournalItem, snapshotIn, wireIn } from './dynamo-journal-reads.ts';

/**
 * Reads the table that `dynamoJournal` writes, whole: once a day, half a cent for every gigabyte, and only while a route is
 * in shadow mode.
 */
export const dynamoShadowOrders = (client: DynamoDBClient, tableName: string): ShadowOrders => ({
  async *seenInShadow(destination, source) {
    let from: JournalItem | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new ScanCommand({
          TableName: tableName,
          FilterExpression: 'begins_with(pk, :route) AND attribute_exists(seenInShadow)',
          ProjectionExpression: 'pk, seenInShadow, #snapshot, wire, steps',
          ExpressionAttributeNames: { '#snapshot': 'snapshot' },
          ExpressionAttributeValues: { ':route': { S: journeyKey(destination, source, '') } },
          ...(from ? { ExclusiveStartKey: from } : {}),
        }),
      );
      for (const item of Items) {
        yield {
          orderId: partsOf(item['pk']?.S ?? '')[2] ?? '',
          seen: JSON.parse(item['seenInShadow']?.S ?? '') as SeenInShadow,
          order: snapshotIn(item)?.data,
          wire: wireIn(item),
          steps: (item['steps']?.L ?? []).map(({ S }) => JSON.parse(S ?? '{}') as JourneyStep),
        };
      }
      from = LastEvaluatedKey;
    } while (from);
  },
});
