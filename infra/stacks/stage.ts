import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as cdk from 'aws-cdk-lib';
import type { Settings } from '../settings.ts';

/** Longest runs of the functions. */
export const TIMEOUTS = {
  /** Storefronts give up after 5 to 60 seconds; API Gateway after 30. */
  ingestWebhook: cdk.Duration.seconds(15),
  /** A batch of ten, each a handful of calls to a slow ERP. */
  consumeOrders: cdk.Duration.seconds(60),
  /** A batch of ten, each one or two writes to DynamoDB. */
  recordOrders: cdk.Duration.seconds(30),
} as const;

/**
 * Absolute path of a module that exports `handler`.
 * @example entry('consume-orders', 'odoo.ts')
 * @throws Error it does not exist
 */
export const entry = (folder: string, file: string): string => {
  const at = fileURLToPath(new URL(`../../functions/${folder}/${file}`, import.meta.url));
  if (!existsSync(at)) throw new Error(`${at} is missing: every connector has an entry of its own`);
  return at;
};

/** Any account; the region of the settings. Tags are put on by CloudFormation: the bill shows them. */
export const stackProps = (stage: Settings, description: string, connection?: string): cdk.StackProps => ({
  env: { region: stage.region },
  description,
  tags: {
    'waybill:stage': stage.name,
    ...(connection === undefined ? {} : { 'waybill:connection': connection }),
  },
});

/** Outputs under exactly these names. */
export const outputs = (stack: cdk.Stack, values: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(values)) new cdk.CfnOutput(stack, name, { value });
};
