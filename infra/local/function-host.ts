import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { availableParallelism, devNull } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FunctionError, InvokeMessage, RuntimeMessage } from './lambda-runtime.ts';
import type { FunctionPlan } from './plan.ts';

/** How an invocation ended. Both texts are JSON. */
export type InvocationResult =
  | { readonly ok: true; readonly requestId: string; readonly payload: string }
  | { readonly ok: false; readonly requestId: string; readonly error: FunctionError };

export interface LogLine {
  readonly functionId: string;
  readonly pid: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}
export interface FunctionProcess {
  readonly functionId: string;
  readonly pid: number;
  readonly busy: boolean;
}
export interface FunctionHost {
  /** Runs a function; waits for a free process when all are busy. Rejects only after stop(). */
  invoke(functionName: string, event: string): Promise<InvocationResult>;
  /** Starts one process of each function, a core's worth at a time. A bundle that does not load is logged. */
  warm(isWanted?: (functionName: string) => boolean): Promise<void>;
  processes(): FunctionProcess[];
  /** Lets running invocations end for up to `graceMs`, then kills every process and waits for their exit. */
  stop(graceMs: number): Promise<void>;
}

/** A bundle that has not loaded by then never will. Lambda gives ten seconds; a busy laptop is slower. */
const INIT_TIMEOUT_MS = 60_000;
/** Lambda refuses larger answers. */
const MAX_RESPONSE_BYTES = 6 * 1024 * 1024;

const RUNTIME = fileURLToPath(new URL('./lambda-runtime.ts', import.meta.url));

interface Job {
  readonly requestId: string;
  readonly event: string;
  readonly done: (result: InvocationResult) => void;
}
interface Worker {
  readonly child: ChildProcess;
  readonly pid: number;
  ready: boolean;
  job?: Job | undefined;
  timer?: NodeJS.Timeout | undefined;
  /** Why the host killed it, or why it did not load. */
  reason?: FunctionError | undefined;
}
interface Pool {
  readonly plan: FunctionPlan;
  readonly workers: Set<Worker>;
  readonly waiting: Job[];
  /** Called whenever a process has loaded or is gone. */
  readonly watchers: Set<() => void>;
}

