import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { partsOf } from '../core/intent-key.ts';
import type { UnfinishedOrder, UnfinishedOrders } from '../core/journal-reads.ts';
import { JOURNAL_OPEN_INDEX } from '../observability/names.ts';
import { type JournalItem, journalItem, snapshotIn } from './dynamo-journal-reads.ts';

/** Reads the index of the table that `dynamoJournal` writes. */
export const dynamoUnfinished = (client: DynamoDBClient, tableName: string): UnfinishedOrders => {
  const read = journalItem(client, tableName);
  return {
    async *unfinished(destination, openedBeforeMs) {
      let from: JournalItem | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: JOURNAL_OPEN_INDEX,
            KeyConditionExpression: 'openFor = :destination AND openSinceMs < :before',
            ExpressionAttributeValues: {
              ':destination': { S: destination },
              ':before': { N: String(openedBeforeMs) },
            },
            ...(from ? { ExclusiveStartKey: from } : {}),
          }),
        );
        for (const { pk } of Items) {
          const key = pk?.S ?? '';
          const found = unfinishedIn(key, await read(key, UNFINISHED));
          if (found) yield found;
        }
        from = LastEvaluatedKey;
      } while (from);
    },
  };
};

const UNFINISHED = '#state, #openFor, #openSinceMs, #sweptAtMs, #snapshot';

/** undefined: it was finished since the index was written. */
const unfinishedIn = (pk: string, item: JournalItem): UnfinishedOrder | undefined => {
  if (!item['openFor']) return undefined;
  const [, source = '', orderId = ''] = partsOf(pk);
  return {
    source,
    orderId,
    state: item['state']?.S === 'parked' ? 'parked' : 'open',
    openSinceMs: Number(item['openSinceMs']?.N ?? 0),
    sweptAtMs: item['sweptAtMs']?.N === undefined ? undefined : Number(item['sweptAtMs'].N),
    event: snapshotIn(item),
  };
};
