import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, ListTablesCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startAsyncInvocations } from '../../../infra/local/async-invocations.ts';
import type { InvocationResult } from '../../../infra/local/function-host.ts';
import { type LocalStack, type LocalStackOptions, startLocalStack } from '../../../infra/local/index.ts';
import { startQueues } from '../../../infra/local/queues.ts';
import { type HandWrittenStack, lambda, type Resources, writeAssembly } from './hand-written-assembly.ts';

/** Two cores, shared: a process may take its time to start. */
const PATIENT = { timeout: 10_000 };
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
const folder = () => {
  const directory = mkdtempSync(join(tmpdir(), 'stack-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
const ref = (name: string) => ({ Ref: name });
const att = (id: string, attribute: string) => ({ 'Fn::GetAtt': [id, attribute] });

const HANDLERS = {
  echo: 'export const handler = async (event) => { if (event.fail) throw new Error("told to fail"); return event; };',
  // Writes what it got to the table, through the SDK and the environment alone.
  store: `import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
    const client = new DynamoDBClient({});
    export const handler = async ({ Records }) => {
      for (const { messageId, body } of Records)
        await client.send(new PutItemCommand({ TableName: process.env.TABLE, Item: { pk: { S: messageId }, body: { S: body } } }));
    };`,
};
const table = (key: string) => ({
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
    KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
  },
});
const RESOURCES: Resources = {
  Items0123ABCD: table('pk'),
  Inbox0123ABCD: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 2 } },
  Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'commerce' } },
  Rule: {
    Type: 'AWS::Events::Rule',
    Properties: {
      ...{ EventBusName: ref('Bus'), EventPattern: { source: ['shop'] } },
      Targets: [
        { Id: 'T', Arn: att('Inbox0123ABCD', 'Arn'), SqsParameters: { MessageGroupId: '$.detail.shop' } },
      ],
    },
  },
  Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'acme/shop' } },
  Echo: lambda('echo'),
  Store: lambda('store', { Timeout: 2, Environment: { Variables: { TABLE: ref('Items0123ABCD') } } }),
  Mapping: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { EventSourceArn: att('Inbox0123ABCD', 'Arn'), FunctionName: ref('Store') },
  },
};
const assembly = (resources: Resources, more: Partial<HandWrittenStack> = {}) => {
  const directory = writeAssembly({ App: { resources, ...more } }, HANDLERS);
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return directory;
};
const start = async (options: Partial<LocalStackOptions> = {}): Promise<LocalStack> => {
  const stack = await startLocalStack({ assembly: assembly(RESOURCES), graceMs: 0, ...options });
  cleanups.push(stack.stop);
  return stack;
};
const connection = ({ env }: LocalStack, service: string) => ({
  endpoint: env[`AWS_ENDPOINT_URL_${service}`] ?? '',
  region: env['AWS_REGION'] ?? '',
  credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
});
const stored = async (stack: LocalStack): Promise<string[]> => {
  const client = new DynamoDBClient(connection(stack, 'DYNAMODB'));
  const { Items = [] } = await client.send(
    new ScanCommand({ TableName: stack.physicalId('App', 'Items'), ConsistentRead: true }),
  );
  client.destroy();
  return Items.map(({ body }) => body?.S ?? '').sort();
};
const sendTo = async (stack: LocalStack, ...bodies: string[]) => {
  const client = new SQSClient(connection(stack, 'SQS'));
  const QueueUrl = stack.physicalId('App', 'Inbox');
  for (const MessageBody of bodies) await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  client.destroy();
};
const control = async (stack: LocalStack, method: string, path: string, body?: unknown, headers = {}) => {
  const response = await fetch(`${stack.endpoints.lambda}/2015-03-31${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
};

describe('a running stack', () => {
  it('serves the SDK: an event goes over the bus, a queue and a function into the table', async () => {
    const stack = await start({ secrets: { 'acme/shop': '{"key":"k"}' } });
    const events = new EventBridgeClient(connection(stack, 'EVENTBRIDGE'));
    const secrets = new SecretsManagerClient(connection(stack, 'SECRETS_MANAGER'));
    cleanups.push(
      () => events.destroy(),
      () => secrets.destroy(),
    );
    const answer = await events.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: 'commerce',
            Source: 'shop',
            DetailType: 'x',
            Detail: '{"shop":"acme"}',
            Time: new Date(0),
          },
          { EventBusName: 'nobody', Source: 'shop', DetailType: 'x', Detail: '{}' },
        ],
      }),
    );
    expect(answer.FailedEntryCount).toBe(1);
    await expect.poll(() => stored(stack), PATIENT).toHaveLength(1);
    expect(JSON.parse((await stored(stack))[0] ?? '')).toMatchObject({
      ...{ id: answer.Entries?.[0]?.EventId, time: '1970-01-01T00:00:00Z', detail: { shop: 'acme' } },
    });
    expect(await secrets.send(new GetSecretValueCommand({ SecretId: 'acme/shop' }))).toMatchObject({
      SecretString: '{"key":"k"}',
      CreatedDate: expect.any(Date),
    });
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('scales what is only waited for, in whole seconds', async () => {
    const stack = await start({ timeScale: 0.3 });
    const sqs = new SQSClient(connection(stack, 'SQS'));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: stack.physicalId('App', 'Inbox'),
        AttributeNames: ['VisibilityTimeout', 'DelaySeconds', 'MessageRetentionPeriod'],
      }),
    );
    // Stated 2 s and nothing else; 345600 s is what SQS takes.
    expect(Attributes).toEqual({
      VisibilityTimeout: '1',
      DelaySeconds: '0',
      MessageRetentionPeriod: '345600',
    });
  });

  it('answers an unknown operation as AWS does', async () => {
    const stack = await start();
    const response = await fetch(stack.endpoints.events, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSEvents.PutRule', 'content-type': 'application/x-amz-json-1.1' },
      body: '{}',
    });
    expect([response.status, await response.json()]).toEqual([
      400,
      { __type: 'UnknownOperationException', message: 'AWSEvents.PutRule is not known here' },
    ]);
  });

  it('finds physical ids by logical id, with or without the hash of the CDK', async () => {
    const stack = await start();
    expect(stack.physicalId('App', 'Items')).toBe('App-Items0123ABCD');
    expect(stack.physicalId('App', 'Items0123ABCD')).toBe('App-Items0123ABCD');
    expect(stack.physicalId('App', 'Inbox')).toBe(`${stack.endpoints.sqs}/000000000000/App-Inbox0123ABCD`);
    expect(() => stack.physicalId('App', 'Item')).toThrow('0 resources of stack App are called Item');
  });

  it('survives a client that goes away in the middle of a DynamoDB request', async () => {
    const stack = await start();
    const socket = connect(Number(new URL(stack.endpoints.dynamodb).port), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await stored(stack)).toEqual([]);
  });

  it('leaves no process behind, and may be stopped twice', async () => {
    const stack = await start();
    const pids = stack.processes().map(({ pid }) => pid);
    expect(pids).toHaveLength(2);
    await Promise.all([stack.stop(), stack.stop()]);
    await stack.stop();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(fetch(stack.apiUrl)).rejects.toThrow();
  });
});

describe('Lambda control', () => {
  it('switches an event source off and on', async () => {
    const stack = await start();
    const { body: list } = await control(stack, 'GET', '/event-source-mappings/?FunctionName=App-Store');
    const [{ UUID }] = list.EventSourceMappings;
    expect(list.EventSourceMappings).toMatchObject([
      {
        ...{ UUID: stack.physicalId('App', 'Mapping'), State: 'Enabled', BatchSize: 10 },
        FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:App-Store',
        EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:App-Inbox0123ABCD',
      },
    ]);
    const off = await control(stack, 'PUT', `/event-source-mappings/${UUID}`, { Enabled: false });
    expect([off.status, off.body.State]).toEqual([202, 'Disabled']);
    await sendTo(stack, 'later');
    const client = new SQSClient(connection(stack, 'SQS'));
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: stack.physicalId('App', 'Inbox'), VisibilityTimeout: 0 }),
    );
    client.destroy();
    expect(Messages).toHaveLength(1);
    await control(stack, 'PUT', `/event-source-mappings/${UUID}`, { Enabled: true });
    expect((await control(stack, 'GET', `/event-source-mappings/${UUID}`)).body.State).toBe('Enabled');
    await expect.poll(() => stored(stack), PATIENT).toEqual(['later']);
  });

  it('refuses what it cannot change, and what is not there', async () => {
    const stack = await start();
    const id = stack.physicalId('App', 'Mapping');
    expect(await control(stack, 'PUT', `/event-source-mappings/${id}`, { BatchSize: 1 })).toMatchObject({
      status: 400,
      body: { message: 'BatchSize cannot be changed in the local stack' },
    });
    const missing = await control(stack, 'GET', '/event-source-mappings/nobody');
    expect([missing.status, missing.headers.get('x-amzn-errortype')]).toEqual([
      404,
      'ResourceNotFoundException',
    ]);
  });

  it('invokes functions', async () => {
    const stack = await start();
    const path = '/functions/App-Echo/invocations';
    expect(await control(stack, 'POST', path, { a: 1 })).toMatchObject({ status: 200, body: { a: 1 } });
    const byArn = encodeURIComponent('arn:aws:lambda:us-east-1:000000000000:function:App-Echo');
    expect(await control(stack, 'POST', `/functions/${byArn}/invocations`, 5)).toMatchObject({ body: 5 });
    const failed = await control(stack, 'POST', path, { fail: true });
    expect([failed.status, failed.headers.get('x-amz-function-error'), failed.body.errorMessage]).toEqual([
      ...[200, 'Unhandled', 'told to fail'],
    ]);
    expect((await control(stack, 'POST', '/functions/nobody/invocations', {})).status).toBe(404);
    const later = await control(stack, 'POST', path, {}, { 'x-amz-invocation-type': 'Event' });
    expect(later.status).toBe(202);
  });
});

describe('a data directory', () => {
  it('keeps items, messages and paused event sources', async () => {
    const options = { dataDir: folder(), assembly: assembly(RESOURCES) };
    const first = await start(options);
    await sendTo(first, 'one');
    await expect.poll(() => stored(first), PATIENT).toEqual(['one']);
    const id = first.physicalId('App', 'Mapping');
    await control(first, 'PUT', `/event-source-mappings/${id}`, { Enabled: false });
    await sendTo(first, 'two');
    await first.stop();

    const second = await start(options);
    expect((await control(second, 'GET', `/event-source-mappings/${id}`)).body.State).toBe('Disabled');
    expect(await stored(second)).toEqual(['one']);
    await control(second, 'PUT', `/event-source-mappings/${id}`, { Enabled: true });
    await expect.poll(() => stored(second), PATIENT).toEqual(['one', 'two']);
  });

  it('refuses a table whose keys changed', async () => {
    const dataDir = folder();
    const first = await start({ dataDir });
    await first.stop();
    const changed = assembly({ ...RESOURCES, Items0123ABCD: table('id') });
    await expect(start({ dataDir, assembly: changed })).rejects.toThrow(
      `table App-Items0123ABCD in ${join(dataDir, 'dynamodb')} has the keys "pk", the template wants "id"`,
    );
    // What was started before the refusal is gone: the directory can be used again.
    await start({ dataDir });
  });

  it('is for one stack at a time', async () => {
    const dataDir = folder();
    const first = await start({ dataDir });
    await expect(start({ dataDir })).rejects.toThrow('another local stack running?');
    expect(await stored(first)).toEqual([]);
  });
});

describe('what stops the start', () => {
  it('is found before anything is started', async () => {
    const dataDir = join(folder(), 'data');
    const wrong = assembly({ ...RESOURCES, Bucket: { Type: 'AWS::S3::Bucket' } });
    await expect(start({ dataDir, assembly: wrong })).rejects.toThrow(
      'App/Bucket (AWS::S3::Bucket): resource type AWS::S3::Bucket is not known to the local stack',
    );
    mkdirSync(dataDir, { recursive: true });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('a port that is taken, with nothing left running', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    cleanups.push(() => other.close());
    await vi.waitFor(() => expect(other.listening).toBe(true), 10_000);
    const { port } = other.address() as AddressInfo;
    const dataDir = folder();
    await expect(start({ port, dataDir })).rejects.toThrow(`the HTTP API cannot listen on port ${port}`);
    await start({ dataDir });
  });

  it('an assembly that is none', async () => {
    await expect(start({ assembly: folder() })).rejects.toThrow('manifest.json');
  });
});

describe('tables', () => {
  it('are created with keys and indexes', async () => {
    const stack = await start();
    const client = new DynamoDBClient(connection(stack, 'DYNAMODB'));
    cleanups.push(() => client.destroy());
    expect((await client.send(new ListTablesCommand({}))).TableNames).toEqual(['App-Items0123ABCD']);
    const put = client.send(
      new PutItemCommand({ TableName: 'App-Items0123ABCD', Item: { other: { S: 'x' } } }),
    );
    await expect(put).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('asynchronous invocations', () => {
  const DLQ = 'arn:aws:sqs:eu-west-1:000000000000:dlq';
  const startAsync = async (
    outcomes: boolean[],
    more: { asyncRetries?: number; directory?: string } = {},
  ) => {
    const queues = await startQueues({ region: 'eu-west-1', front: false });
    queues.create([{ name: 'dlq', arn: DLQ, url: 'dlq', attributes: {} }]);
    const calls: string[] = [];
    const dropped: string[] = [];
    const plan = {
      ...{
        name: 'fn',
        arn: 'arn:fn',
        codePath: '',
        handler: 'x.y',
        timeoutS: 1,
        memoryMb: 1,
        environment: {},
      },
      ...{ concurrency: 1, asyncRetries: more.asyncRetries ?? 2, asyncMaxAgeS: 60 },
    };
    const invocations = await startAsyncInvocations({
      functions: [plan, { ...plan, name: 'parks', onFailureArn: DLQ, deadLetterArn: DLQ }],
      ...{ region: 'eu-west-1', queues, timeScale: 1 / 60 },
      ...(more.directory ? { directory: more.directory } : {}),
      invoke: async (_name, event): Promise<InvocationResult> => {
        calls.push(event);
        return outcomes.shift()
          ? { ok: true, requestId: 'r', payload: 'null' }
          : { ok: false, requestId: 'r', error: { errorType: 'Error', errorMessage: 'down' } };
      },
      onDropped: (name, reason) => dropped.push(`${name}: ${reason}`),
    });
    cleanups.push(queues.stop, invocations.stop);
    return { invocations, queues, calls, dropped };
  };

  it('are repeated twice, then dropped aloud', async () => {
    const { invocations, calls, dropped } = await startAsync([]);
    invocations.accept('fn', '{"n":1}');
    await vi.waitFor(() => expect(dropped).toEqual(['fn: down']), 10_000);
    expect(calls).toEqual(['{"n":1}', '{"n":1}', '{"n":1}']);
  });

  it('end with the first success', async () => {
    const { invocations, calls, dropped } = await startAsync([false, true]);
    invocations.accept('fn', '{}');
    await vi.waitFor(() => expect(calls).toHaveLength(2), 10_000);
    expect(dropped).toEqual([]);
  });

  it('go to the failure destination and the dead letter queue', async () => {
    const { invocations, queues } = await startAsync([], { asyncRetries: 0 });
    invocations.accept('parks', '{"n":1}');
    const received = await queues.receive(DLQ, 10, 5);
    await vi.waitFor(async () => {
      received.push(...(await queues.receive(DLQ, 10, 0)));
      expect(received).toHaveLength(2);
    }, 10_000);
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      requestContext: {
        condition: 'RetriesExhausted',
        approximateInvokeCount: 1,
        functionArn: 'arn:fn:$LATEST',
      },
      requestPayload: { n: 1 },
      responsePayload: { errorType: 'Error', errorMessage: 'down' },
    });
    expect(received[1]).toMatchObject({
      body: '{"n":1}',
      messageAttributes: { ErrorMessage: { DataType: 'String', StringValue: 'down' } },
    });
  });

  it('outlive the process when kept on disk', async () => {
    const directory = folder();
    const first = await startAsync([false], { directory });
    first.invocations.accept('fn', '{"n":1}');
    await vi.waitFor(() => expect(first.calls).toHaveLength(1), 10_000);
    await first.invocations.stop();
    const second = await startAsync([true], { directory });
    await vi.waitFor(() => expect(second.calls).toEqual(['{"n":1}']), 10_000);
  });
});
