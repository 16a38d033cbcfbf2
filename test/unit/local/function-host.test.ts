import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FunctionHost, type LogLine, startFunctionHost } from '../../../infra/local/function-host.ts';
import type { FunctionPlan } from '../../../infra/local/plan.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
const start = (
  source: string,
  more: Partial<FunctionPlan> = {},
): {
  host: FunctionHost;
  lines: LogLine[];
  call: (event?: unknown) => ReturnType<FunctionHost['invoke']>;
} => {
  const codePath = mkdtempSync(join(tmpdir(), 'bundle-'));
  writeFileSync(join(codePath, 'index.mjs'), source);
  const lines: LogLine[] = [];
  const host = startFunctionHost(
    [
      {
        ...{ name: 'fn', arn: 'arn:aws:lambda:x:0:function:fn', codePath, handler: 'index.handler' },
        ...{
          timeoutS: 10,
          memoryMb: 256,
          environment: {},
          concurrency: 2,
          asyncRetries: 0,
          asyncMaxAgeS: 60,
        },
        ...more,
      },
    ],
    { AWS_REGION: 'eu-west-1' },
    (line) => lines.push(line),
  );
  cleanups.push(
    () => rmSync(codePath, { recursive: true }),
    () => host.stop(0),
  );
  return { host, lines, call: (event = {}) => host.invoke('fn', JSON.stringify(event)) };
};
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('an invocation', () => {
  it('gets the event and a context', async () => {
    const { call } = start(`export const handler = async (event, context) => ({
      event,
      keys: Object.keys(context).sort(),
      left: context.getRemainingTimeInMillis() > 9000 && context.getRemainingTimeInMillis() <= 10000,
      id: typeof context.awsRequestId,
      arn: context.invokedFunctionArn,
      memory: context.memoryLimitInMB,
    });`);
    const result = await call({ a: [1] });
    expect(result.ok && JSON.parse(result.payload)).toEqual({
      event: { a: [1] },
      keys: [
        ...['awsRequestId', 'callbackWaitsForEmptyEventLoop', 'functionName', 'functionVersion'],
        ...[
          'getRemainingTimeInMillis',
          'invokedFunctionArn',
          'logGroupName',
          'logStreamName',
          'memoryLimitInMB',
        ],
      ],
      left: true,
      id: 'string',
      arn: 'arn:aws:lambda:x:0:function:fn',
      memory: '256',
    });
  });

  it("has the template's environment, the stack's and the runtime's, and nothing of this machine", async () => {
    process.env['LEAK'] = 'secret of the host';
    cleanups.push(() => {
      delete process.env['LEAK'];
    });
    const { call } = start('export const handler = () => process.env;', { environment: { TABLE_NAME: 't' } });
    const result = await call();
    expect(Object.keys(JSON.parse((result.ok && result.payload) || '{}')).sort()).toEqual([
      ...[
        'AWS_CONFIG_FILE',
        'AWS_EXECUTION_ENV',
        'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
        'AWS_LAMBDA_FUNCTION_NAME',
      ],
      ...[
        'AWS_LAMBDA_FUNCTION_VERSION',
        'AWS_REGION',
        'AWS_SHARED_CREDENTIALS_FILE',
        'LAMBDA_TASK_ROOT',
        'PATH',
      ],
      ...['TABLE_NAME', 'TZ', '_HANDLER'],
    ]);
  });

  it('finds the AWS SDK that the runtime provides', async () => {
    const { call } = start(`import { SQSClient } from '@aws-sdk/client-sqs';
      export const handler = () => typeof SQSClient;`);
    expect(await call()).toMatchObject({ ok: true, payload: '"function"' });
  });

  it('answers null for nothing', async () => {
    const { call } = start('export const handler = async () => undefined;');
    expect(await call()).toMatchObject({ ok: true, payload: 'null' });
  });

  it('passes on what it prints, line by line', async () => {
    const { call, lines } = start(
      `export const handler = () => { console.log('one\\ntwo'); console.error('three'); };`,
    );
    await call();
    await vi.waitFor(
      () =>
        expect(lines.map(({ stream, text, functionId }) => [functionId, stream, text]).sort()).toEqual([
          ['fn', 'stderr', 'three'],
          ['fn', 'stdout', 'one'],
          ['fn', 'stdout', 'two'],
        ]),
      10_000,
    );
  });
});

