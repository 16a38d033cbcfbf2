import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  type ConnectionRow,
  type ConnectionState,
  type ConnectionStates,
  NEVER_CHANGED,
} from '../core/connection-states.ts';
import { dynamoConnectionFailures } from './dynamo-connection-failures.ts';

/** Table: partition key `pk` (connection). One small item per connection, kept for ever. */
export const dynamoConnectionStates = (client: DynamoDBClient, tableName: string): ConnectionStates => {
  const key = (connection: string) => ({ pk: { S: connection } });
  return {
    get: async (connection) => {
      const { Item = {} } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: key(connection), ConsistentRead: true }),
      );
      return rowOf(connection, Item);
    },

    change: async ({ connection, version }, to) => {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: key(connection),
            UpdateExpression: 'SET wish = :wish, version = :next',
            ConditionExpression: version === 0 ? 'attribute_not_exists(version)' : 'version = :version',
            ExpressionAttributeValues: {
              ':wish': { S: JSON.stringify(to) },
              ':next': { N: String(version + 1) },
              ...(version === 0 ? {} : { ':version': { N: String(version) } }),
            },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },

    notice: dynamoConnectionFailures(client, tableName).notice,
  };
};

const rowOf = (connection: string, item: Record<string, AttributeValue>): ConnectionRow => {
  const wish = item['wish']?.S;
  const failedAtMs = item['failedAtMs']?.N;
  return {
    ...(wish === undefined ? NEVER_CHANGED : (JSON.parse(wish) as ConnectionState)),
    connection,
    version: Number(item['version']?.N ?? 0),
    failure:
      failedAtMs === undefined
        ? undefined
        : { atMs: Number(failedAtMs), code: item['failedCode']?.S ?? 'UNKNOWN' },
  };
};
