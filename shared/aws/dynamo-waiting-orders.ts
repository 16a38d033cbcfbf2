import { type DynamoDBClient, paginateQuery } from '@aws-sdk/client-dynamodb';
import { orderReference } from '../core/intent-key.ts';
import type { WaitingOrders } from '../core/parked.ts';

/** Reads the table that `dynamoParked` writes. */
export const dynamoWaitingOrders = (client: DynamoDBClient, tableName: string): WaitingOrders => ({
  references: async (connection) => {
    const references = new Set<string>();
    const pages = paginateQuery(
      { client },
      {
        TableName: tableName,
        KeyConditionExpression: 'pk = :connection',
        FilterExpression: '#state = :parked AND attribute_exists(#source) AND attribute_exists(orderId)',
        ProjectionExpression: '#source, orderId',
        ExpressionAttributeNames: { '#state': 'state', '#source': 'source' },
        ExpressionAttributeValues: { ':connection': { S: connection }, ':parked': { S: 'parked' } },
        ConsistentRead: true,
      },
    );
    for await (const { Items = [] } of pages) {
      for (const { source, orderId } of Items)
        references.add(orderReference(source?.S ?? '', orderId?.S ?? ''));
    }
    return references;
  },
});
