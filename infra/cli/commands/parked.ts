import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { dynamoDb, sqs } from '../../../shared/aws/clients.ts';
import { dynamoJournal } from '../../../shared/aws/dynamo-journal.ts';
import { dynamoJournalReads } from '../../../shared/aws/dynamo-journal-reads.ts';
import { dynamoJourney } from '../../../shared/aws/dynamo-journey.ts';
import { dynamoParked } from '../../../shared/aws/dynamo-parked.ts';
import { dynamoParkedRows } from '../../../shared/aws/dynamo-parked-rows.ts';
import { dynamoTimelines } from '../../../shared/aws/dynamo-timelines.ts';
import { type ParkedQueueUrls, sqsParkedMessages } from '../../../shared/aws/sqs-parked-messages.ts';
import { type ParkedRow, parkedText } from '../../../shared/core/parked.ts';
import { LANGUAGES, type Language } from '../../../shared/core/reasons.ts';
import {
  type ActionOf,
  choose,
  countOf,
  type Done,
  discard,
  matching,
  type ParkedPorts,
  redrive,
  unindexed,
  verdictOf,
  verdicts,
  type WaitingRow,
} from '../../../shared/core/redrive.ts';
import { hint } from '../../problems.ts';
import { openTarget, type Target, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';
import {
  countWords,
  listWords,
  orderWords,
  planWords,
  rowWords,
  shortIds,
  verdictWords,
} from './parked-words.ts';

interface LookOptions extends TargetOptions {
  readonly json?: boolean;
  readonly lang: Language;
}
interface FilterOptions extends TargetOptions {
  readonly connection?: string;
  readonly code?: string;
  readonly unindexed?: boolean;
  readonly json?: boolean;
}
interface ActOptions extends FilterOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly by: string;
  readonly why?: string;
  readonly max: number;
}
interface RedriveOptions extends ActOptions {
  readonly notInErp?: boolean;
  readonly perSecond: number;
  /** Seconds; false: --no-wait. */
  readonly wait: number | false;
}

export const addParkedCommands = (program: Command): void => {
  const parked = program
    .command('parked')
    .description('messages that wait for a person: what is parked and why, send it again, or give it up')
    .showHelpAfterError('(waybill parked --help, or waybill parked redrive --help, lists what there is)');
  filtered(withLanguage(onTarget(parked.command('list', { isDefault: true }))))
    .description('what is parked, by connection (also without "list")')
    .option('--json', 'for programs')
    // "parked lst" comes here, too: list is what parked does by itself.
    .allowExcessArguments()
    .action((options: FilterOptions & LookOptions, command: Command) => {
      const [other] = command.args;
      if (other !== undefined) {
        const verbs = parked.commands.map((one) => one.name());
        throw new Error(`there is no command "parked ${other}"; ${hint(other, verbs)}`);
      }
      return list(options);
    });
  withLanguage(onTarget(parked.command('show <id>')))
    .description('everything about one message; the beginning of its id is enough')
    .option('--json', 'for programs')
    .action(show);
  acting(parked.command('redrive [id...]'), 'redrive')
    .description('send messages to their queue again, and say what became of each; without --yes only count')
    .option(
      '--not-in-erp',
      'of what came in shadow mode (SEEN_IN_SHADOW): nobody entered it by hand, so write it',
    )
    .option('--per-second <n>', 'pace', number(0.1, 100), 5)
    .option('--wait <seconds>', 'how long to wait for what becomes of them', number(0, 3600), 60)
    .option('--no-wait', 'do not wait')
    .action(redriveCommand);
  acting(parked.command('discard [id...]'), 'discard')
    .description('delete messages for good and close their orders; without --yes only count')
    .action(discardCommand);
};

const number =
  (least: number, most: number, isWhole = false) =>
  (text: string) => {
    const value = Number(text);
    if (text.trim() && value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`a ${isWhole ? 'whole ' : ''}number from ${least} to ${most} is needed`);
  };