export const startFunctionHost = (
  plans: readonly FunctionPlan[],
  stackEnvironment: Readonly<Record<string, string>>,
  onLog: (line: LogLine) => void,
): FunctionHost => {
  const pools = new Map<string, Pool>(
    plans.map((plan) => [plan.name, { plan, workers: new Set(), waiting: [], watchers: new Set() }]),
  );
  let stopping = false;

  const settle = (worker: Worker, result: InvocationResult) => {
    const job = worker.job;
    clearTimeout(worker.timer);
    worker.job = undefined;
    job?.done(result);
  };

  const assign = (pool: Pool, worker: Worker) => {
    const job = pool.waiting.shift();
    if (!job) return;
    worker.job = job;
    const timeoutMs = pool.plan.timeoutS * 1000;
    const message: InvokeMessage = {
      id: job.requestId,
      event: job.event,
      deadlineMs: Date.now() + timeoutMs,
    };
    worker.timer = setTimeout(() => {
      worker.reason = {
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${job.requestId} Error: Task timed out after ${pool.plan.timeoutS.toFixed(2)} seconds`,
      };
      worker.child.kill('SIGKILL');
    }, timeoutMs);
    // A process that is just dying cannot be written to; its exit settles the job.
    worker.child.send(message, () => undefined);
  };

  /** Gives waiting jobs to free processes and starts as many more as the function may have. */
  const pump = (pool: Pool) => {
    for (const worker of pool.workers)
      if (worker.ready && !worker.job && !worker.reason) assign(pool, worker);
    if (stopping) return;
    let loading = [...pool.workers].filter((worker) => !worker.ready).length;
    while (loading < pool.waiting.length && pool.workers.size < pool.plan.concurrency) {
      start(pool);
      loading += 1;
    }
  };

  const onMessage = (pool: Pool, worker: Worker, message: RuntimeMessage) => {
    if (message.kind === 'ready') {
      clearTimeout(worker.timer);
      worker.ready = true;
      for (const watcher of pool.watchers) watcher();
    } else if (message.kind === 'init-error') {
      worker.reason = message.error;
    } else if (worker.job?.requestId === message.id) {
      const requestId = message.id;
      if (message.kind === 'error') settle(worker, { ok: false, requestId, error: message.error });
      else if (Buffer.byteLength(message.result) > MAX_RESPONSE_BYTES)
        settle(worker, {
          ok: false,
          requestId,
          error: {
            errorType: 'Function.ResponseSizeTooLarge',
            errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
          },
        });
      else settle(worker, { ok: true, requestId, payload: message.result });
    }
    pump(pool);
  };

  const onExit = (pool: Pool, worker: Worker, code: number | null, signal: NodeJS.Signals | null) => {
    pool.workers.delete(worker);
    clearTimeout(worker.timer);
    // Never loaded: whoever waits for it gets the reason, as there may be nobody else to run the job.
    if (!worker.ready && !worker.job) worker.job = pool.waiting.shift();
    const requestId = worker.job?.requestId ?? '';
    const how = signal ? `signal: ${signal === 'SIGKILL' ? 'killed' : signal}` : `exit status ${code}`;
    const error = worker.reason ?? {
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${how}`,
    };
    settle(worker, { ok: false, requestId, error });
    for (const watcher of pool.watchers) watcher();
    pump(pool);
  };

  const start = (pool: Pool): Worker | undefined => {
    const { plan } = pool;
    const child = spawn(process.execPath, [RUNTIME, plan.arn], {
      cwd: plan.codePath,
      env: {
        ...stackEnvironment,
        ...plan.environment,
        AWS_CONFIG_FILE: devNull,
        AWS_SHARED_CREDENTIALS_FILE: devNull,
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(plan.memoryMb),
        AWS_LAMBDA_FUNCTION_NAME: plan.name,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        LAMBDA_TASK_ROOT: plan.codePath,
        PATH: process.env['PATH'] ?? '',
        TZ: 'UTC',
        _HANDLER: plan.handler,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const pid = child.pid ?? 0;
    const worker: Worker = { child, pid, ready: false };
    pool.workers.add(worker);
    for (const stream of ['stdout', 'stderr'] as const) {
      const source = child[stream];
      if (source)
        createInterface({ input: source }).on('line', (line) =>
          onLog({ functionId: plan.name, pid, stream, text: line }),
        );
    }
    worker.timer = setTimeout(() => {
      worker.reason = {
        errorType: 'Sandbox.Timedout',
        errorMessage: `Error: initialisation took longer than ${INIT_TIMEOUT_MS / 1000} seconds`,
      };
      child.kill('SIGKILL');
    }, INIT_TIMEOUT_MS);
    child.on('message', (message) => onMessage(pool, worker, message as RuntimeMessage));
    // 'error' without an exit: the process could not be started at all.
    child.on('error', (error) => {
      worker.reason = { errorType: 'Runtime.ExitError', errorMessage: error.message };
      if (child.pid === undefined) onExit(pool, worker, null, null);
    });
    child.on('exit', (code, signal) => onExit(pool, worker, code, signal));
    return worker;
  };

  const invoke = (functionName: string, event: string): Promise<InvocationResult> => {
    const pool = pools.get(functionName);
    if (!pool) return Promise.reject(new Error(`there is no function ${functionName}`));
    if (stopping) return Promise.reject(new Error('the local stack is stopping'));
    return new Promise((done) => {
      pool.waiting.push({ requestId: randomUUID(), event, done });
      pump(pool);
    });
  };

  const warmOne = (pool: Pool): Promise<void> => {
    if (pool.workers.size > 0) return Promise.resolve();
    const worker = start(pool);
    return new Promise((resolve) => {
      const watcher = () => {
        if (!worker || worker.ready || !pool.workers.has(worker)) {
          if (worker && !worker.ready)
            onLog({
              functionId: pool.plan.name,
              pid: worker.pid,
              stream: 'stderr',
              text: `${worker.reason?.errorType ?? 'Error'}: ${worker.reason?.errorMessage ?? 'the process ended while it was loading'}`,
            });
          pool.watchers.delete(watcher);
          resolve();
        }
      };
      pool.watchers.add(watcher);
    });
  };

  const warm = async (isWanted: (functionName: string) => boolean = () => true) => {
    const left = [...pools.values()].filter(({ plan }) => isWanted(plan.name));
    const lane = async () => {
      for (let pool = left.shift(); pool; pool = left.shift()) if (!stopping) await warmOne(pool);
    };
    await Promise.all(Array.from({ length: availableParallelism() }, lane));
  };

  const workers = () => [...pools.values()].flatMap((pool) => [...pool.workers]);

  const stop = async (graceMs: number) => {
    stopping = true;
    for (const pool of pools.values())
      for (const job of pool.waiting.splice(0))
        job.done({
          ok: false,
          requestId: job.requestId,
          error: { errorType: 'ServiceException', errorMessage: 'the local stack is stopping' },
        });
    const untilMs = Date.now() + graceMs;
    while (Date.now() < untilMs && workers().some((worker) => worker.job))
      await new Promise((resolve) => setTimeout(resolve, 10));
    await Promise.all(
      workers().map(
        ({ child }) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.once('exit', () => resolve());
            child.kill('SIGKILL');
          }),
      ),
    );
  };

  return {
    invoke,
    warm,
    stop,
    processes: () =>
      [...pools.values()].flatMap(({ plan, workers: running }) =>
        [...running].map(({ pid, job }) => ({ functionId: plan.name, pid, busy: job !== undefined })),
      ),
  };
};
