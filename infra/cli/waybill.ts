#!/usr/bin/env node
import { readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { text } from 'node:stream/consumers';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import Table from 'cli-table3';
import { Command } from 'commander';
import { dynamoDb } from '../../shared/aws/clients.ts';
import { dynamoMappingStore, type PutResult } from '../../shared/aws/dynamo-mapping-store.ts';
import { MANIFESTS } from '../../shared/connectors/manifests.ts';
import { secretName } from '../constructs/credentials.ts';
import { check, hint } from '../problems.ts';
import { connectionsOf } from '../settings.ts';
import { csvFrom, mappingRowsFrom } from './mapping-csv.ts';
import { openTarget, type TargetOptions } from './target.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

const program = new Command('waybill')
  .description("Operator's tools, against AWS with your own credentials, or --local")
  .showHelpAfterError('(waybill --help lists the commands)')
  .configureHelp({ sortSubcommands: true });

const onTarget = (command: Command): Command =>
  command
    .option('--local', 'the stack that npm start runs on this machine')
    .option('--data <dir>', 'the same, started with npm start -- --data <dir>')
    .option('--stage <name>', 'a deployed stage: a file of infra/stages');

const mapping = program
  .command('mapping')
  .description('what the storefront calls a SKU, tax, payment or shipping method, and what the ERP calls it');

onTarget(mapping.command('list').description('all rows, with who changed them last')).action(
  async (options: TargetOptions) => {
    const target = await openTarget(options);
    const rows = await dynamoMappingStore(dynamoDb(), target.mappingsTable, Date.now).list();
    const table = new Table({ head: ['kind', 'source', 'destination', 'key', 'to', 'version', 'by', 'at'] });
    for (const { row, version, updatedBy, updatedAtMs } of rows) {
      const to = row.to
        .map(({ value, quantity }) => (quantity === 1 ? value : `${quantity} × ${value}`))
        .join(' + ');
      const at = new Date(updatedAtMs).toISOString().slice(0, 16);
      table.push([row.kind, row.source, row.destination, row.key, to, version, updatedBy, at]);
    }
    say(rows.length > 0 ? table.toString() : `${target.name} has no mapping rows yet`);
  },
);

onTarget(mapping.command('export').description('all rows as CSV'))
  .option('--output <file>', 'write there instead of standard output')
  .action(async (options: TargetOptions & { output?: string }) => {
    const target = await openTarget(options);
    const rows = await dynamoMappingStore(dynamoDb(), target.mappingsTable, Date.now).list();
    const csv = csvFrom(rows.map(({ row }) => row));
    if (!options.output) process.stdout.write(csv);
    else {
      await writeFile(options.output, csv);
      say(`${rows.length} rows written to ${options.output}`);
    }
  });

onTarget(
  mapping.command('import <file>').description('add and change rows from CSV; rows not in the file stay'),
)
  .option('--dry-run', 'only say what would change')
  .option('--by <name>', 'who: kept in the history', userInfo().username)
  .action(async (file: string, options: TargetOptions & { dryRun?: boolean; by: string }) => {
    const target = await openTarget(options);
    const known = { sources: target.storefronts, destinations: target.erps };
    // Everything is checked before anything is written.
    const rows = mappingRowsFrom(await readFile(file, 'utf8'), file, known);
    const store = dynamoMappingStore(dynamoDb(), target.mappingsTable, Date.now);
    const count: Record<PutResult, number> = { added: 0, changed: 0, unchanged: 0 };
    for (const row of rows) {
      const result = options.dryRun ? await store.compare(row) : await store.put(row, options.by);
      count[result] += 1;
      if (result !== 'unchanged')
        say(`${result.padEnd(8)} ${row.kind} ${row.source} → ${row.destination}  ${row.key}`);
    }
    const verb = options.dryRun ? 'would be' : 'were';
    say(`${count.added} rows ${verb} added, ${count.changed} changed, ${count.unchanged} are as they were`);
  });

program
  .command('secrets')
  .description('credentials of connections')
  .command('set <connection>')
  .description("check and store a connection's credentials: JSON on standard input")
  .requiredOption('--stage <name>', 'a deployed stage: a file of infra/stages')
  .action(async (connection: string, options: TargetOptions) => {
    const { stage } = await openTarget(options);
    const connections = stage ? connectionsOf(stage) : [];
    const found = connections.find(({ id }) => id === connection);
    if (!stage || !found) {
      const known = connections.map(({ id }) => id);
      throw new Error(`there is no connection "${connection}"; ${hint(connection, known)}`);
    }
    const checked = check(found.manifest.credentials, parseJson(await text(process.stdin)), {
      at: [connection],
      showValues: false,
    });
    if ('problems' in checked) throw new Error(checked.problems.join('\n'));
    await new SecretsManagerClient({}).send(
      new PutSecretValueCommand({
        SecretId: secretName(stage.name, connection),
        SecretString: JSON.stringify(checked.value),
      }),
    );
    say(`stored; functions use it within five minutes, or at once after a refusal`);
  });

/** The parser's own words may quote a password. */
const parseJson = (input: string): unknown => {
  try {
    return JSON.parse(input);
  } catch {
    throw new Error('standard input is no valid JSON');
  }
};

program
  .command('connectors')
  .description('peers that Waybill speaks to')
  .action(() => {
    for (const { name, kind, title, apiVersion } of Object.values(MANIFESTS))
      say(`${name.padEnd(14)} ${kind.padEnd(11)} ${title}, ${apiVersion}`);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`waybill: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