const withLanguage = (command: Command): Command =>
  command.addOption(
    new Option('--lang <language>', 'of what happened and what to do').choices([...LANGUAGES]).default('en'),
  );

const filtered = (command: Command): Command =>
  command
    .option('--connection <id>', 'only of this connection')
    .option('--code <code>', 'only with this code')
    .option('--unindexed', 'look into the queues, too, for what AWS parked by itself: hides it for seconds');

const acting = (command: Command, verb: string): Command =>
  filtered(onTarget(command))
    .option('--all', 'all that --connection and --code leave')
    .option('--max <n>', 'no more than so many, the oldest first', number(1, 10_000, true), 100)
    .option('--yes', `${verb}, instead of only counting`)
    .option('--by <name>', 'who: kept with the message', userInfo().username)
    .option('--why <text>', 'why: kept with the message; needed with --yes')
    .option('--json', 'for programs');

interface Desk {
  readonly target: Target;
  readonly queues: Readonly<Record<string, ParkedQueueUrls>>;
  readonly ports: ParkedPorts;
}

const openDesk = async (options: TargetOptions): Promise<Desk> => {
  const target = await openTarget(options);
  const queues = await target.queues();
  const dynamo = dynamoDb();
  const client = sqs();
  const ports: ParkedPorts = {
    rows: dynamoParkedRows(dynamo, target.parkedTable),
    index: dynamoParked(dynamo, target.parkedTable),
    journal: {
      ...dynamoJournal(dynamo, target.journalTable),
      ...dynamoJournalReads(dynamo, target.journalTable),
      ...dynamoTimelines(dynamo, target.journalTable),
    },
    newId: randomUUID,
    messages: (connection) => {
      const urls = queues[connection];
      if (!urls) throw new Error(`${target.name} has no parked queue of "${connection}"`);
      return sqsParkedMessages(client, urls);
    },
    nowMs: Date.now,
    sleep: (ms) => sleep(ms),
  };
  return { target, queues, ports };
};

/** What waits, with what the queues hold beyond the index. */
const waiting = async (
  { queues, ports, target }: Desk,
  { connection, code, unindexed: isLooking }: FilterOptions,
): Promise<{ rows: WaitingRow[]; withoutIndex: { connection: string; about: number }[] }> => {
  const known = Object.keys(queues);
  if (connection !== undefined && !queues[connection]) {
    throw new Error(`${target.name} has no parked queue of "${connection}"; ${hint(connection, known)}`);
  }
  const wanted = connection === undefined ? known : [connection];
  const rows: WaitingRow[] = [];
  const withoutIndex: { connection: string; about: number }[] = [];
  for (const id of wanted) {
    const indexed = await ports.rows.list(id);
    rows.push(...indexed);
    const messages = ports.messages(id);
    if (isLooking) rows.push(...(await unindexed(id, messages, indexed)));
    else {
      const about = (await messages.count()) - indexed.length;
      if (about > 0) withoutIndex.push({ connection: id, about });
    }
  }
  return { rows: code === undefined ? rows : rows.filter((row) => row.code === code), withoutIndex };
};

const jsonOf = (row: ParkedRow, language: Language = 'en') => {
  const { text: _, ...rest } = row;
  return { ...rest, ...parkedText(row, language) };
};

const list = async (options: FilterOptions & LookOptions): Promise<void> => {
  const desk = await openDesk(options);
  const { rows, withoutIndex } = await waiting(desk, options);
  if (options.json) {
    sayJson({ parked: rows.map((row) => jsonOf(row, options.lang)), withoutIndex });
    return;
  }
  for (const line of listWords(rows, { language: options.lang, nowMs: Date.now() })) say(line);
  if (rows.length === 0) {
    const where = options.connection ? ` at ${options.connection}` : '';
    say(`nothing is parked${where}${options.code ? ` with code ${options.code}` : ''}`);
  }
  for (const { connection, about } of withoutIndex)
    say(
      `${connection}: about ${countWords(about)} without index, parked by AWS itself or looked at by somebody; look at them: npx waybill parked list --unindexed ${desk.target.flag}`,
    );
};

