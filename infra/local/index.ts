import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Fastify from 'fastify';
import { readAssembly } from './assembly.ts';
import { startAsyncInvocations } from './async-invocations.ts';
import { registerJsonServices } from './aws-endpoint.ts';
import { type Delivery, deliver, type EventEnvelope, isoSeconds, putEvents } from './event-bus.ts';
import { type FunctionProcess, type LogLine, startFunctionHost } from './function-host.ts';
import { httpFront } from './http-front.ts';
import { registerLambdaControl } from './lambda-control.ts';
import { LocalStackError } from './local-stack-error.ts';
import {
  ACCOUNT_ID,
  makePlan,
  type Plan,
  type QueuePlan,
  type ResourcePlan,
  type SchedulePlan,
  type WithoutEffect,
} from './plan.ts';
import { type QueuePoller, startQueuePoller } from './queue-poller.ts';
import { startQueues } from './queues.ts';
import { startSchedule } from './schedule.ts';
import { secretsManager } from './secrets.ts';
import { DUMMY_CREDENTIALS, startTables } from './tables.ts';

export type { FunctionProcess, LogLine } from './function-host.ts';
export { LocalStackError } from './local-stack-error.ts';
export type { ResourcePlan, WithoutEffect } from './plan.ts';

/** Of a queue whose template states none. */
const DEFAULT_VISIBILITY_S = 30;

export interface LocalStackOptions {
  /** Folder of the synthesised cloud assembly (with manifest.json). */
  readonly assembly: string;
  /** Port of the HTTP API; 0 or absent: a free one. */
  readonly port?: number;
  /** Keep tables, messages and paused event sources here, over restarts and kills. Absent: in memory. */
  readonly dataDir?: string;
  /** Secret name -> SecretString. Never written to disk. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** @default the region of the first stack that names one, else us-east-1 */
  readonly region?: string;
  /** What functions print. */
  readonly onLog?: (line: LogLine) => void;
  /** Most processes of one function. @default what the templates state, else 5 */
  readonly poolSize?: number | ((functionName: string) => number);
  /** How long stop() lets running invocations go on. @default 2000 */
  readonly graceMs?: number;
  /**
   * Multiplies what is only waited for: visibility timeouts and delays of queues (whole seconds, one at least) and
   * the repetitions of asynchronous invocations. Not what is computed in: a laptop is no faster for it, so the
   * functions' timeouts stay; nor retention and schedules.
   * @default 1
   */
  readonly timeScale?: number;
  /** Asked for each message that a function gets: true hands it out once more at once, as SQS may. @default never */
  readonly redeliver?: () => boolean;
}

export interface LocalStack {
  /** Base URL of the HTTP API. */
  readonly apiUrl: string;
  /** What functions get and what a client needs to reach this stack: endpoints, region, credentials that mean nothing. */
  readonly env: Readonly<Record<string, string>>;
  readonly endpoints: Readonly<
    Record<'api' | 'dynamodb' | 'sqs' | 'events' | 'secretsManager' | 'lambda', string>
  >;
  /** `<stack>.<output>` -> value. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Every resource of the templates, with what `Ref` gives for it. */
  readonly resources: readonly ResourcePlan[];
  /** What the templates ask for and this machine does not do, each with the reason. */
  readonly withoutEffect: readonly WithoutEffect[];
  /**
   * What `Ref` gives: table name, queue URL, function name, ...
   * @param logicalId as in the template; the hash that the CDK appends may be left out
   * @throws Error none, or several, match
   */
  physicalId(stack: string, logicalId: string): string;
  /** Function processes alive now. */
  processes(): FunctionProcess[];
  /** Ends everything that was started, child processes included. May be called again. */
  stop(): Promise<void>;
}

/** @see LocalStackOptions.timeScale */
const scaled = (queues: readonly QueuePlan[], timeScale: number): QueuePlan[] =>
  queues.map((queue) => {
    const seconds = (name: string, whenAbsent: number) =>
      Math.ceil(Number(queue.attributes[name] ?? whenAbsent) * timeScale).toString();
    const attributes = {
      VisibilityTimeout: seconds('VisibilityTimeout', DEFAULT_VISIBILITY_S),
      DelaySeconds: seconds('DelaySeconds', 0),
    };
    return { ...queue, attributes: { ...queue.attributes, ...attributes } };
  });

