import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { journeyKey, partsOf } from '../core/intent-key.ts';
import type { JourneyStep } from '../core/journal.ts';
import type { UnfinishedOrder, UnfinishedOrders } from '../core/journal-reads.ts';
import { JOURNAL_OPEN_INDEX } from '../observability/names.ts';
import { type JournalItem, journalItem, snapshotIn } from './dynamo-journal-reads.ts';
import { namesIn } from './dynamo-parked.ts';

/** Reads the index of the table that `dynamoJournal` writes, and adds to the timelines in it. */
export const dynamoUnfinished = (client: DynamoDBClient, tableName: string): UnfinishedOrders => {
  const read = journalItem(client, tableName);
  const step = async (pk: string, told: JourneyStep, more: string, values: JournalItem): Promise<void> => {
    const expression = `SET #steps = list_append(if_not_exists(#steps, :none), :step)${more}`;
    await client
      .send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { pk: { S: pk } },
          UpdateExpression: expression,
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeNames: namesIn(expression),
          ExpressionAttributeValues: {
            ':none': { L: [] },
            ':step': { L: [{ S: JSON.stringify(told) }] },
            ...values,
          },
        }),
      )
      .catch((error: unknown) => {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      });
  };

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

    note: (destination, source, orderId, told) =>
      step(journeyKey(destination, source, orderId), told, '', {}),

    reopen: (destination, source, orderId, told) =>
      step(
        journeyKey(destination, source, orderId),
        told,
        ', #state = :open, #openFor = :destination, #openSinceMs = :at REMOVE #expiresAtS, #sweptAtMs',
        {
          ':open': { S: 'open' },
          ':destination': { S: destination },
          ':at': { N: String(told.atMs) },
        },
      ),

    swept: (destination, source, orderId, told) =>
      step(journeyKey(destination, source, orderId), told, ', #sweptAtMs = :at', {
        ':at': { N: String(told.atMs) },
      }),
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