const show = async (id: string, options: LookOptions): Promise<void> => {
  const { queues, ports, target } = await openDesk(options);
  const connections = Object.keys(queues);
  const rows = (await Promise.all(connections.map((one) => ports.rows.find(one, id)))).flat();
  const found = matching(rows, id);
  const [row] = found;
  if (!row) throw new Error(`${target.name} knows no parked message "${id}"; see: waybill parked list`);
  if (found.length > 1) throw new Error(ambiguous(id, found));
  const journey =
    row.source && row.orderId
      ? await dynamoJourney(dynamoDb(), target.journalTable)(row.connection, row.source, row.orderId)
      : undefined;
  if (options.json) {
    const { openSinceMs, state, steps, document } = journey ?? {};
    sayJson({
      ...jsonOf(row, options.lang),
      ...(row.result ? { verdict: verdictOf(row.result) } : {}),
      parkedQueue: queues[row.connection]?.parked,
      ...(journey ? { journal: { state, openSinceMs, document, steps } } : {}),
    });
    return;
  }
  const queue = queues[row.connection]?.parked;
  const about = { language: options.lang, nowMs: Date.now(), journey, queue };
  for (const line of rowWords(row, about)) say(line);
};

const ambiguous = (id: string, rows: readonly ParkedRow[]): string => {
  const ids = shortIds(rows);
  return [
    `"${id}" begins ${rows.length} ids; say more of it:`,
    ...rows.map(
      (row) => `  ${ids.get(row.id) ?? row.id}  ${row.connection}  ${orderWords(row)}  ${row.code}`,
    ),
  ].join('\n');
};

/** What a command is about, or undefined if it was only to be counted, which is done then. */
const chosenFor = async (
  verb: 'redrive' | 'discard',
  ids: readonly string[],
  options: ActOptions,
): Promise<{ desk: Desk; rows: readonly WaitingRow[]; remaining: number; who: ActionOf } | undefined> => {
  if (ids.length > 0 === Boolean(options.all)) {
    throw new Error(
      `say which messages: ids (their beginning is enough, see waybill parked list), or --all, which --connection and --code narrow`,
    );
  }
  if (options.yes && !options.why?.trim()) {
    throw new Error('say why: --why TEXT; it is kept with the message, and so is --by');
  }
  const desk = await openDesk(options);
  const { rows } = await waiting(desk, options);
  const choice = choose(rows, options.all ? 'all' : ids, options.max);
  if (choice.kind === 'ambiguous') throw new Error(ambiguous(choice.id, choice.rows));
  if (choice.kind === 'unknown') throw new Error(await whyUnknown(desk, choice.id, options));
  const { rows: chosen, remaining } = choice;
  if (options.yes) return { desk, rows: chosen, remaining, who: { by: options.by, why: options.why ?? '' } };
  const counts = countOf(chosen);
  if (options.json) {
    sayJson({ dryRun: true, [verb]: chosen.length, remaining, counts });
    return undefined;
  }
  if (chosen.length === 0) {
    say('nothing of that is parked');
    return undefined;
  }
  say(`dry run: nothing was moved or deleted. ${verb} would take ${countWords(chosen.length)}:`);
  for (const line of planWords(counts)) say(line);
  if (remaining > 0) say(`${countWords(remaining)} would remain (--max ${options.max})`);
  say(`to do it, add: --yes --why "…"`);
  return undefined;
};

