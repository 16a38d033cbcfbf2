import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { invokeFunction, lambdaEventSource } from '../../../shared/aws/lambda-api.ts';

const ID = '0b5a2c9e-1111-4222-8333-444455556666';
const call = { signal: new AbortController().signal };
const client = new DynamoDBClient({
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
});

let app: FastifyInstance;
let requests: { method: string; url: string; headers: Record<string, unknown>; body: unknown }[];
let answer: { status: number; headers?: Record<string, string>; body: unknown };

beforeEach(async () => {
  requests = [];
  answer = { status: 200, body: { State: 'Enabled' } };
  app = Fastify();
  app.all('/*', async ({ method, url, headers, body }, reply) => {
    requests.push({ method, url, headers, body });
    return reply
      .code(answer.status)
      .headers(answer.headers ?? {})
      .send(answer.body);
  });
  vi.stubEnv('AWS_ENDPOINT_URL_LAMBDA', await app.listen({ host: '127.0.0.1', port: 0 }));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await app.close();
});

describe('an event source', () => {
  it.each([
    ['Enabled', 'on'],
    ['Disabled', 'off'],
    ['Enabling', 'changing'],
    ['Disabling', 'changing'],
    ['Updating', 'changing'],
    ['Creating', 'changing'],
  ])('%s is %s', async (State, state) => {
    answer = { status: 200, body: { State } };
    expect(await lambdaEventSource(client, ID).state(call)).toBe(state);
  });

  it('is asked and switched by signed requests', async () => {
    const source = lambdaEventSource(client, ID);
    await source.state(call);
    await source.set(false, call);
    await source.set(true, call);
    const url = `/2015-03-31/event-source-mappings/${ID}`;
    expect(requests).toMatchObject([
      { method: 'GET', url },
      { method: 'PUT', url, body: { Enabled: false } },
      { method: 'PUT', url, body: { Enabled: true } },
    ]);
    for (const { headers } of requests) {
      expect(headers['authorization']).toMatch(
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/lambda\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}$/,
      );
    }
  });

  it.each(['ResourceConflictException', 'ResourceInUseException'])(
    '%s: left to the next run',
    async (name) => {
      answer = { status: 409, headers: { 'x-amzn-errortype': `${name}:` }, body: {} };
      await lambdaEventSource(client, ID).set(false, call);
    },
  );

  it('what Lambda refuses is thrown, by its name', async () => {
    answer = { status: 404, headers: { 'x-amzn-errortype': 'ResourceNotFoundException' }, body: {} };
    const source = lambdaEventSource(client, ID);
    await expect(source.set(false, call)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(source.state(call)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('calling a function', () => {
  it('hands over the event and returns what it returns', async () => {
    answer = { status: 200, body: { statusCode: 202 } };
    expect(await invokeFunction(client, 'waybill-acme-core-X', { a: '台北' })).toEqual({ statusCode: 202 });
    expect(requests).toMatchObject([
      { method: 'POST', url: '/2015-03-31/functions/waybill-acme-core-X/invocations', body: { a: '台北' } },
    ]);
  });

  it('one that failed is a failure', async () => {
    answer = { status: 200, headers: { 'x-amz-function-error': 'Unhandled' }, body: { errorMessage: 'no' } };
    await expect(invokeFunction(client, 'f', {})).rejects.toThrow('f failed: {"errorMessage":"no"}');
  });
});
