/**
 * What runs inside a function's process: loads the bundle's handler and serves invocations, one at a time, over IPC.
 * Started by function-host.ts; imports nothing, so that a cold start is only Node and the bundle.
 */
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** From the host to the function. `event` is JSON text. */
export interface InvokeMessage {
  readonly id: string;
  readonly event: string;
  readonly deadlineMs: number;
}
/** Lambda's error object. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace?: readonly string[];
}
/** From the function to the host. `result` is JSON text. */
export type RuntimeMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'init-error'; readonly error: FunctionError }
  | { readonly kind: 'result'; readonly id: string; readonly result: string }
  | { readonly kind: 'error'; readonly id: string; readonly error: FunctionError };

/** The AWS SDK is part of Lambda's runtime: a bundle may leave it out. Here the runner's own copy stands in. */
const PROVIDED = /^@(aws-sdk|smithy)\//;
registerHooks({
  resolve: (specifier, context, next) => {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!PROVIDED.test(specifier)) throw error;
      return next(specifier, { ...context, parentURL: import.meta.url });
    }
  },
});

const send = (message: RuntimeMessage, then?: () => void): void => {
  process.send?.(message, undefined, {}, () => then?.());
};
const toFunctionError = (thrown: unknown): FunctionError =>
  thrown instanceof Error
    ? {
        errorType: thrown.name,
        errorMessage: thrown.message,
        stackTrace: (thrown.stack ?? '').split('\n').map((line) => line.trim()),
      }
    : { errorType: 'Error', errorMessage: String(thrown) };

type Handler = (event: unknown, context: unknown) => unknown;

const loadHandler = async (root: string, name: string): Promise<Handler> => {
  const dot = name.lastIndexOf('.');
  const base = join(root, name.slice(0, dot));
  const file = ['.js', '.mjs', '.cjs'].map((extension) => base + extension).find((path) => existsSync(path));
  if (!file) throw new Error(`Cannot find module '${base}'`);
  const loaded = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const handler = loaded[name.slice(dot + 1)];
  if (typeof handler !== 'function') throw new Error(`${name} is undefined or not exported`);
  return handler as Handler;
};

const serve = async () => {
  const functionName = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '';
  const invokedFunctionArn = process.argv[2] ?? '';
  const memoryLimitInMB = process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? '';
  const handler = await loadHandler(process.cwd(), process.env['_HANDLER'] ?? '');
  process.on('message', async ({ id, event, deadlineMs }: InvokeMessage) => {
    const context = {
      awsRequestId: id,
      callbackWaitsForEmptyEventLoop: true,
      functionName,
      functionVersion: '$LATEST',
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
      invokedFunctionArn,
      logGroupName: `/aws/lambda/${functionName}`,
      logStreamName: String(process.pid),
      memoryLimitInMB,
    };
    try {
      const result = JSON.stringify((await handler(JSON.parse(event), context)) ?? null);
      send({ kind: 'result', id, result });
    } catch (thrown) {
      send({ kind: 'error', id, error: toFunctionError(thrown) });
    }
  });
  send({ kind: 'ready' });
};

// Ctrl-C reaches the whole group of processes; the runner decides when a function ends.
process.on('SIGINT', () => undefined);
// The runner died or let go: nobody would hear an answer.
process.on('disconnect', () => process.exit(0));
serve().catch((thrown: unknown) => {
  send({ kind: 'init-error', error: toFunctionError(thrown) }, () => process.exit(1));
});
