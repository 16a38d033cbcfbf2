import type { IncomingMessage, Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { LocalStackError } from './local-stack-error.ts';
import type { TablePlan } from './plan.ts';

/** dynalite has no types. */
const dynalite = createRequire(import.meta.url)('dynalite') as (options: {
  readonly path?: string;
  readonly createTableMs: number;
}) => Server;

/** Credentials that mean nothing: the emulators want a signature, not a valid one. */
export const DUMMY_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export interface Tables {
  /** `http://127.0.0.1:<port>` of DynamoDB. */
  readonly url: string;
  /** @throws LocalStackError a table kept on disk has other keys or indexes than the template says */
  create(plans: readonly TablePlan[]): Promise<void>;
  stop(): Promise<void>;
}

type KeyElements = readonly {
  readonly AttributeName?: string | undefined;
  readonly KeyType?: string | undefined;
}[];
interface Shape {
  readonly KeySchema?: KeyElements | undefined;
  readonly GlobalSecondaryIndexes?: readonly IndexShape[] | undefined;
  readonly LocalSecondaryIndexes?: readonly IndexShape[] | undefined;
}
interface IndexShape {
  readonly IndexName?: string | undefined;
  readonly KeySchema?: KeyElements | undefined;
}
/** Keys and indexes in words, to compare and to show: `pk+sk; index byOrder: orderId`. */
const describeKeys = ({
  KeySchema,
  GlobalSecondaryIndexes = [],
  LocalSecondaryIndexes = [],
}: Shape): string => {
  const keys = (elements: KeyElements = []) =>
    [...elements]
      .sort((left, right) => (left.KeyType ?? '').localeCompare(right.KeyType ?? ''))
      .map((element) => element.AttributeName)
      .join('+');
  const indexes = [...GlobalSecondaryIndexes, ...LocalSecondaryIndexes]
    .map((index) => `index ${index.IndexName}: ${keys(index.KeySchema)}`)
    .sort();
  return [keys(KeySchema), ...indexes].join('; ');
};

/**
 * dynalite throws when a client goes away in the middle of a request, which would end the whole runner each time a
 * function is killed while it writes.
 */
const tolerateAbortedRequests = (server: Server) => {
  server.prependListener('request', (request: IncomingMessage) => {
    const on = request.on.bind(request);
    request.on = ((event: string, listener: (...values: unknown[]) => void) =>
      on(event, event === 'error' ? () => undefined : listener)) as typeof request.on;
  });
};

/** DynamoDB: dynalite over HTTP, in memory, or in LevelDB when a directory is given. */
export const startTables = async (options: {
  readonly region: string;
  readonly directory?: string;
}): Promise<Tables> => {
  const server = dynalite({ createTableMs: 0, ...(options.directory ? { path: options.directory } : {}) });
  tolerateAbortedRequests(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new DynamoDBClient({
    endpoint: url,
    region: options.region,
    credentials: DUMMY_CREDENTIALS,
  });

  const describe = async (TableName: string): Promise<TableDescription | undefined> => {
    try {
      return (await client.send(new DescribeTableCommand({ TableName }))).Table;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };

  const createOne = async ({ name, properties }: TablePlan): Promise<void> => {
    const existing = await describe(name);
    if (existing) {
      const [is, wanted] = [describeKeys(existing), describeKeys(properties)];
      if (is !== wanted)
        throw new LocalStackError([
          `table ${name} in ${options.directory} has the keys "${is}", the template wants "${wanted}": use another data directory`,
        ]);
      return;
    }
    const input: CreateTableCommandInput = {
      TableName: name,
      AttributeDefinitions: properties.AttributeDefinitions,
      KeySchema: properties.KeySchema,
      BillingMode: 'PAY_PER_REQUEST',
      ...(properties.GlobalSecondaryIndexes
        ? {
            GlobalSecondaryIndexes: properties.GlobalSecondaryIndexes.map(
              ({ IndexName, KeySchema, Projection }) => ({ IndexName, KeySchema, Projection }),
            ),
          }
        : {}),
      ...(properties.LocalSecondaryIndexes
        ? { LocalSecondaryIndexes: properties.LocalSecondaryIndexes }
        : {}),
    };
    await client.send(new CreateTableCommand(input));
    while ((await describe(name))?.TableStatus !== 'ACTIVE')
      await new Promise((resolve) => setTimeout(resolve, 5));
  };

  let stopped: Promise<void> | undefined;
  return {
    url,
    create: async (plans) => {
      await Promise.all(plans.map(createOne));
    },
    stop: () => {
      stopped ??= new Promise((resolve, reject) => {
        client.destroy();
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      });
      return stopped;
    },
  };
};
