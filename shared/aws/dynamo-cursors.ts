import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Cursor, type Cursors, cursorBackwards, cursorTakenOver } from '../core/cursors.ts';
import type { Clock } from '../core/ports.ts';

/** A poll that has not run for so long is no longer in the settings. */
export const KEEP_S = 400 * 24 * 60 * 60;

type Item = Record<string, AttributeValue>;

/** Table: partition key `pk` (name of the poll), time to live on `expiresAtS`. */
export const dynamoCursors = (client: DynamoDBClient, tableName: string, nowMs: Clock): Cursors => {
  const key = (name: string) => ({ pk: { S: name } });
  const read = async (name: string): Promise<Item | undefined> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: key(name), ConsistentRead: true }),
    );
    return Item;
  };

  return {
    load: async (name) => cursorOf((await read(name)) ?? {}),

    claim: async (name, leaseMs) => {
      const now = nowMs();
      try {
        const { Attributes = {} } = await client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: key(name),
            ConditionExpression: 'attribute_not_exists(pk) OR leaseUntilMs <= :now',
            UpdateExpression: 'SET leaseUntilMs = :lease ADD turn :one',
            ExpressionAttributeValues: {
              ':now': { N: String(now) },
              ':lease': { N: String(now + leaseMs) },
              ':one': { N: '1' },
            },
            ReturnValues: 'ALL_NEW',
          }),
        );
        return { kind: 'claimed', turn: number(Attributes, 'turn'), cursor: cursorOf(Attributes) };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return { kind: 'busy', leaseUntilMs: number((await read(name)) ?? {}, 'leaseUntilMs') };
      }
    },

    save: async (name, turn, { atMs, told }) => {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: key(name),
            ConditionExpression: 'turn = :turn AND (attribute_not_exists(atMs) OR atMs <= :at)',
            UpdateExpression: 'SET atMs = :at, told = :told, expiresAtS = :ttl',
            ExpressionAttributeValues: {
              ':turn': { N: String(turn) },
              ':at': { N: String(atMs) },
              ':told': { S: JSON.stringify(told) },
              ':ttl': { N: String(Math.floor(nowMs() / 1000) + KEEP_S) },
            },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        const isOurs = number((await read(name)) ?? {}, 'turn') === turn;
        throw isOurs ? cursorBackwards(name) : cursorTakenOver(name);
      }
    },

    release: async (name, turn) => {
      await client
        .send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: key(name),
            ConditionExpression: 'turn = :turn',
            UpdateExpression: 'SET leaseUntilMs = :zero',
            ExpressionAttributeValues: { ':turn': { N: String(turn) }, ':zero': { N: '0' } },
          }),
        )
        .catch((error: unknown) => {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
        });
    },
  };
};

const number = (item: Item, name: string): number => Number(item[name]?.N ?? 0);

const cursorOf = (item: Item): Cursor | undefined =>
  item['atMs']?.N === undefined
    ? undefined
    : {
        atMs: Number(item['atMs'].N),
        told: JSON.parse(item['told']?.S ?? '{}') as Cursor['told'],
      };
