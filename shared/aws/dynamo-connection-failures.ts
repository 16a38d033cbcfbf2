import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { ConnectionFailures } from '../core/connection-states.ts';

/** The consumer's side of the table of `dynamoConnectionStates`: it may tell, and neither read nor pause anything. */
export const dynamoConnectionFailures = (client: DynamoDBClient, tableName: string): ConnectionFailures => ({
  notice: async (connection, { atMs, code }) => {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { pk: { S: connection } },
          UpdateExpression: 'SET failedAtMs = :at, failedCode = :code',
          ConditionExpression: 'attribute_not_exists(failedAtMs) OR failedAtMs < :at',
          ExpressionAttributeValues: { ':at': { N: String(atMs) }, ':code': { S: code } },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  },
});
