import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { EventSource } from '../core/control-connection.ts';
import type { CallContext } from '../core/ports.ts';

/** Lambda's control API; there has been no other version. */
const VERSION = '2015-03-31';
/** Switching answers at once; an invocation waits for the function. */
const DEADLINE_MS = { control: 10_000, invoke: 30_000 } as const;

/** What Lambda refused, by the name it gives it. */
export class LambdaApiError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Any client of the SDK: only its region, credentials and signer are used. */
type Signing = Pick<DynamoDBClient, 'config'>;

/**
 * Three calls of Lambda's API, signed by the signer of an SDK client that is there anyway: the SDK's own client for Lambda
 * speaks seventy more, and would be the largest part of the bundle.
 */
const lambdaCall = async (
  { config }: Signing,
  request: {
    readonly method: 'GET' | 'PUT' | 'POST';
    readonly path: string;
    readonly body?: string;
    readonly deadlineMs: number;
  },
  signal?: AbortSignal,
): Promise<Response> => {
  const { method, path, body, deadlineMs } = request;
  const region = await config.region();
  // The variables by which the SDK, too, is told of another endpoint.
  const url = new URL(
    path,
    process.env['AWS_ENDPOINT_URL_LAMBDA'] ?? process.env['AWS_ENDPOINT_URL'] ?? endpointOf(region),
  );
  const signer = await config.signer({
    name: 'sigv4',
    signingName: 'lambda',
    signingRegion: region,
    properties: {},
  });
  const { headers } = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port ? { port: Number(url.port) } : {}),
    path: url.pathname,
    query: {},
    headers: { host: url.host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body,
  });
  const deadline = AbortSignal.timeout(deadlineMs);
  const response = await fetch(url, {
    method,
    headers,
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    ...(body === undefined ? {} : { body }),
  });
  if (response.ok) return response;
  const type = response.headers.get('x-amzn-errortype')?.split(':')[0];
  throw new LambdaApiError(type ?? `HTTP${response.status}`, (await response.text()).slice(0, 500));
};

const endpointOf = (region: string): string =>
  `https://lambda.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

/** Lambda is switching it already. Lambda API reference, UpdateEventSourceMapping. */
const BEING_CHANGED = ['ResourceConflictException', 'ResourceInUseException'];

/**
 * The event source mapping of a consumer.
 * @param id UUID of the mapping
 * @throws LambdaApiError
 */
export const lambdaEventSource = (signing: Signing, id: string): EventSource => {
  const path = `/${VERSION}/event-source-mappings/${encodeURIComponent(id)}`;
  const deadlineMs = DEADLINE_MS.control;
  return {
    state: async ({ signal }: CallContext) => {
      const answer = await lambdaCall(signing, { method: 'GET', path, deadlineMs }, signal);
      const { State } = (await answer.json()) as { State?: string };
      return State === 'Enabled' ? 'on' : State === 'Disabled' ? 'off' : 'changing';
    },
    set: async (isOn, { signal }) => {
      const body = JSON.stringify({ Enabled: isOn });
      await lambdaCall(signing, { method: 'PUT', path, body, deadlineMs }, signal).catch((error: unknown) => {
        // Somebody is switching it: the next run looks again.
        if (!(error instanceof LambdaApiError) || !BEING_CHANGED.includes(error.name)) throw error;
      });
    },
  };
};

/**
 * Calls a function and waits for what it returns.
 * @throws LambdaApiError it does not exist, may not be called, or failed
 */
export const invokeFunction = async (
  signing: Signing,
  functionName: string,
  event: unknown,
): Promise<unknown> => {
  const answer = await lambdaCall(signing, {
    method: 'POST',
    path: `/${VERSION}/functions/${encodeURIComponent(functionName)}/invocations`,
    body: JSON.stringify(event),
    deadlineMs: DEADLINE_MS.invoke,
  });
  const text = await answer.text();
  if (answer.headers.has('x-amz-function-error')) {
    throw new LambdaApiError('FunctionError', `${functionName} failed: ${text.slice(0, 500)}`);
  }
  return text === '' ? undefined : JSON.parse(text);
};
