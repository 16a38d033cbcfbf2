import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../../infra/local/index.ts';

/** Accepts an order: 202 only when the bus has it. */
const INTAKE = `
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
const client = new EventBridgeClient({});
export const handler = async ({ body, isBase64Encoded, pathParameters }) => {
  const order = JSON.parse(isBase64Encoded ? Buffer.from(body, 'base64') : body);
  const { FailedEntryCount } = await client.send(new PutEventsCommand({ Entries: [{
    EventBusName: process.env.BUS_NAME, Source: 'intake', DetailType: 'order',
    Detail: JSON.stringify({ ...order, shop: pathParameters.shop }),
  }] }));
  return FailedEntryCount ? { statusCode: 503 } : { statusCode: 202, body: order.id };
};`;
/** Books orders; some fail the first time, some always, some never end the first time. Counts its calls. */
const BOOK = `
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
const client = new DynamoDBClient({});
const book = async (id, shop) => client.send(new UpdateItemCommand({
  TableName: process.env.TABLE_NAME, Key: { id: { S: id } },
  UpdateExpression: 'SET shop = :shop ADD bookings :one',
  ExpressionAttributeValues: { ':one': { N: '1' }, ':shop': { S: shop } },
}));
export const handler = async ({ Records }) => {
  const batchItemFailures = [];
  for (const { body, messageId, attributes } of Records) {
    const { detail } = JSON.parse(body);
    const isFirst = attributes.ApproximateReceiveCount === '1';
    if (detail.kind === 'hang' && isFirst) {
      console.log('hanging');
      await new Promise(() => setInterval(() => {}, 1000));
    }
    if (detail.kind === 'poison' || (detail.kind === 'fail-once' && isFirst)) {
      batchItemFailures.push({ itemIdentifier: messageId });
      continue;
    }
    await book(detail.id, detail.shop);
  }
  return { batchItemFailures };
};`;

const root = mkdtempSync(join(tmpdir(), 'local-stack-e2e-'));
const assembly = join(root, 'cdk.out');
const handler = (name: string, source: string): string => {
  const directory = join(root, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'index.mjs'), source);
  return directory;
};