/** Which event sources were switched on or off since the templates were deployed. */
const openSwitches = (dataDir: string | undefined) => {
  const file = dataDir && join(dataDir, 'event-source-mappings.json');
  const switches: Record<string, boolean> =
    file && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, boolean>) : {};
  return {
    get: (id: string): boolean | undefined => switches[id],
    set: (id: string, enabled: boolean) => {
      switches[id] = enabled;
      if (!file) return;
      writeFileSync(`${file}.new`, JSON.stringify(switches));
      renameSync(`${file}.new`, file);
    },
  };
};

const startSchedules = (
  schedules: readonly SchedulePlan[],
  region: string,
  delivery: Delivery,
  onLog: LocalStackOptions['onLog'],
) =>
  schedules.map((schedule) =>
    startSchedule(
      schedule.expression,
      () => {
        const event: EventEnvelope = {
          ...{ version: '0', id: randomUUID(), 'detail-type': 'Scheduled Event', source: 'aws.events' },
          ...{
            account: ACCOUNT_ID,
            time: isoSeconds(Date.now()),
            region,
            resources: [schedule.arn],
            detail: {},
          },
        };
        for (const target of schedule.targets) {
          try {
            deliver(delivery, schedule.arn, target, event);
          } catch (error) {
            onLog?.({ functionId: schedule.name, pid: 0, stream: 'stderr', text: String(error) });
          }
        }
      },
      schedule.timeZone,
    ),
  );

/**
 * Runs the templates of a cloud assembly on this machine.
 * @throws LocalStackError the templates ask for something unknown (before anything is started), or the data directory
 *   does not fit
 */
