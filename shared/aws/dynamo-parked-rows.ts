import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { ParkedAction, ParkedResult, ParkedRow, ParkedRows, ParkedState } from '../core/parked.ts';
import { keyOf } from './dynamo-parked.ts';

/** As long as the logs are kept. Only rows that wait no longer expire. */
const KEEP_CLOSED_S = 90 * 24 * 60 * 60;

/** The operator's side of the table that `dynamoParked` writes. */
export const dynamoParkedRows = (client: DynamoDBClient, tableName: string): ParkedRows => {
  const query = async (
    condition: string,
    values: Record<string, AttributeValue>,
    filter?: string,
  ): Promise<ParkedRow[]> => {
    const rows: ParkedRow[] = [];
    const pages = paginateQuery(
      { client },
      {
        TableName: tableName,
        KeyConditionExpression: condition,
        ExpressionAttributeValues: values,
        ConsistentRead: true,
        ...(filter ? { FilterExpression: filter, ExpressionAttributeNames: { '#state': 'state' } } : {}),
      },
    );
    for await (const { Items = [] } of pages) rows.push(...Items.map(rowOf));
    return rows.sort((a, b) => a.parkedAtMs - b.parkedAtMs || (a.id < b.id ? -1 : 1));
  };

  return {
    list: (connection) =>
      query(
        'pk = :connection',
        { ':connection': { S: connection }, ':parked': { S: 'parked' } },
        '#state = :parked',
      ),

    get: async (connection, id) => {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: keyOf(connection, id), ConsistentRead: true }),
      );
      return Item && rowOf(Item);
    },

    find: (connection, idPrefix) =>
      query('pk = :connection AND begins_with(sk, :prefix)', {
        ':connection': { S: connection },
        ':prefix': { S: idPrefix },
      }),

    begin: async ({ connection, id }, action) => {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: keyOf(connection, id),
            // What an earlier redrive led to says nothing about this one.
            UpdateExpression:
              'SET actions = list_append(if_not_exists(actions, :none), :action) REMOVE #result',
            ConditionExpression: '#state = :parked',
            ExpressionAttributeNames: { '#state': 'state', '#result': 'result' },
            ExpressionAttributeValues: {
              ':parked': { S: 'parked' },
              ':none': { L: [] },
              ':action': { L: [{ S: JSON.stringify(action) }] },
            },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },

    close: async ({ connection, id }, state, atMs) => {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: keyOf(connection, id),
          UpdateExpression: 'SET #state = :state, expiresAtS = :ttl',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: {
            ':state': { S: state },
            ':ttl': { N: String(Math.floor(atMs / 1000) + KEEP_CLOSED_S) },
          },
        }),
      );
    },
  };
};

const rowOf = (item: Record<string, AttributeValue>): ParkedRow => {
  const text = (name: string) => item[name]?.S;
  const number = (name: string) => (item[name]?.N === undefined ? undefined : Number(item[name].N));
  const result = text('result');
  return {
    connection: text('pk') ?? '',
    id: text('sk') ?? '',
    code: text('code') ?? '',
    params: JSON.parse(text('params') ?? '{}'),
    text: { reason: text('reason') ?? '', remedy: text('remedy') ?? '' },
    detail: text('detail'),
    source: text('source'),
    orderId: text('orderId'),
    orderNumber: text('orderNumber'),
    sourceVersion: number('sourceVersion'),
    correlationId: text('correlationId'),
    parkedAtMs: number('parkedAtMs') ?? 0,
    receives: number('receives') ?? 0,
    attempts: number('attempts'),
    previousId: text('previousId'),
    state: (text('state') ?? 'parked') as ParkedState,
    actions: (item['actions']?.L ?? []).map(({ S }) => JSON.parse(S ?? '{}') as ParkedAction),
    result: result === undefined ? undefined : (JSON.parse(result) as ParkedResult),
  };
};
