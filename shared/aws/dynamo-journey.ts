import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { PeerDocument } from '../connectors/contract.ts';
import { journeyKey } from '../core/intent-key.ts';
import type { JourneyState, JourneyStep } from '../core/journal.ts';
import { namesIn } from './dynamo-parked.ts';

/** One order on its way to one destination, as an operator reads it. */
export interface Journey {
  readonly state: JourneyState | 'open';
  /** Unfinished since, epoch milliseconds; undefined: finished. */
  readonly openSinceMs: number | undefined;
  /** Oldest first. */
  readonly steps: readonly JourneyStep[];
  readonly document: PeerDocument | undefined;
}

const FIELDS = '#state, #openSinceMs, #steps, #document';

/** Reads the table that `dynamoJournal` writes. @returns undefined: the journal does not know the order */
export const dynamoJourney =
  (client: DynamoDBClient, tableName: string) =>
  async (destination: string, source: string, orderId: string): Promise<Journey | undefined> => {
    const { Item } = await client.send(
      new GetItemCommand({
        TableName: tableName,
        Key: { pk: { S: journeyKey(destination, source, orderId) } },
        ProjectionExpression: FIELDS,
        ExpressionAttributeNames: namesIn(FIELDS),
        ConsistentRead: true,
      }),
    );
    if (!Item) return undefined;
    const document = Item['document']?.S;
    return {
      state: (Item['state']?.S ?? 'open') as Journey['state'],
      openSinceMs: Item['openSinceMs']?.N === undefined ? undefined : Number(Item['openSinceMs'].N),
      steps: (Item['steps']?.L ?? []).map(({ S }) => JSON.parse(S ?? '{}') as JourneyStep),
      document: document === undefined ? undefined : (JSON.parse(document) as PeerDocument),
    };
  };