/** It may have waited once. */
const whyUnknown = async (
  { ports, queues, target }: Desk,
  id: string,
  { connection, code }: FilterOptions,
): Promise<string> => {
  const rows = (await Promise.all(Object.keys(queues).map((one) => ports.rows.find(one, id)))).flat();
  const [row] = rows;
  if (!row) return `${target.name} has no parked message "${id}"; see: waybill parked list`;
  if (row.state === 'parked') {
    const filter = [connection && `--connection ${connection}`, code && `--code ${code}`].filter(Boolean);
    return `"${id}" is parked at ${row.connection} with code ${row.code}, which ${filter.join(' ')} leaves out`;
  }
  return `"${id}" does not wait any more: it was ${row.state} already; see: waybill parked show ${id}`;
};

const DEEDS: Readonly<Record<Done['deed'], string>> = {
  redriven: 'moved back to its queue',
  discarded: 'discarded',
  finished: 'was moved before, by a command that was interrupted; closed now',
  closed: 'somebody else was faster: it does not wait any more',
  missing:
    'its message is not in the parked queue: another command holds it (try again in some minutes), or SQS has deleted it and the journal does not know the order (send it again from the shop, then discard)',
};

const DONE: readonly Done['deed'][] = ['redriven', 'discarded', 'finished'];

const redriveCommand = async (ids: string[], options: RedriveOptions): Promise<void> => {
  const chosen = await chosenFor('redrive', ids, options);
  if (!chosen) return;
  const { desk, rows, remaining, who } = chosen;
  const tell = teller(rows, options);
  const done: Done[] = [];
  for await (const one of redrive(desk.ports, rows, who, options)) {
    done.push(one);
    tell(one.row, DEEDS[one.deed]);
  }
  const moved = done.filter(({ deed }) => deed === 'redriven').map(({ row }) => row);
  tellRest(options, moved.length, 'redriven', remaining);
  const answers = new Map<string, ReturnType<typeof verdictOf>>();
  if (options.wait !== false && moved.length > 0) {
    if (!options.json) say(`waiting up to ${options.wait} s for what becomes of them`);
    for await (const { row, verdict } of verdicts(desk.ports, moved, { waitMs: options.wait * 1000 })) {
      answers.set(row.id, verdict);
      tell(row, verdictWords(verdict));
    }
  }
  if (options.json) {
    const messages = done.map((one) => ({ ...jsonOfDone(one), verdict: answers.get(one.row.id) }));
    sayJson({ dryRun: false, redriven: moved.length, remaining, messages });
  }
  const isParkedAgain = [...answers.values()].some(({ kind }) => kind === 'parked-again');
  if (isParkedAgain || done.some(({ deed }) => !DONE.includes(deed))) process.exitCode = 1;
};

const discardCommand = async (ids: string[], options: ActOptions): Promise<void> => {
  const chosen = await chosenFor('discard', ids, options);
  if (!chosen) return;
  const { desk, rows, remaining, who } = chosen;
  const tell = teller(rows, options);
  const done: Done[] = [];
  for await (const one of discard(desk.ports, rows, who)) {
    done.push(one);
    tell(one.row, DEEDS[one.deed]);
  }
  const discarded = done.filter(({ deed }) => deed === 'discarded').length;
  tellRest(options, discarded, 'discarded', remaining);
  if (options.json) sayJson({ dryRun: false, discarded, remaining, messages: done.map(jsonOfDone) });
  if (done.some(({ deed }) => !DONE.includes(deed))) process.exitCode = 1;
};

const teller = (rows: readonly ParkedRow[], { json }: ActOptions) => {
  const ids = shortIds(rows);
  return (row: ParkedRow, words: string): void => {
    if (!json) say(`  ${ids.get(row.id) ?? row.id}  ${orderWords(row)}  ${words}`);
  };
};

const tellRest = ({ json, max }: ActOptions, n: number, what: string, remaining: number): void => {
  if (!json)
    say(
      `${countWords(n)} ${what}, ${remaining} remain${remaining > 0 ? ` (--max ${max}): run it again` : ''}`,
    );
};

const jsonOfDone = ({ row: { connection, id, code, source, orderId, orderNumber }, deed }: Done) => ({
  ...{ connection, id, code, source, orderId, orderNumber },
  deed,
});
