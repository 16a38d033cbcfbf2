import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { dynamoDb } from '../../../shared/aws/clients.ts';
import { dynamoMappings } from '../../../shared/aws/dynamo-mappings.ts';
import { DAY_MS } from '../../../shared/core/adopt.ts';
import { rehearsalRow, rehearse, verdictOf } from '../../../shared/core/rehearse.ts';
import { openedErp, storefrontReads } from '../peers.ts';
import { routeOf } from '../route.ts';
import { openTarget, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';
import { rehearsalCsv, rehearsalWords } from './rehearse-words.ts';

interface RehearseOptions extends TargetOptions {
  readonly from?: string;
  readonly to?: string;
  readonly days: number;
  readonly within: number;
  readonly json?: boolean;
  readonly csv?: boolean;
}

export const addRehearseCommand = (program: Command): void => {
  onTarget(program.command('rehearse'))
    .description(
      'real orders of the last days, as they would be written, beside what people entered into the ERP: what is identical, what differs, what would be parked. Writes nothing',
    )
    .option('--from <storefront>', 'of several routes')
    .option('--to <erp>', 'of several routes')
    .option('--days <n>', 'orders placed in the last n days', days, 1)
    .option('--within <n>', 'how many days after an order its document may be dated', days, 7)
    .option('--json', 'for programs')
    .option('--csv', 'for spreadsheets')
    .addHelpText('after', '\nIt ends with 1 when the verdict is not "ready".')
    .action(run);
};

const days = (text: string): number => {
  const n = Number(text);
  if (text.trim() && n > 0 && n <= 90) return n;
  throw new InvalidArgumentError('a number of days up to 90 is needed');
};

const run = async (options: RehearseOptions): Promise<void> => {
  const target = await openTarget(options);
  const route = routeOf(target.settings.orders, options);
  const { orders } = openedErp(target.settings, route.to);
  if (!orders.adoption) throw new Error(`the connector of "${route.to}" cannot list what people entered`);
  const nowMs = Date.now;
  const rehearsed = await rehearse(
    {
      route,
      reads: storefrontReads(target.settings, route.from),
      erp: orders,
      mappings: dynamoMappings(dynamoDb(), target.mappingsTable, nowMs),
      nowMs,
      newId: randomUUID,
    },
    { fromMs: nowMs() - options.days * DAY_MS, days: options.within },
    { signal: new AbortController().signal },
  );
  const verdict = verdictOf(rehearsed);
  const rows = rehearsed.map((one) => rehearsalRow(one, route));
  if (options.json) sayJson({ from: route.from, to: route.to, days: options.days, ...verdict, orders: rows });
  else if (options.csv) process.stdout.write(rehearsalCsv(rows));
  else {
    say(`orders of ${route.from} of the last ${options.days} days, beside ${route.to}`);
    for (const line of rehearsalWords(rows, verdict)) say(line);
  }
  if (!verdict.isReady) process.exitCode = 1;
};
