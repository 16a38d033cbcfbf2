import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { describe, expect, it } from 'vitest';
import { AUDITED } from '../../functions/audit-stock/peers.ts';
import { BUNDLE } from '../../infra/constructs/bundle.ts';
import { MANIFESTS } from '../../shared/connectors/manifests.ts';
import { SANDBOX, synthesise } from './assembly.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FUNCTIONS = path.join(ROOT, 'functions');

/** Minified, with the SDK inside. Loading a bundle is most of a cold start: decisions/0003. */
const BUDGETS = {
  'ingest-webhook': 450_000,
  'fetch-orders': 520_000,
  'reconcile-orders': 560_000,
  'check-orders': 560_000,
  'report-shadow': 560_000,
  'sweep-orders': 450_000,
  'fetch-payments': 800_000,
  // Booking payments and reading stock came to it: 582 kB for Odoo.
  'consume-orders': 600_000,
  'control-connection': 500_000,
  'record-orders': 450_000,
  // A connector with all that it can do, as long as it is opened as a whole.
  'poll-stock': 560_000,
  'read-stock': 560_000,
  'project-stock': 500_000,
  'write-stock': 520_000,
  'list-stock': 520_000,
  // Every connector that has stock, once a day: decision 0025.
  'audit-stock': 660_000,
};
/** Stripe's own package carries every resource of its API: 250 kB (docs of decision 0003). */
const EXCEPTIONS: Readonly<Record<string, number>> = { 'ingest-webhook/stripe.ts': 700_000 };

const entries = Object.entries(BUDGETS).flatMap(([folder, budget]) =>
  readdirSync(path.join(FUNCTIONS, folder))
    .filter((file) => file.endsWith('.ts') && !['compose.ts', 'env.ts', 'peers.ts'].includes(file))
    .map((file) => [`${folder}/${file}`, EXCEPTIONS[`${folder}/${file}`] ?? budget] as const),
);

it('has an entry for every connector, and those that all share', () => {
  const wanted = Object.values(MANIFESTS).flatMap((manifest) => {
    const { name, kind } = manifest;
    if (kind === 'erp')
      return [
        'consume-orders',
        'control-connection',
        'check-orders',
        'report-shadow',
        'poll-stock',
        'read-stock',
      ].map((folder) => `${folder}/${name}.ts`);
    if (kind === 'payments') return [`ingest-webhook/${name}.ts`, `fetch-payments/${name}.ts`];
    const reading = manifest.reads ? [`fetch-orders/${name}.ts`, `reconcile-orders/${name}.ts`] : [];
    const stock = manifest.stock ? [`write-stock/${name}.ts`, `list-stock/${name}.ts`] : [];
    return [`ingest-webhook/${name}.ts`, ...reading, ...stock];
  });
  expect(entries.map(([entry]) => entry).sort()).toEqual(
    [
      'audit-stock/index.ts',
      'project-stock/index.ts',
      'record-orders/index.ts',
      'sweep-orders/index.ts',
      ...wanted,
    ].sort(),
  );
});

it('audits every connector that has stock', () => {
  const wanted = Object.values(MANIFESTS).flatMap(({ name, kind, ...rest }) =>
    kind === 'erp' || ('stock' in rest && rest.stock) ? [name] : [],
  );
  expect([...AUDITED].sort()).toEqual(wanted.sort());
});

/** All at once: what they share is read once. The bytes are those of bundles made one by one. */
const { metafile } = esbuild.buildSync({
  ...BUNDLE,
  entryPoints: entries.map(([entry]) => path.join(FUNCTIONS, entry)),
  outdir: path.sep,
  outbase: FUNCTIONS,
  write: false,
  metafile: true,
});
const made = new Map(
  Object.values(metafile.outputs).map(({ entryPoint = '', bytes, inputs }) => [
    path.relative(FUNCTIONS, path.join(ROOT, entryPoint)),
    { bytes, inputs: Object.keys(inputs) },
  ]),
);

