import { gunzipSync } from 'node:zlib';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { journeyKey, partsOf } from '../core/intent-key.ts';
import type { JourneyStep } from '../core/journal.ts';
import type { JournalReads, UnfinishedOrder } from '../core/journal-reads.ts';
import type { Revision } from '../core/revision.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import { JOURNAL_OPEN_INDEX } from '../observability/names.ts';
import { namesIn } from './dynamo-parked.ts';

type Item = Record<string, AttributeValue>;

/** Reads the table that `dynamoJournal` writes. */
export const dynamoJournalReads = (client: DynamoDBClient, tableName: string): JournalReads => {
  const read = async (pk: string, projection: string): Promise<Item> => {
    const { Item = {} } = await client.send(
      new GetItemCommand({
        TableName: tableName,
        Key: { pk: { S: pk } },
        ProjectionExpression: projection,
        ExpressionAttributeNames: namesIn(projection),
        ConsistentRead: true,
      }),
    );
    return Item;
  };

  const step = async (pk: string, told: JourneyStep, more: string, values: Item): Promise<void> => {
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
    row: async (destination, source, orderId) => {
      const item = await read(journeyKey(destination, source, orderId), '#revision, #settledRevision');
      return { recorded: revisionIn(item['revision']), settled: revisionIn(item['settledRevision']) };
    },

    snapshot: async (destination, source, orderId) =>
      snapshotIn(await read(journeyKey(destination, source, orderId), '#snapshot')),

    async *unfinished(destination, openedBeforeMs) {
      let from: Item | undefined;
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

    swept: (destination, source, orderId, told) =>
      step(journeyKey(destination, source, orderId), told, ', #sweptAtMs = :at', {
        ':at': { N: String(told.atMs) },
      }),
  };
};

const UNFINISHED = '#state, #openFor, #openSinceMs, #sweptAtMs, #snapshot';

/** undefined: it was finished since the index was written. */
const unfinishedIn = (pk: string, item: Item): UnfinishedOrder | undefined => {
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

const snapshotIn = ({ snapshot }: Item): Envelope<OrderChangedV1> | undefined =>
  snapshot?.B ? (JSON.parse(gunzipSync(snapshot.B).toString()) as Envelope<OrderChangedV1>) : undefined;

const revisionIn = (value: AttributeValue | undefined): Revision | undefined =>
  value?.S === undefined ? undefined : (JSON.parse(value.S) as Revision);
