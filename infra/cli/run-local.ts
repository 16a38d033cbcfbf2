import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoMappingStore, type MappingStore } from '../../shared/aws/dynamo-mapping-store.ts';
import { buildApp } from '../build.ts';
import { secretName } from '../constructs/credentials.ts';
import { type LocalStack, startLocalStack } from '../local/index.ts';
import type { Secrets } from '../secrets.ts';
import { connectionsOf, erpsOf, paymentsOf, type Settings, storefrontsOf } from '../settings.ts';
import { removeAddress, writeAddress } from './address.ts';
import { type CalledFunctions, functionsOf, queuesOf } from './target.ts';

export interface LocalRun {
  readonly stack: LocalStack;
  /** Where each storefront and payment provider sends its webhooks. */
  readonly webhookUrls: ReadonlyMap<string, string>;
  readonly mappings: MappingStore;
  /** By connection. */
  readonly functions: Readonly<Record<string, CalledFunctions>>;
  stop(): Promise<void>;
}

export interface LocalRunOptions {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly port?: number;
  readonly dataDir?: string;
  /** Most processes of a function, by the folder of its entry. Default: what the templates state. */
  readonly processes?: (entry: FunctionFolder) => number;
  /** Asked for each message that a function gets: true hands it out twice, as SQS may. */
  readonly redeliver?: () => boolean;
  /** Where the templates are synthesised to. Default: a folder of this checkout. */
  readonly scratch?: string;
  /** One line of a function's output. */
  readonly onLine: (text: string) => void;
}

export type FunctionFolder =
  | 'ingest-webhook'
  | 'fetch-orders'
  | 'fetch-payments'
  | 'consume-orders'
  | 'record-orders';

const SCRATCH = fileURLToPath(new URL('../../.waybill', import.meta.url));

/** Synthesise the app and run its templates on this machine: the same templates and bundles as deployed. */
export const runLocally = async (options: LocalRunOptions): Promise<LocalRun> => {
  const { settings, secrets, dataDir, processes, redeliver, scratch = SCRATCH } = options;
  await mkdir(scratch, { recursive: true });
  const assembly = await mkdtemp(path.join(scratch, 'assembly-'));
  const discard = () => rm(assembly, { recursive: true, force: true });
  try {
    // The local stack refuses by itself what it does not know; `cdk synth` validates.
    buildApp(settings, { outdir: assembly, validate: false }).synth();
    const stack = await startLocalStack({
      assembly,
      region: settings.region,
      secrets: Object.fromEntries(
        Object.entries(secrets).map(([id, value]) => [secretName(settings.name, id), JSON.stringify(value)]),
      ),
      onLog: ({ text }) => options.onLine(text),
      timeScale: settings.timeScale,
      ...(redeliver ? { redeliver } : {}),
      ...(processes
        ? { poolSize: (name: string) => (isScheduled(name) ? 1 : processes(folderOf(name, settings))) }
        : {}),
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(dataDir === undefined ? {} : { dataDir }),
    });
    const output = (stackName: string, name: string): string => {
      const value = stack.outputs[`waybill-${settings.name}-${stackName}.${name}`];
      if (value === undefined) throw new Error(`stack ${stackName} has no output ${name}`);
      return value;
    };
    const mappingsTable = output('core', 'MappingsTable');
    const storefronts = storefrontsOf(settings).map(({ id }) => id);
    const erps = erpsOf(settings).map(({ id }) => id);
    const { env, outputs } = stack;
    const tables = {
      mappingsTable,
      journalTable: output('core', 'JournalTable'),
      parkedTable: output('core', 'ParkedTable'),
      connectionsTable: output('core', 'ConnectionsTable'),
      stockTable: output('core', 'StockTable'),
      reportsTable: output('core', 'ReportsTable'),
      ledgerTable: output('core', 'LedgerTable'),
      bindingsTable: output('core', 'BindingsTable'),
      eventBus: output('core', 'EventBusName'),
      quarantineQueue: output('core', 'QuarantineQueueUrl'),
    };
    const queues = queuesOf(settings, (name) => outputs[name]);
    const functions = functionsOf(settings, (name) => outputs[name]);
    await writeAddress(dataDir, {
      pid: process.pid,
      env,
      ...tables,
      settings: { ...settings },
      storefronts,
      erps,
      queues,
      functions,
    });
    const dynamo = new DynamoDBClient({
      endpoint: stack.endpoints.dynamodb,
      region: settings.region,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    return {
      stack,
      functions,
      webhookUrls: new Map(
        [...storefronts, ...paymentsOf(settings).map(({ id }) => id)].map((id) => [
          id,
          output(id, 'WebhookUrl'),
        ]),
      ),
      mappings: dynamoMappingStore(dynamo, mappingsTable, Date.now),
      stop: async () => {
        dynamo.destroy();
        await stack.stop();
        await removeAddress(dataDir, process.pid);
        await discard();
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
};

/** What runs on a schedule runs alone: it holds a lease. */
const isScheduled = (functionName: string): boolean => functionName.includes('Poll');

/** Function names begin with their stack's, and stacks are named after connections; ids may begin alike. */
const folderOf = (functionName: string, settings: Settings): FunctionFolder => {
  const connection = connectionsOf(settings)
    .map(({ id, manifest: { kind } }) => ({ kind, prefix: `waybill-${settings.name}-${id}-` }))
    .filter(({ prefix }) => functionName.startsWith(prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0];
  if (!connection) return 'record-orders';
  if (connection.kind === 'erp') return 'consume-orders';
  if (!functionName.startsWith('Fetch', connection.prefix.length)) return 'ingest-webhook';
  return connection.kind === 'payments' ? 'fetch-payments' : 'fetch-orders';
};
