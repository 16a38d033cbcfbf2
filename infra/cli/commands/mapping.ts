import { readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { dynamoDb } from '../../../shared/aws/clients.ts';
import { dynamoMappingStore, type PutResult } from '../../../shared/aws/dynamo-mapping-store.ts';
import { dynamoParkedRows } from '../../../shared/aws/dynamo-parked-rows.ts';
import type { MappingRow } from '../../../shared/connectors/contract.ts';
import { repairs } from '../../../shared/core/repairs.ts';
import { csvFrom, mappingRowsFrom } from '../mapping-csv.ts';
import { openTarget, type Target, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say } from './output.ts';
import { orderWords, shortIds } from './parked-words.ts';

export const addMappingCommands = (program: Command): void => {
  const mapping = program
    .command('mapping')
    .description(
      'what the storefront calls a SKU, tax, payment or shipping method, and what the ERP calls it',
    );
  onTarget(mapping.command('list').description('all rows, with who changed them last')).action(list);
  onTarget(mapping.command('export').description('all rows as CSV'))
    .option('--output <file>', 'write there instead of standard output')
    .action(exportRows);
  onTarget(
    mapping.command('import <file>').description('add and change rows from CSV; rows not in the file stay'),
  )
    .option('--dry-run', 'only say what would change')
    .option('--by <name>', 'who: kept in the history', userInfo().username)
    .action(importRows);
};

const list = async (options: TargetOptions): Promise<void> => {
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
};

const exportRows = async (options: TargetOptions & { output?: string }): Promise<void> => {
  const target = await openTarget(options);
  const rows = await dynamoMappingStore(dynamoDb(), target.mappingsTable, Date.now).list();
  const csv = csvFrom(rows.map(({ row }) => row));
  if (!options.output) process.stdout.write(csv);
  else {
    await writeFile(options.output, csv);
    say(`${rows.length} rows written to ${options.output}`);
  }
};

const importRows = async (
  file: string,
  options: TargetOptions & { dryRun?: boolean; by: string },
): Promise<void> => {
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
  if (!options.dryRun) await offerRedrive(target, rows);
};

/** More ids than this are no command that anybody copies. */
const MOST_IDS = 10;

/** Says which parked orders the rows may repair, and how to send them again. */
const offerRedrive = async (target: Target, rows: readonly MappingRow[]): Promise<void> => {
  const index = dynamoParkedRows(dynamoDb(), target.parkedTable);
  const destinations = [...new Set(rows.map(({ destination }) => destination))];
  const waiting = (await Promise.all(destinations.map((id) => index.list(id)))).flat();
  const repaired = waiting.filter((parked) => rows.some((row) => repairs(row, parked)));
  if (repaired.length === 0) return;
  const ids = shortIds(waiting);
  const named = repaired.slice(0, MOST_IDS);
  say(
    `${repaired.length} parked messages may be repaired by this: ${named.map(orderWords).join(', ')}${repaired.length > MOST_IDS ? ', …' : ''}`,
  );
  say(`  npx waybill parked redrive ${named.map(({ id }) => ids.get(id) ?? id).join(' ')} ${target.flag}`);
};