export const startLocalStack = async (options: LocalStackOptions): Promise<LocalStack> => {
  const assembly = readAssembly(options.assembly);
  const { poolSize, timeScale = 1 } = options;
  const planWith = (urls: { sqs: string; api: string }): Plan =>
    makePlan(assembly, {
      urls,
      ...(options.region ? { region: options.region } : {}),
      ...(poolSize === undefined
        ? {}
        : { poolSize: typeof poolSize === 'number' ? () => poolSize : poolSize }),
    });
  // Ports are not known yet, everything else is: what is wrong with the templates shows here.
  let plan = planWith({ sqs: 'http://127.0.0.1:0', api: 'http://127.0.0.1:0' });
  const { region } = plan;
  const dataDir = options.dataDir && resolve(options.dataDir);
  if (dataDir) mkdirSync(dataDir, { recursive: true });
  const directory = (name: string) => (dataDir ? { directory: join(dataDir, name) } : {});

  /** Newest first. */
  const stops: (() => unknown)[] = [];
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      for (const one of stops) await one();
    })();
    return stopped;
  };

  try {
    const queues = await startQueues({ region, ...directory('sqs') });
    stops.unshift(queues.stop);
    const tables = await startTables({ region, ...directory('dynamodb') });
    stops.unshift(tables.stop);

    let setReady = () => {};
    const ready = new Promise<void>((done) => {
      setReady = done;
    });
    const invoke = (functionName: string, event: string) => host.invoke(functionName, event);
    const api = httpFront({ api: () => plan.api, ready, invoke });
    stops.unshift(() => api.close());
    const apiUrl = await api
      .listen({ host: '127.0.0.1', port: options.port ?? 0 })
      .catch((cause: unknown) => {
        throw new LocalStackError([`the HTTP API cannot listen on port ${options.port}: ${cause}`]);
      });
    plan = planWith({ sqs: queues.url, api: apiUrl });

    const control = Fastify({
      logger: false,
      forceCloseConnections: true,
      bodyLimit: 16 * 1024 * 1024,
      routerOptions: { ignoreTrailingSlash: true, maxParamLength: 400 },
    });
    control.removeAllContentTypeParsers();
    control.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    stops.unshift(() => control.close());
    const delivery: Delivery = {
      toQueue: (queueArn, body, sendOptions) => {
        queues.send(queueArn, body, sendOptions);
      },
      toFunction: (functionArn, event) => invocations.accept(functionArn.split(':').at(-1) ?? '', event),
    };
    registerJsonServices(control, {
      AWSEvents: { PutEvents: putEvents({ buses: plan.buses, rules: plan.rules, region, delivery }) },
      secretsmanager: secretsManager(plan.secrets, options.secrets ?? {}, region),
    });
    const switches = openSwitches(dataDir);
    const pollers: QueuePoller[] = [];
    registerLambdaControl(control, () => ({
      ...{ functions: plan.functions, pollers, invoke, onEnabled: switches.set },
      invokeLater: invocations.accept,
    }));
    const controlUrl = await control.listen({ host: '127.0.0.1', port: 0 });

    const env = {
      AWS_ACCESS_KEY_ID: DUMMY_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: DUMMY_CREDENTIALS.secretAccessKey,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ENDPOINT_URL_DYNAMODB: tables.url,
      AWS_ENDPOINT_URL_EVENTBRIDGE: controlUrl,
      AWS_ENDPOINT_URL_LAMBDA: controlUrl,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: controlUrl,
      AWS_ENDPOINT_URL_SQS: queues.url,
    };
    const host = startFunctionHost(plan.functions, env, options.onLog ?? (() => undefined));
    stops.unshift(() => host.stop(options.graceMs ?? 2000));

    queues.create(timeScale === 1 ? plan.queues : scaled(plan.queues, timeScale));
    await tables.create(plan.tables);
    const waited = new Set(
      [...plan.mappings, ...(plan.api?.routes ?? [])].map(({ functionName }) => functionName),
    );
    const scheduled = new Set(
      plan.schedules.flatMap(({ targets }) => targets.map(({ arn }) => arn.split(':').at(-1) ?? '')),
    );
    // Nobody waits for what only a schedule calls: its process starts with its first run.
    await host.warm((name) => waited.has(name) || !scheduled.has(name));

    const invocations = await startAsyncInvocations({
      ...{ functions: plan.functions, region, invoke, queues, timeScale, ...directory('async') },
      onDropped: (functionName, reason) =>
        options.onLog?.({ functionId: functionName, pid: 0, stream: 'stderr', text: `dropped: ${reason}` }),
    });
    // The queue of invocations outlives the functions: what they could not finish is kept.
    stops.push(invocations.stop);
    for (const mapping of plan.mappings)
      pollers.push(
        startQueuePoller({
          ...{ mapping, region, queues, invoke },
          ...(options.redeliver ? { redeliver: options.redeliver } : {}),
          enabled: switches.get(mapping.id) ?? mapping.enabled,
        }),
      );
    stops.unshift(() => {
      for (const poller of pollers) poller.stop();
    });
    const schedules = startSchedules(plan.schedules, region, delivery, options.onLog);
    stops.unshift(() => {
      for (const cancel of schedules) cancel();
    });
    setReady();

    const { outputs, resources, withoutEffect } = plan;
    return {
      ...{ apiUrl, env, outputs, resources, withoutEffect, stop },
      endpoints: {
        ...{ api: apiUrl, dynamodb: tables.url, sqs: queues.url },
        ...{ events: controlUrl, secretsManager: controlUrl, lambda: controlUrl },
      },
      processes: host.processes,
      physicalId: (stack, logicalId) => {
        const exact = resources.filter((one) => one.stack === stack && one.logicalId === logicalId);
        const hashed = new RegExp(`^${logicalId}[0-9A-F]{8}$`);
        const found =
          exact.length > 0
            ? exact
            : resources.filter((one) => one.stack === stack && hashed.test(one.logicalId));
        const [only] = found;
        if (!only || found.length > 1)
          throw new Error(`${found.length} resources of stack ${stack} are called ${logicalId}`);
        return only.ref;
      },
    };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
};
