import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { journeyKey } from '../core/intent-key.ts';
import type { Bindings } from '../core/order-ports.ts';

/** Table: partition key `pk`. Two rows per binding, so that it can be read from either side. */
export const dynamoBindings = (client: DynamoDBClient, tableName: string): Bindings => ({
  put: async (destination, source, entity, externalId, document) => {
    const common = {
      destination: { S: destination },
      source: { S: source },
      entity: { S: entity },
      externalId: { S: externalId },
      documentId: { S: document.id },
      ...(document.name === undefined ? {} : { documentName: { S: document.name } }),
      ...(document.url === undefined ? {} : { documentUrl: { S: document.url } }),
    };
    const keys = [
      `${entity}#OURS#${journeyKey(destination, source, externalId)}`,
      `${entity}#PEERS#${journeyKey(destination, source, document.id)}`,
    ];
    for (const pk of keys) {
      await client.send(new PutItemCommand({ TableName: tableName, Item: { pk: { S: pk }, ...common } }));
    }
  },
});
