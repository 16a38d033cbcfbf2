import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { dynamoDb, eventBridge } from '../../../shared/aws/clients.ts';
import { dynamoBindings } from '../../../shared/aws/dynamo-bindings.ts';
import { dynamoJournal } from '../../../shared/aws/dynamo-journal.ts';
import { dynamoLedger } from '../../../shared/aws/dynamo-ledger.ts';
import { publisher } from '../../../shared/aws/event-bridge.ts';
import {
  type AdoptionRange,
  type AdoptPorts,
  adoptable,
  adoptOrder,
  type Planned,
  planAdoption,
  resendPending,
} from '../../../shared/core/adopt-order.ts';
import { CredentialsError, describeError } from '../../../shared/core/errors.ts';
import type { OrderRoute } from '../../../shared/settings/order-route.ts';
import { openedErp, storefrontReads } from '../peers.ts';
import { routeOf } from '../route.ts';
import { openTarget, type Target, type TargetOptions } from '../target.ts';
import { type AdoptionRow, adoptionCsv, adoptionWords, countsOf, LEFT, rowOf } from './adopt-words.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';

interface AdoptOptions extends TargetOptions {
  readonly from?: string;
  readonly to?: string;
  readonly since: number;
  readonly days: number;
  readonly refundsFrom?: number;
  readonly differing?: boolean;
  /** false: --no-reference. */
  readonly reference: boolean;
  readonly yes?: boolean;
  readonly by: string;
  readonly why?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

export const addAdoptCommand = (program: Command): void => {
  onTarget(program.command('adopt'))
    .description(
      "orders that people entered into the ERP before startAt, or in shadow mode, become Waybill's: their later edits, refunds and cancellations apply. Without --yes it only says which is which",
    )
    .option('--from <storefront>', 'of several routes')
    .option('--to <erp>', 'of several routes')
    .requiredOption('--since <date>', 'orders that changed in the shop from then on, e.g. 2026-10-01', moment)
    .option('--days <n>', 'how many days after an order its document may be dated', days, 7)
    .option(
      '--refunds-from <date>',
      "refunds made earlier are in the ERP already, by people's work (default: startAt of the route)",
      moment,
    )
    .option(
      '--differing',
      'also what names the order and costs something else: it is brought to what the shop says',
    )
    .option(
      '--no-reference',
      'do not note our reference in the ERP; then nothing but the ledger knows whose a document is',
    )
    .option('--yes', 'adopt, instead of only saying')
    .option('--by <name>', 'who: kept with each order', userInfo().username)
    .option('--why <text>', 'why: kept with each order; needed with --yes')
    .option('--json', 'for programs')
    .option('--csv', 'for spreadsheets')
    .addHelpText('after', '\nIt ends with 1 when something is left to people.')
    .action(adopt);
};

const moment = (text: string): number => {
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new InvalidArgumentError('a date is needed, e.g. 2026-10-01 or 2026-10-01T08:00+08:00');
  return ms;
};

const days = (text: string): number => {
  const n = Number(text);
  if (text.trim() && n > 0 && n <= 90) return n;
  throw new InvalidArgumentError('a number of days up to 90 is needed');
};

const adopt = async (options: AdoptOptions): Promise<void> => {
  const why = options.why?.trim() ?? '';
  if (options.yes && why === '') throw new Error('say why: --why TEXT');
  const target = await openTarget(options);
  const route = routeOf(target.settings.orders, options);
  const ports = portsOf(target, route);
  const range: AdoptionRange = {
    fromMs: options.since,
    days: options.days,
    refundsFromMs: options.refundsFrom,
  };
  const call = { signal: new AbortController().signal };
  const planned = await planAdoption(ports, range, call);
  const rows: AdoptionRow[] = [];
  for (const one of planned) {
    const row = rowOf(one, route);
    rows.push(options.yes ? await act(ports, one, row, range, { ...options, why }, call) : row);
  }
  if (options.json)
    sayJson({ from: route.from, to: route.to, startAt: route.startAt, counts: countsOf(rows), orders: rows });
  else if (options.csv) process.stdout.write(adoptionCsv(rows));
  else {
    say(`orders of ${route.from} placed before ${route.startAt} or in shadow mode, in ${route.to}`);
    for (const line of adoptionWords(rows)) say(line);
    const n = rows.filter(({ outcome }) => outcome === 'adoptable').length;
    if (n > 0) say(`\nnothing was written; to adopt ${n}: the same command with --yes --why TEXT`);
  }
  if (rows.some(({ outcome }) => LEFT.has(outcome))) process.exitCode = 1;
};

/** What is refused concerns one order; credentials that are refused concern all of them. */
const act = async (
  ports: AdoptPorts,
  planned: Planned,
  row: AdoptionRow,
  range: AdoptionRange,
  { differing = false, reference, by, why }: AdoptOptions & { readonly why: string },
  call: { readonly signal: AbortSignal },
): Promise<AdoptionRow> => {
  if (planned.kind === 'already') {
    if (planned.pending.length > 0) await resendPending(ports, planned.event);
    return row;
  }
  if (!adoptable(planned, differing)) return row;
  try {
    const adopted = await adoptOrder(
      ports,
      planned,
      { range, writeReference: reference, who: { by, why } },
      call,
    );
    if (adopted.kind === 'conflict') return { ...row, outcome: 'conflict', because: adopted.reason };
    return { ...row, outcome: adopted.kind, pending: adopted.pending };
  } catch (error) {
    if (error instanceof CredentialsError) throw error;
    return { ...row, outcome: 'failed', because: describeError(error) };
  }
};

/** A command that is killed keeps an order for so long. */
const LEASE_MS = 120_000;
const SEND_MS = 5_000;

const portsOf = (target: Target, route: OrderRoute): AdoptPorts => {
  const dynamo = dynamoDb();
  const nowMs = Date.now;
  const { orders, settleMs } = openedErp(target.settings, route.to);
  if (!orders.adoption)
    throw new Error(`orders in "${route.to}" cannot be adopted: its connector cannot list them`);
  return {
    destination: route.to,
    route,
    reads: storefrontReads(target.settings, route.from),
    erp: orders,
    ledger: dynamoLedger(dynamo, target.ledgerTable, nowMs),
    bindings: dynamoBindings(dynamo, target.bindingsTable),
    journal: dynamoJournal(dynamo, target.journalTable),
    publish: publisher(eventBridge(), target.eventBus),
    newId: randomUUID,
    nowMs,
    leaseMs: LEASE_MS,
    settleMs: settleMs + SEND_MS,
    isUrgent: true,
  };
};
