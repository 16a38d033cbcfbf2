import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { ParkedIndex, ParkedMessage } from '../core/parked.ts';

/** An item holds 400 KB in all, and what a peer or a shop wrote has no limit of its own. */
const MAX_TEXT = 4_000;
const MAX_PARAMS = 100_000;

/** What an operator reads in the item, by attribute; the key is not among them. */
export const PARKED_FIELDS = {
  code: 'S',
  params: 'S',
  reason: 'S',
  remedy: 'S',
  detail: 'S',
  source: 'S',
  orderId: 'S',
  orderNumber: 'S',
  sourceVersion: 'N',
  correlationId: 'S',
  parkedAtMs: 'N',
  receives: 'N',
  attempts: 'N',
  previousId: 'S',
} as const;

/** Table: partition key `pk` (connection), range key `sk` (id of the source message), time to live on `expiresAtS`. */
export const dynamoParked = (client: DynamoDBClient, tableName: string): ParkedIndex => ({
  put: async (message) => {
    const item = fieldsOf(message);
    const set = Object.keys(item).map((name) => `#${name} = :${name}`);
    // Of an earlier parking of the same message: what no longer holds. Who acted on it stays.
    const stale = [...Object.keys(PARKED_FIELDS).filter((name) => !(name in item)), 'expiresAtS', 'result'];
    const expression = `SET ${[...set, '#state = :state'].join(', ')} REMOVE ${stale.map((name) => `#${name}`).join(', ')}`;
    await client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: keyOf(message.connection, message.id),
        UpdateExpression: expression,
        ExpressionAttributeNames: namesIn(expression),
        ExpressionAttributeValues: {
          ':state': { S: 'parked' },
          ...Object.fromEntries(Object.entries(item).map(([name, value]) => [`:${name}`, value])),
        },
      }),
    );
  },

  answer: async (connection, id, result) => {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: keyOf(connection, id),
          UpdateExpression: 'SET #result = :result',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeNames: { '#result': 'result' },
          ExpressionAttributeValues: { ':result': { S: JSON.stringify(result) } },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  },
});

export const keyOf = (connection: string, id: string) => ({ pk: { S: connection }, sk: { S: id } });

/** Aliases of exactly the attributes that an expression mentions: some are reserved words. */
export const namesIn = (expression: string): Record<string, string> =>
  Object.fromEntries((expression.match(/#\w+/g) ?? []).map((name) => [name, name.slice(1)]));

const fieldsOf = ({ text, params, ...message }: ParkedMessage): Record<string, AttributeValue> => {
  const json = JSON.stringify(params, (_, value) => (typeof value === 'string' ? cut(value) : value));
  const values: Readonly<Record<string, string | number | undefined>> = {
    ...message,
    reason: text.reason,
    remedy: text.remedy,
    // Too much to keep: the English sentence, cut, has to do.
    params: json.length <= MAX_PARAMS ? json : '{}',
  };
  return Object.fromEntries(
    Object.entries(PARKED_FIELDS).flatMap(([name, type]) => {
      const value = values[name];
      if (value === undefined) return [];
      return [
        [
          name,
          type === 'N' ? { N: String(value) } : { S: name === 'params' ? String(value) : cut(String(value)) },
        ],
      ];
    }),
  );
};

/** DynamoDB takes no half character. */
const cut = (text: string): string => text.slice(0, MAX_TEXT).toWellFormed();
