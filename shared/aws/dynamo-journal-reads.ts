import { gunzipSync } from 'node:zlib';
import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { journeyKey } from '../core/intent-key.ts';
import type { JournalReads } from '../core/journal-reads.ts';
import type { Revision } from '../core/revision.ts';
import type { Envelope } from '../events/envelope.ts';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import { namesIn } from './dynamo-parked.ts';

export type JournalItem = Record<string, AttributeValue>;

/** Reads the table that `dynamoJournal` writes. */
export const dynamoJournalReads = (client: DynamoDBClient, tableName: string): JournalReads => {
  const read = journalItem(client, tableName);
  return {
    row: async (destination, source, orderId) => {
      const item = await read(journeyKey(destination, source, orderId), '#revision, #settledRevision');
      return { recorded: revisionIn(item['revision']), settled: revisionIn(item['settledRevision']) };
    },
    snapshot: async (destination, source, orderId) =>
      snapshotIn(await read(journeyKey(destination, source, orderId), '#snapshot')),
  };
};

/** Consistent; nothing is there: an item without attributes. */
export const journalItem =
  (client: DynamoDBClient, tableName: string) =>
  async (pk: string, projection: string): Promise<JournalItem> => {
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

export const snapshotIn = ({ snapshot }: JournalItem): Envelope<OrderChangedV1> | undefined =>
  snapshot?.B ? (JSON.parse(gunzipSync(snapshot.B).toString()) as Envelope<OrderChangedV1>) : undefined;

export const wireIn = ({ wire }: JournalItem): unknown =>
  wire?.B ? JSON.parse(gunzipSync(wire.B).toString()) : undefined;

const revisionIn = (value: AttributeValue | undefined): Revision | undefined =>
  value?.S === undefined ? undefined : (JSON.parse(value.S) as Revision);