describe.each(entries)('%s', (entry, budget) => {
  it(`is at most ${budget} bytes`, () => {
    const { bytes = Number.NaN } = made.get(entry) ?? {};
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThanOrEqual(budget);
  });

  it('carries no credential chain, no CDK, no test', () => {
    const inputs = made.get(entry)?.inputs ?? [];
    expect(inputs).toContain(`functions/${entry}`);
    expect(inputs.filter((file) => /credential-provider-(?!env)|aws-cdk-lib|^test\//.test(file))).toEqual([]);
  });
});

/** IAM actions behind the SDK's commands that our own code sends. */
const ACTIONS: Readonly<Record<string, string>> = {
  GetItemCommand: 'dynamodb:GetItem',
  PutItemCommand: 'dynamodb:PutItem',
  UpdateItemCommand: 'dynamodb:UpdateItem',
  DeleteItemCommand: 'dynamodb:DeleteItem',
  QueryCommand: 'dynamodb:Query',
  ScanCommand: 'dynamodb:Scan',
  BatchGetItemCommand: 'dynamodb:BatchGetItem',
  BatchWriteItemCommand: 'dynamodb:BatchWriteItem',
  PutEventsCommand: 'events:PutEvents',
  GetSecretValueCommand: 'secretsmanager:GetSecretValue',
  SendMessageCommand: 'sqs:SendMessage',
  SendMessageBatchCommand: 'sqs:SendMessage',
  ChangeMessageVisibilityCommand: 'sqs:ChangeMessageVisibility',
  DeleteMessageCommand: 'sqs:DeleteMessage',
};
/** Which table an adapter is given, by the file that holds it. */
const TABLES: Readonly<Record<string, string>> = {
  'dynamo-ledger.ts': 'TablesLedger',
  'dynamo-ledger-repairs.ts': 'TablesLedger',
  'dynamo-bindings.ts': 'TablesBindings',
  'dynamo-journal.ts': 'TablesJournal',
  'dynamo-journal-reads.ts': 'TablesJournal',
  'dynamo-unfinished.ts': 'TablesJournal',
  'dynamo-timelines.ts': 'TablesJournal',
  'dynamo-cursors.ts': 'TablesCursors',
  'dynamo-connection-failures.ts': 'TablesConnections',
  'dynamo-connection-states.ts': 'TablesConnections',
  'dynamo-mappings.ts': 'TablesMappings',
  'dynamo-parked.ts': 'TablesParked',
  'dynamo-waiting-orders.ts': 'TablesParked',
  'dynamo-shadow-orders.ts': 'TablesJournal',
  'dynamo-shadow-reports.ts': 'TablesReports',
  'dynamo-payment-facts.ts': 'TablesPayments',
};

describe('permissions', () => {
  const stacks = synthesise(SANDBOX);
  it.each([
    ['ingest-webhook/woocommerce.ts', 'waybill-sandbox-sandbox-woo', 'Webhook'],
    ['fetch-orders/woocommerce.ts', 'waybill-sandbox-sandbox-woo', 'Fetch'],
    ['reconcile-orders/woocommerce.ts', 'waybill-sandbox-sandbox-woo', 'Reconcile'],
    ['ingest-webhook/stripe.ts', 'waybill-sandbox-sandbox-stripe', 'Webhook'],
    ['fetch-payments/stripe.ts', 'waybill-sandbox-sandbox-stripe', 'Fetch'],
    ['consume-orders/odoo.ts', 'waybill-sandbox-sandbox-odoo', 'Orders'],
    ['control-connection/odoo.ts', 'waybill-sandbox-sandbox-odoo', 'Control'],
    ['check-orders/odoo.ts', 'waybill-sandbox-sandbox-odoo', 'Check'],
    ['record-orders/index.ts', 'waybill-sandbox-core', 'Recorder'],
    ['sweep-orders/index.ts', 'waybill-sandbox-core', 'Sweep'],
  ])('%s may send the commands in it, each to its own table', (entry, stackName, role) => {
    // Shaken but not minified: every file's part begins with a comment that names it.
    const [output] = esbuild.buildSync({
      ...BUNDLE,
      minify: false,
      external: ['@aws-sdk/*', '@smithy/*'],
      entryPoints: [path.join(FUNCTIONS, entry)],
      write: false,
    }).outputFiles;
    const wanted = (output?.text ?? '').split(/^\/\/ (?=\S+\.ts$)/m).flatMap((part) => {
      const table = TABLES[path.basename(part.split('\n', 1)[0] ?? '')];
      return [...part.matchAll(/new (\w+Command)\(/g)].map(([, command = '']) => ({ command, table }));
    });
    expect(wanted.length).toBeGreaterThan(0);
    const statements: { Action: string | string[]; Resource: unknown }[] = stacks
      .filter(({ name }) => name === stackName)
      .flatMap((stack) => stack.all('AWS::IAM::Policy'))
      .filter(([id]) => id.startsWith(role))
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
    const refused = wanted.filter(({ command, table }) => {
      const action = ACTIONS[command];
      if (action === undefined) return true;
      return !statements.some(
        ({ Action, Resource }) =>
          [Action].flat().includes(action) &&
          (table === undefined ? !action.startsWith('dynamodb:') : JSON.stringify(Resource).includes(table)),
      );
    });
    expect(refused).toEqual([]);
  });
});