describe('a failure', () => {
  it("becomes Lambda's error object", async () => {
    const { call } = start(`export const handler = async () => { throw new TypeError('no such thing'); };`);
    expect(await call()).toMatchObject({
      ok: false,
      error: {
        errorType: 'TypeError',
        errorMessage: 'no such thing',
        stackTrace: expect.arrayContaining([
          'TypeError: no such thing',
          expect.stringMatching(/^at handler .*index\.mjs:1:44\)$/),
        ]),
      },
    });
  });

  it('by time kills the process', async () => {
    const { call, host } = start(
      'export const handler = () => new Promise(() => setInterval(() => {}, 1000));',
      {
        timeoutS: 0.3,
      },
    );
    const running = call();
    await vi.waitFor(() => expect(host.processes()).toMatchObject([{ busy: true }]), 10_000);
    const pid = host.processes()[0]?.pid ?? 0;
    const result = await running;
    expect(result).toMatchObject({
      ok: false,
      error: {
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${result.requestId} Error: Task timed out after 0.30 seconds`,
      },
    });
    expect(isAlive(pid)).toBe(false);
  });

  it('by a kill in the middle fails that invocation only; the next gets a new process', async () => {
    const { call, host } = start(
      `export const handler = (event) => event.hang ? new Promise(() => setInterval(() => {}, 1000)) : process.pid;`,
      { concurrency: 1 },
    );
    const hanging = call({ hang: true });
    const waiting = call();
    await vi.waitFor(
      () => expect(host.processes()).toMatchObject([{ functionId: 'fn', busy: true }]),
      10_000,
    );
    const pid = host.processes()[0]?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    const result = await hanging;
    expect(result).toMatchObject({
      ok: false,
      error: {
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${result.requestId} Error: Runtime exited with error: signal: killed`,
      },
    });
    const next = await waiting;
    expect(next.ok && Number(next.payload)).not.toBe(pid);
    expect(next.ok).toBe(true);
  });

  it('by exit names the status', async () => {
    const { call } = start('export const handler = () => process.exit(7);');
    expect(await call()).toMatchObject({
      ok: false,
      error: { errorMessage: expect.stringContaining('Runtime exited with error: exit status 7') },
    });
  });

  it.each([
    [
      'a bundle that throws',
      'throw new RangeError("at load");',
      { errorType: 'RangeError', errorMessage: 'at load' },
    ],
    [
      'a handler that is missing',
      'export const other = 1;',
      { errorMessage: 'index.handler is undefined or not exported' },
    ],
  ])('at load: %s', async (_name, source, error) => {
    const { call } = start(source);
    expect(await call()).toMatchObject({ ok: false, error });
    expect(await call()).toMatchObject({ ok: false, error });
  });

  it('of size: an answer beyond 6 MB', async () => {
    const { call } = start(`export const handler = () => 'x'.repeat(6 * 1024 * 1024);`);
    expect(await call()).toMatchObject({ ok: false, error: { errorType: 'Function.ResponseSizeTooLarge' } });
  });
});

describe('processes', () => {
  const MEASURE = `let running = 0, most = 0;
    export const handler = async () => {
      running += 1; most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 50));
      running -= 1;
      return { pid: process.pid, most };
    };`;
  it('serve one invocation at a time each, and are as many as the template allows', async () => {
    const { call, host } = start(MEASURE);
    const results = await Promise.all(Array.from({ length: 6 }, () => call()));
    const answers = results.map((one) => (one.ok ? JSON.parse(one.payload) : undefined));
    expect(new Set(answers.map(({ most }) => most))).toEqual(new Set([1]));
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
    expect(host.processes()).toHaveLength(2);
  });

  it('are started ahead and then reused', async () => {
    const { call, host } = start(MEASURE);
    await host.warm();
    const pid = host.processes()[0]?.pid;
    const result = await call();
    expect(result.ok && JSON.parse(result.payload).pid).toBe(pid);
    expect(host.processes()).toEqual([{ functionId: 'fn', pid, busy: false }]);
  });

  it('are not started ahead where nobody waits for them', async () => {
    const { host } = start(MEASURE);
    await host.warm((name) => name !== 'fn');
    expect(host.processes()).toEqual([]);
  });

  it('survive the Ctrl-C that is meant for the runner', async () => {
    const { call, host } = start(MEASURE);
    const running = call();
    await vi.waitFor(() => expect(host.processes()).toMatchObject([{ busy: true }]), 10_000);
    process.kill(host.processes()[0]?.pid ?? 0, 'SIGINT');
    expect((await running).ok).toBe(true);
  });

  it('that cannot load are reported when started ahead', async () => {
    const { host, lines } = start('throw new Error("at load");');
    await host.warm();
    expect(lines.map(({ text }) => text)).toContain('Error: at load');
  });

  it('are gone after stop, which lets a running invocation end', async () => {
    const { call, host } = start(MEASURE);
    const running = call();
    await vi.waitFor(() => expect(host.processes()).toMatchObject([{ busy: true }]), 10_000);
    const pid = host.processes()[0]?.pid ?? 0;
    await host.stop(5000);
    expect((await running).ok).toBe(true);
    expect(isAlive(pid)).toBe(false);
    await expect(call()).rejects.toThrow('stopping');
  });
});
