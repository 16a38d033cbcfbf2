import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { erpsOf, loadSettingsFile, type Settings, storefrontsOf } from '../settings.ts';
import { readAddress } from './address.ts';

/** What an operator's command works on: a deployed stage, or the stack on this laptop. */
export interface Target {
  readonly name: string;
  readonly mappingsTable: string;
  readonly storefronts: readonly string[];
  readonly erps: readonly string[];
  /** Only for a deployed stage. */
  readonly stage?: Settings;
}

export interface TargetOptions {
  readonly local?: boolean;
  readonly data?: string;
  readonly stage?: string;
}

/** Points the AWS SDK of this process at the target. @throws Error with what to do */
export const openTarget = async ({ local, data, stage }: TargetOptions): Promise<Target> => {
  if (local || data) {
    const { env, ...address } = await readAddress(data);
    Object.assign(process.env, env);
    return { name: 'the local stack', ...address };
  }
  if (!stage) throw new Error('say which one: --local, or --stage NAME (a file of infra/stages)');
  const file = fileURLToPath(new URL(`../stages/${path.basename(stage)}.ts`, import.meta.url));
  const settings = await loadSettingsFile(file);
  process.env['AWS_REGION'] = settings.region;
  const outputs = await outputsOf(`waybill-${settings.name}-core`);
  const mappingsTable = outputs.get('MappingsTable');
  if (!mappingsTable)
    throw new Error(`stack waybill-${settings.name}-core has no output MappingsTable; deploy it again`);
  return {
    name: `stage ${stage}`,
    mappingsTable,
    storefronts: storefrontsOf(settings).map(({ id }) => id),
    erps: erpsOf(settings).map(({ id }) => id),
    stage: settings,
  };
};

const outputsOf = async (stackName: string): Promise<Map<string, string>> => {
  const { Stacks } = await new CloudFormationClient({}).send(
    new DescribeStacksCommand({ StackName: stackName }),
  );
  return new Map(
    (Stacks?.[0]?.Outputs ?? []).flatMap(({ OutputKey, OutputValue }) =>
      OutputKey && OutputValue ? [[OutputKey, OutputValue] as const] : [],
    ),
  );
};
