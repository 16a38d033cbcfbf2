import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import {
  type AttributeValue,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import { JOURNAL_OPEN_INDEX } from '../../shared/observability/names.ts';

/** It has no types of its own. */
const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number }) => Server;

export interface DynamoTables {
  readonly client: DynamoDBClient;
  /** A new, empty table with `pk`, and `sk` or the journal's index if asked for; its name. */
  create(options?: { sortKey?: boolean; openIndex?: boolean }): Promise<string>;
  /** The raw item. */
  item(tableName: string, pk: string): Promise<Record<string, AttributeValue> | undefined>;
  stop(): Promise<void>;
}

/** A DynamoDB of our own, in this process, spoken to through the AWS SDK over HTTP. */
export const startDynamoTables = async (): Promise<DynamoTables> => {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  let tables = 0;
  return {
    client,
    create: async ({ sortKey = false, openIndex = false } = {}) => {
      tables += 1;
      const TableName = `table-${tables}`;
      const hash = { AttributeName: 'pk', KeyType: 'HASH' } as const;
      await client.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [hash, ...(sortKey ? [{ AttributeName: 'sk', KeyType: 'RANGE' } as const] : [])],
          AttributeDefinitions: [
            { AttributeName: 'pk', AttributeType: 'S' },
            ...(sortKey ? [{ AttributeName: 'sk', AttributeType: 'S' } as const] : []),
            ...(openIndex
              ? [
                  { AttributeName: 'openFor', AttributeType: 'S' } as const,
                  { AttributeName: 'openSinceMs', AttributeType: 'N' } as const,
                ]
              : []),
          ],
          ...(openIndex
            ? {
                GlobalSecondaryIndexes: [
                  {
                    IndexName: JOURNAL_OPEN_INDEX,
                    KeySchema: [
                      { AttributeName: 'openFor', KeyType: 'HASH' },
                      { AttributeName: 'openSinceMs', KeyType: 'RANGE' },
                    ],
                    Projection: { ProjectionType: 'KEYS_ONLY' },
                  },
                ],
              }
            : {}),
        }),
      );
      const status = async () =>
        (await client.send(new DescribeTableCommand({ TableName }))).Table?.TableStatus;
      while ((await status()) !== 'ACTIVE') await new Promise((resolve) => setTimeout(resolve, 2));
      return TableName;
    },
    item: async (tableName, pk) =>
      (
        await client.send(
          new GetItemCommand({ TableName: tableName, Key: { pk: { S: pk } }, ConsistentRead: true }),
        )
      ).Item,
    stop: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
