import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { journeyKey } from '../core/intent-key.ts';
import type { JourneyStep } from '../core/journal.ts';
import type { Timelines } from '../core/journal-reads.ts';
import type { JournalItem } from './dynamo-journal-reads.ts';
import { namesIn } from './dynamo-parked.ts';

/** Adds to the rows of the table that `dynamoJournal` writes. */
export const dynamoTimelines = (client: DynamoDBClient, tableName: string): Timelines => {
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

    permit: (destination, source, orderId, told) =>
      step(journeyKey(destination, source, orderId), told, ' REMOVE #seenInShadow', {}),

    swept: (destination, source, orderId, told) =>
      step(journeyKey(destination, source, orderId), told, ', #sweptAtMs = :at', {
        ':at': { N: String(told.atMs) },
      }),
  };
};