beforeAll(() => {
  const app = new App({ outdir: assembly });
  const core = new Stack(app, 'Core');
  const bus = new EventBus(core, 'Bus', { eventBusName: 'orders' });
  const table = new Table(core, 'Orders', {
    partitionKey: { name: 'id', type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: 'expiresAtS',
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  });
  const flows = new Stack(app, 'Flows');
  const common = { runtime: Runtime.NODEJS_24_X, handler: 'index.handler', timeout: Duration.seconds(10) };
  const intake = new LambdaFunction(flows, 'Intake', {
    ...common,
    code: Code.fromAsset(handler('intake', INTAKE)),
    environment: { BUS_NAME: bus.eventBusName },
  });
  bus.grantPutEventsTo(intake);
  const api = new HttpApi(flows, 'Api');
  api.addRoutes({
    path: '/orders/{shop}',
    methods: [HttpMethod.POST],
    integration: new HttpLambdaIntegration('Intake', intake),
  });
  const dlq = new Queue(flows, 'Dlq', { retentionPeriod: Duration.days(14), enforceSSL: true });
  const queue = new Queue(flows, 'Queue', {
    visibilityTimeout: Duration.seconds(1),
    enforceSSL: true,
    // A kill of the runner counts as a receive too.
    deadLetterQueue: { queue: dlq, maxReceiveCount: 5 },
  });
  const retried = new Queue(flows, 'Retried', {
    // Shorter than the function may take: what a killed function had comes back soon.
    visibilityTimeout: Duration.seconds(1),
    deadLetterQueue: { queue: dlq, maxReceiveCount: 10 },
  });
  const book = new LambdaFunction(flows, 'Book', {
    ...common,
    timeout: Duration.seconds(1),
    code: Code.fromAsset(handler('book', BOOK)),
    environment: { TABLE_NAME: table.tableName },
  });
  const bookSlowly = new LambdaFunction(flows, 'BookRetried', {
    ...common,
    timeout: Duration.seconds(1),
    code: Code.fromAsset(handler('book-retried', BOOK)),
    environment: { TABLE_NAME: table.tableName },
  });
  table.grantReadWriteData(book);
  table.grantReadWriteData(bookSlowly);
  new Rule(flows, 'ToQueue', {
    eventBus: bus,
    eventPattern: { source: ['intake'], detail: { kind: ['plain', 'poison'] } },
    targets: [new SqsQueue(queue, { deadLetterQueue: dlq })],
  });
  new Rule(flows, 'ToRetried', {
    eventBus: bus,
    eventPattern: { source: ['intake'], detail: { kind: Match.anythingBut('plain', 'poison') } },
    targets: [new SqsQueue(retried, { deadLetterQueue: dlq })],
  });
  const source = { batchSize: 5, reportBatchItemFailures: true, maxConcurrency: 2 };
  book.addEventSource(new SqsEventSource(queue, source));
  bookSlowly.addEventSource(new SqsEventSource(retried, source));
  new CfnOutput(flows, 'Url', { value: api.url ?? '' });
  new CfnOutput(flows, 'DlqUrl', { value: dlq.queueUrl });
  app.synth();
});
afterAll(() => rmSync(root, { recursive: true }));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Two cores, shared: a cold start may take its time. */
const PATIENT = { timeout: 20_000, interval: 100 };

type Env = Readonly<Record<string, string>>;
const connection = (env: Env, service: string) => ({
  endpoint: env[`AWS_ENDPOINT_URL_${service}`] ?? '',
  region: env['AWS_REGION'] ?? '',
  credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
});
/** Order id -> how often it was booked. */
const bookings = async (env: Env): Promise<Record<string, number>> => {
  const client = new DynamoDBClient(connection(env, 'DYNAMODB'));
  try {
    const found: Record<string, number> = {};
    let from: Record<string, never> | undefined;
    do {
      const page = await client.send(
        new ScanCommand({
          TableName: TABLE,
          ConsistentRead: true,
          ...(from ? { ExclusiveStartKey: from } : {}),
        }),
      );
      for (const { id, bookings: count } of page.Items ?? []) found[id?.S ?? ''] = Number(count?.N);
      from = page.LastEvaluatedKey as typeof from;
    } while (from);
    return found;
  } finally {
    client.destroy();
  }
};
let TABLE = '';
const post = async (apiUrl: string, order: { id: string; kind: string }) => {
  const response = await fetch(`${apiUrl}/orders/acme`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  return [response.status, await response.text()] as const;
};
const start = async (lines: string[] = []): Promise<LocalStack> => {
  const stack = await startLocalStack({ assembly, graceMs: 0, onLog: ({ text }) => lines.push(text) });
  cleanups.push(stack.stop);
  TABLE = stack.physicalId('Core', 'Orders');
  return stack;
};

describe('a small CDK app on this machine', () => {
  it('books an order that was posted, over the bus and a queue', async () => {
    const stack = await start();
    expect(stack.outputs['Flows.Url']).toBe(`${stack.apiUrl}/`);
    expect(await post(stack.apiUrl, { id: 'a', kind: 'plain' })).toEqual([202, 'a']);
    await expect.poll(() => bookings(stack.env), PATIENT).toEqual({ a: 1 });
  });

  it('gives again only what failed, and parks what always fails', async () => {
    const stack = await start();
    const orders = [
      { id: 'plain', kind: 'plain' },
      { id: 'again', kind: 'fail-once' },
      { id: 'poison', kind: 'poison' },
      { id: 'fine', kind: 'other' },
    ];
    for (const order of orders) expect((await post(stack.apiUrl, order))[0]).toBe(202);
    await expect.poll(() => bookings(stack.env), PATIENT).toEqual({ plain: 1, again: 1, fine: 1 });
    const sqs = new SQSClient(connection(stack.env, 'SQS'));
    cleanups.push(() => sqs.destroy());
    const parked = async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: stack.outputs['Flows.DlqUrl'], VisibilityTimeout: 0 }),
      );
      return Messages.map(({ Body }) => JSON.parse(Body ?? '').detail.id);
    };
    await expect.poll(parked, PATIENT).toEqual(['poison']);
  });

  it('gives an order again whose function was killed in the middle', async () => {
    const lines: string[] = [];
    const stack = await start(lines);
    await post(stack.apiUrl, { id: 'k', kind: 'hang' });
    await expect.poll(() => lines, PATIENT).toContain('hanging');
    const busy = stack.processes().filter((one) => one.busy);
    expect(busy).toHaveLength(1);
    process.kill(busy[0]?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => bookings(stack.env), PATIENT).toEqual({ k: 1 });
  });

  it('does not start with a property that it does not know', async () => {
    const file = join(assembly, 'Flows.template.json');
    const original = readFileSync(file, 'utf8');
    const template = JSON.parse(original);
    const id = Object.keys(template.Resources).find(
      (key) => template.Resources[key].Type === 'AWS::Lambda::EventSourceMapping',
    ) as string;
    template.Resources[id].Properties.TumblingWindowInSeconds = 5;
    writeFileSync(file, JSON.stringify(template));
    try {
      await expect(startLocalStack({ assembly })).rejects.toThrow(
        `Flows/${id} (AWS::Lambda::EventSourceMapping): property TumblingWindowInSeconds is not known to the local stack`,
      );
    } finally {
      writeFileSync(file, original);
    }
  });
});

