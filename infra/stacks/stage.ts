import { existsSync } from 'node:fs';
import path from 'node:path';
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

/** Modules that export `handler`. */
export interface Entries {
  readonly recordOrders: string;
  ingestWebhook(connector: string): string;
  consumeOrders(connector: string): string;
}

/** @throws Error, when asked for, an entry that does not exist */
export const entriesIn = (directory: string): Entries => {
  const entry = (...parts: string[]) => {
    const file = path.join(directory, ...parts);
    if (!existsSync(file)) throw new Error(`${file} is missing: every connector has an entry of its own`);
    return file;
  };
  return {
    get recordOrders() {
      return entry('record-orders', 'index.ts');
    },
    ingestWebhook: (connector) => entry('ingest-webhook', `${connector}.ts`),
    consumeOrders: (connector) => entry('consume-orders', `${connector}.ts`),
  };
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
