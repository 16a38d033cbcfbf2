import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { FunctionProcess } from '../local/index.ts';
import type { FromRunner, RunnerStart, ToRunner } from './chaos-runner.ts';

const RUNNER = fileURLToPath(new URL('./chaos-runner.ts', import.meta.url));
/** Of two cores, while function processes start. */
const READY_WITHIN_MS = 120_000;

export interface Depth {
  /** Messages that wait or are being worked on. */
  readonly work: number;
  readonly parked: number;
  readonly quarantined: number;
}

export interface ParkedMessage {
  readonly orderId: string;
  readonly code: string;
  readonly reason: string;
}

/** The local stack, run by a child process that can be killed and started again on the same data. */
export interface ChaosStack {
  /** Where the shop sends; the same after a restart. */
  webhookUrl(storefront: string): string;
  /** @throws Error the runner is gone */
  functions(): Promise<readonly FunctionProcess[]>;
  /** @throws Error the runner is gone */
  depth(): Promise<Depth>;
  parked(): Promise<ParkedMessage[]>;
  /** SIGKILL: of the runner, and so of its function processes. */
  kill(): Promise<void>;
  /** Again, on the same data and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Runner {
  readonly child: ChildProcess;
  readonly ready: Extract<FromRunner, { kind: 'ready' }>;
  readonly sqs: SQSClient;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
}

const startRunner = async (start: RunnerStart, onLine: (text: string) => void): Promise<Runner> => {
  const child = fork(RUNNER, [], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let complaints = '';
  if (child.stdout) createInterface({ input: child.stdout }).on('line', onLine);
  child.stderr?.on('data', (chunk) => {
    complaints = `${complaints}${chunk}`.slice(-2000);
  });
  child.send({ kind: 'start', start } satisfies ToRunner);
  const ready = await new Promise<Runner['ready']>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`the local stack did not start: ${why}\n${complaints}`));
    const timer = setTimeout(() => fail(`not ready within ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS);
    child.once('message', (message: FromRunner) => {
      clearTimeout(timer);
      if (message.kind === 'ready') resolve(message);
      else fail(message.kind === 'failed' ? message.reason : message.kind);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`it ended (${signal ?? code})`);
    });
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const sqs = new SQSClient({
    endpoint: ready.sqsUrl,
    region: start.settings.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  return { child, ready, sqs, gone };
};

/** @throws Error the runner could not be started, with its own words */
export const startChaosStack = async (
  start: RunnerStart,
  onLine: (text: string) => void,
): Promise<ChaosStack> => {
  let runner = await startRunner(start, onLine);
  const port = Number(new URL(runner.ready.apiUrl).port);
  const urls = (output: string): string[] =>
    Object.entries(runner.ready.outputs)
      .filter(([name]) => name.endsWith(`.${output}`))
      .map(([, url]) => url);

  const inQueues = async (output: string): Promise<number> => {
    let sum = 0;
    for (const QueueUrl of urls(output)) {
      const { Attributes = {} } = await runner.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...COUNTS] }),
      );
      for (const name of COUNTS) sum += Number(Attributes[name] ?? 0);
    }
    return sum;
  };

  const end = async (): Promise<void> => {
    await runner.gone;
    runner.sqs.destroy();
  };

  return {
    webhookUrl: (storefront) => runner.ready.webhookUrls[storefront] ?? '',
    functions: () => {
      const { child, gone } = runner;
      return new Promise((resolve, reject) => {
        void gone.then(() => reject(new Error('the runner is gone')));
        child.once('message', (message: FromRunner) => {
          if (message.kind === 'processes') resolve(message.processes);
        });
        child.send({ kind: 'processes' } satisfies ToRunner, (error) => error && reject(error));
      });
    },
    depth: async () => ({
      work: await inQueues('QueueUrl'),
      parked: await inQueues('ParkedQueueUrl'),
      quarantined: await inQueues('QuarantineQueueUrl'),
    }),
    parked: async () => {
      const found: ParkedMessage[] = [];
      for (const QueueUrl of urls('ParkedQueueUrl')) {
        for (;;) {
          const { Messages = [] } = await runner.sqs.send(
            new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
          );
          if (Messages.length === 0) break;
          for (const { Body = '', MessageAttributes = {} } of Messages) {
            found.push({
              orderId: /"orderId":"([^"]*)"/.exec(Body)?.[1] ?? '?',
              code: MessageAttributes['code']?.StringValue ?? 'parked by the queue itself',
              reason: MessageAttributes['reason']?.StringValue ?? '',
            });
          }
        }
      }
      return found;
    },
    kill: async () => {
      runner.child.kill('SIGKILL');
      await end();
    },
    restart: async () => {
      runner = await startRunner({ ...start, port }, onLine);
    },
    stop: async () => {
      if (runner.child.connected) runner.child.send({ kind: 'stop' } satisfies ToRunner);
      const timer = setTimeout(() => runner.child.kill('SIGKILL'), 20_000);
      await end();
      clearTimeout(timer);
    },
  };
};

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;
