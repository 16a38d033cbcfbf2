import { readFileSync } from 'node:fs';
import * as cdk from 'aws-cdk-lib';
import { bundleAhead } from './constructs/bundle.ts';
import {
  connectionsOf,
  erpsOf,
  paymentsOf,
  type Settings,
  stockOf,
  stockTo,
  storefrontsOf,
} from './settings.ts';
import { CoreStack } from './stacks/core-stack.ts';
import { shadowRoutes } from './stacks/erp-shadow.ts';
import { ErpStack } from './stacks/erp-stack.ts';
import { PaymentsStack } from './stacks/payments-stack.ts';
import { entry } from './stacks/stage.ts';
import { StorefrontStack } from './stacks/storefront-stack.ts';

export interface BuildOptions {
  /** Where the assembly goes. @default a new temporary directory, or cdk.out when the CDK CLI runs us */
  readonly outdir?: string;
  /** Whether CDK validates the templates against CloudFormation's schemas, which takes a second. @default true */
  readonly validate?: boolean;
}

/**
 * The whole app: `waybill-<name>-core` and one stack per connection. Deploying, `npm start` and tests all build it
 * here, so what runs on a laptop is what would be deployed.
 */
export const buildApp = (stage: Settings, options: BuildOptions = {}): cdk.App => {
  const app = new cdk.App({
    ...(options.outdir === undefined ? {} : { outdir: options.outdir }),
    // The CDK CLI reads the feature flags from cdk.json; nobody else does.
    context: featureFlags(),
    analyticsReporting: false,
    treeMetadata: false,
    builtinCloudFormationValidation: options.validate ?? true,
  });
  bundleAhead(entriesOf(stage));
  const core = new CoreStack(app, stage);
  for (const connected of storefrontsOf(stage)) new StorefrontStack(app, stage, connected, core);
  for (const connected of paymentsOf(stage)) new PaymentsStack(app, stage, connected, core);
  for (const connected of erpsOf(stage)) new ErpStack(app, stage, connected, core);
  refuseLaptopSettings(core, stage);
  return app;
};

/** What the stacks will ask for; an entry that is missing here only costs time. */
const entriesOf = (stage: Settings): string[] => [
  entry('record-orders', 'index.ts'),
  entry('sweep-orders', 'index.ts'),
  ...storefrontsOf(stage).flatMap(({ id, manifest: { name, reads, stock } }) => [
    ...(stock && stockTo(stage, id)
      ? [entry('write-stock', `${name}.ts`), entry('list-stock', `${name}.ts`)]
      : []),
    entry('ingest-webhook', `${name}.ts`),
    ...(reads ? [entry('fetch-orders', `${name}.ts`), entry('reconcile-orders', `${name}.ts`)] : []),
  ]),
  ...paymentsOf(stage).flatMap(({ manifest: { name } }) => [
    entry('ingest-webhook', `${name}.ts`),
    entry('fetch-payments', `${name}.ts`),
  ]),
  ...erpsOf(stage).flatMap(({ id, manifest: { name } }) => [
    ...(shadowRoutes(stage, id).length > 0 ? [entry('report-shadow', `${name}.ts`)] : []),
    entry('consume-orders', `${name}.ts`),
    entry('control-connection', `${name}.ts`),
    entry('check-orders', `${name}.ts`),
    ...(stockOf(stage, id)
      ? [
          entry('poll-stock', `${name}.ts`),
          entry('read-stock', `${name}.ts`),
          entry('project-stock', 'index.ts'),
          entry('audit-stock', 'index.ts'),
        ]
      : []),
  ]),
];

const featureFlags = (): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8')).context;

/** What is right on a laptop and wrong in AWS. The CDK CLI shows it and stops at errors; nobody else looks. */
const refuseLaptopSettings = (core: CoreStack, stage: Settings): void => {
  if (stage.timeScale < 1 && !stage.name.startsWith('sandbox')) {
    cdk.Annotations.of(core).addError(
      `timeScale is ${stage.timeScale}: retries would hammer the peers and park within seconds. Leave it out, or name the stage sandbox…`,
    );
  }
  for (const { id, connection } of connectionsOf(stage)) {
    // Shopify has one address only, unless a stand-in is named.
    if (connection.url && new URL(connection.url).protocol === 'http:') {
      cdk.Annotations.of(core).addWarningV2(
        `waybill:loopback-${id}`,
        `connections.${id}.url is ${connection.url}: functions in AWS cannot reach this machine`,
      );
    }
  }
};
