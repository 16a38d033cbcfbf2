import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { ParkedQueueUrls } from '../../shared/aws/sqs-parked-messages.ts';
import { JOURNAL, type QueueConcern, queueId } from '../../shared/observability/names.ts';
import {
  connectionsOf,
  erpsOf,
  loadSettingsFile,
  parseSettings,
  type Settings,
  storefrontsOf,
} from '../settings.ts';
import { readAddress } from './address.ts';

/** What an operator's command works on: a deployed stage, or the stack on this laptop. */
export interface Target {
  readonly name: string;
  /** As it was chosen on the command line, for commands that a person copies. */
  readonly flag: string;
  readonly mappingsTable: string;
  readonly journalTable: string;
  readonly parkedTable: string;
  readonly connectionsTable: string;
  readonly stockTable: string;
  readonly reportsTable: string;
  readonly ledgerTable: string;
  readonly bindingsTable: string;
  /** Name. */
  readonly eventBus: string;
  /** URL. */
  readonly quarantineQueue: string;
  readonly storefronts: readonly string[];
  readonly erps: readonly string[];
  /** Only for a deployed stage. */
  readonly stage?: Settings;
  /** Everything that the target was deployed from. */
  readonly settings: Settings;
  /** Queues in which messages can be parked, by `queueId`; the recorder counts as a connection. */
  queues(): Promise<Readonly<Record<string, ParkedQueueUrls>>>;
  functions(): Promise<Readonly<Record<string, CalledFunctions>>>;
}

/** Names of those functions of a connection that commands call. */
export interface CalledFunctions {
  /** Of a storefront; a payment provider has the first of them, too. */
  readonly webhook?: string | undefined;
  readonly reconcile?: string | undefined;
  readonly listStock?: string | undefined;
  /** Of an ERP. */
  readonly control?: string | undefined;
  readonly check?: string | undefined;
  readonly shadow?: string | undefined;
  readonly pollStock?: string | undefined;
}

export interface TargetOptions {
  readonly local?: boolean;
  readonly data?: string;
  readonly stage?: string;
}

/** Points the AWS SDK of this process at the target. @throws Error with what to do */
export const openTarget = async ({ local, data, stage }: TargetOptions): Promise<Target> => {
  if (local || data) {
    const { env, queues, functions, settings, ...address } = await readAddress(data);
    Object.assign(process.env, env);
    const flag = data ? `--data ${quoted(data)}` : '--local';
    return {
      name: 'the local stack',
      flag,
      ...address,
      settings: parseSettings(settings, 'the local stack'),
      queues: async () => queues,
      functions: async () => functions,
    };
  }
  if (!stage) throw new Error('say which one: --local, or --stage NAME (a file of infra/stages)');
  const file = fileURLToPath(new URL(`../stages/${path.basename(stage)}.ts`, import.meta.url));
  const settings = await loadSettingsFile(file);
  process.env['AWS_REGION'] = settings.region;
  const core = `waybill-${settings.name}-core`;
  const outputs = await outputsOf(core);
  const table = (name: string): string => {
    const value = outputs.get(`${core}.${name}`);
    if (!value) throw new Error(`stack ${core} has no output ${name} in ${settings.region}: deploy it first`);
    return value;
  };
  const everyOutput = async () => {
    const stacks = connectionsOf(settings).map(({ id }) => `waybill-${settings.name}-${id}`);
    const all = [outputs, ...(await Promise.all(stacks.map(outputsOf)))];
    return (name: string) => all.find((one) => one.has(name))?.get(name);
  };
  return {
    name: `stage ${stage}`,
    flag: `--stage ${quoted(stage)}`,
    mappingsTable: table('MappingsTable'),
    journalTable: table('JournalTable'),
    parkedTable: table('ParkedTable'),
    connectionsTable: table('ConnectionsTable'),
    stockTable: table('StockTable'),
    reportsTable: table('ReportsTable'),
    ledgerTable: table('LedgerTable'),
    bindingsTable: table('BindingsTable'),
    eventBus: table('EventBusName'),
    quarantineQueue: table('QuarantineQueueUrl'),
    storefronts: storefrontsOf(settings).map(({ id }) => id),
    erps: erpsOf(settings).map(({ id }) => id),
    stage: settings,
    settings,
    queues: async () => queuesOf(settings, await everyOutput()),
    functions: async () => functionsOf(settings, await everyOutput()),
  };
};

/** @param output value of `<stack>.<name>` */
export const queuesOf = (
  settings: Settings,
  output: (name: string) => string | undefined,
): Record<string, ParkedQueueUrls> => {
  const stacks = [[JOURNAL, 'core'], ...connectionsOf(settings).map(({ id }) => [id, id] as const)] as const;
  return Object.fromEntries(
    stacks.flatMap(([connection, stack]) =>
      Object.entries(QUEUES).flatMap(([concern, name]) => {
        const queue = output(`waybill-${settings.name}-${stack}.${name}QueueUrl`);
        const parked = output(`waybill-${settings.name}-${stack}.${name}ParkedQueueUrl`);
        return queue && parked
          ? [[queueId(connection, concern as QueueConcern), { queue, parked }] as const]
          : [];
      }),
    ),
  );
};

/** What the outputs of a queue are called, by what is in it. */
const QUEUES: Readonly<Record<QueueConcern, string>> = {
  orders: '',
  stock: 'Stock',
  'stock-read': 'StockRead',
};

/** @param output as in `queuesOf` */
export const functionsOf = (
  settings: Settings,
  output: (name: string) => string | undefined,
): Record<string, CalledFunctions> =>
  Object.fromEntries(
    connectionsOf(settings).map(({ id, manifest: { kind } }) => {
      const stack = `waybill-${settings.name}-${id}`;
      return kind !== 'erp'
        ? [
            id,
            {
              webhook: output(`${stack}.FunctionName`),
              reconcile: output(`${stack}.ReconcileFunctionName`),
              listStock: output(`${stack}.StockListFunctionName`),
            },
          ]
        : [
            id,
            {
              control: output(`${stack}.ControlFunctionName`),
              check: output(`${stack}.CheckFunctionName`),
              shadow: output(`${stack}.ShadowFunctionName`),
              pollStock: output(`${stack}.StockPollFunctionName`),
            },
          ];
    }),
  );

const quoted = (text: string): string =>
  /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** By `<stack>.<name>`; none: it is not deployed. */
const outputsOf = async (stackName: string): Promise<Map<string, string>> => {
  const { Stacks } = await new CloudFormationClient({})
    .send(new DescribeStacksCommand({ StackName: stackName }))
    .catch((error: unknown) => {
      // CloudFormation has no error of its own for this.
      if (error instanceof Error && error.message.includes('does not exist')) return { Stacks: [] };
      throw error;
    });
  return new Map(
    (Stacks?.[0]?.Outputs ?? []).flatMap(({ OutputKey, OutputValue }) =>
      OutputKey && OutputValue ? [[`${stackName}.${OutputKey}`, OutputValue] as const] : [],
    ),
  );
};