describe('a runner that is killed', () => {
  interface Runner {
    readonly child: ChildProcess;
    readonly apiUrl: string;
    readonly env: Env;
    readonly table: string;
    readonly pids: readonly number[];
    readonly busy: readonly number[];
  }
  const run = async (dataDir: string): Promise<Runner> => {
    const child = fork(join(import.meta.dirname, 'local-stack-runner.ts'), [assembly, dataDir], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    cleanups.push(() => child.kill('SIGKILL'));
    return { child, ...(await told(child)) };
  };
  const told = (child: ChildProcess) =>
    new Promise<Omit<Runner, 'child'>>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Omit<Runner, 'child'>));
      child.once('exit', (code) => reject(new Error(`the runner ended with ${code}`)));
    });
  const ask = ({ child }: Runner) => {
    child.send('again');
    return told(child);
  };
  const kill = ({ child }: Runner) =>
    new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  const isAlive = (pid: number) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  it('takes a function along that is in the middle of something', async () => {
    const runner = await run(mkdtempSync(join(root, 'data-')));
    TABLE = runner.table;
    await post(runner.apiUrl, { id: 'k', kind: 'hang' });
    await expect.poll(async () => (await ask(runner)).busy.length, PATIENT).toBe(1);
    const { pids } = await ask(runner);
    await kill(runner);
    await expect.poll(() => pids.filter(isAlive), PATIENT).toEqual([]);
  });

  it('loses nothing that it accepted, and takes its functions along', async () => {
    const dataDir = mkdtempSync(join(root, 'data-'));
    const accepted: string[] = [];
    let next = 0;
    for (let round = 0; round < 3; round += 1) {
      const runner = await run(dataDir);
      TABLE = runner.table;
      // Posts until the runner is gone; only what was answered 202 is a promise.
      const postSome = async () => {
        for (;;) {
          next += 1;
          const id = `order-${next}`;
          try {
            const [status] = await post(runner.apiUrl, { id, kind: next % 3 === 0 ? 'fail-once' : 'plain' });
            if (status === 202) accepted.push(id);
          } catch {
            return;
          }
        }
      };
      const before = accepted.length;
      const posting = Promise.all([postSome(), postSome(), postSome()]);
      await expect.poll(() => accepted.length - before, PATIENT).toBeGreaterThan(40 + round * 17);
      await kill(runner);
      await posting;
      await expect.poll(() => runner.pids.filter(isAlive), PATIENT).toEqual([]);
    }
    const last = await run(dataDir);
    const missing = async () => {
      const booked = await bookings(last.env);
      return accepted.filter((id) => !booked[id]);
    };
    await expect.poll(missing, PATIENT).toEqual([]);
    expect(accepted.length).toBeGreaterThan(150);
  }, 60_000);
});
