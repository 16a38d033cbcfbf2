import { userInfo } from 'node:os';
import type { Command } from 'commander';
import * as z from 'zod';
import { dynamoDb, sqs } from '../../../shared/aws/clients.ts';
import { invokeFunction } from '../../../shared/aws/lambda-api.ts';
import { sqsParkedMessages } from '../../../shared/aws/sqs-parked-messages.ts';
import { type HeldMessage, throughAll } from '../../../shared/core/redrive.ts';
import { DEALT_WITH, type ReplayAnswer, type ReplayRequest } from '../../../shared/core/replay-delivery.ts';
import { openTarget, type Target, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';
import { ageWords, aligned, countWords, shortIds, timeWords } from './parked-words.ts';

interface FilterOptions extends TargetOptions {
  readonly connection?: string;
  readonly json?: boolean;
}
interface ReplayOptions extends FilterOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly by: string;
  readonly why?: string;
}

/** A delivery that was authentic and not understood. */
interface Kept {
  readonly id: string;
  readonly delivery: Delivery;
}
type Delivery = z.infer<typeof Delivery>;
const Delivery = z.looseObject({
  connection: z.string(),
  connector: z.string(),
  reason: z.string(),
  receivedAtMs: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.base64(),
});

/** Looking hides them for so long at most; they are put back at once. */
const LOOK_MS = 30_000;
/** A webhook function answers within 15 s, mostly within one. Should it take longer, one is perhaps taken twice. */
const REPLAY_MS = 15 * 60_000;

export const addQuarantineCommands = (program: Command): void => {
  const quarantine = program
    .command('quarantine')
    .description('deliveries that were authentic and not understood, raw: look at them, take them once more')
    .showHelpAfterError('(waybill quarantine --help lists what there is)');
  const filtered = (command: Command): Command =>
    onTarget(command).option('--connection <id>', 'only of this storefront').option('--json', 'as JSON');
  filtered(quarantine.command('list', { isDefault: true }))
    .description('what is kept, since when, and what was not understood (also without "list")')
    .action(list);
  filtered(quarantine.command('show <id>'))
    .description('one delivery whole: headers and body (personal data), as it came')
    .action(show);
  filtered(quarantine.command('replay [ids...]'))
    .description('take deliveries once more, with the release of today; counts only, without --yes')
    .option('--all', 'all that --connection leaves')
    .option('--yes', 'do it')
    .option('--by <name>', 'who: kept in the log', userInfo().username)
    .option('--why <text>', 'why: kept in the log')
    .action(replay);
};

const list = async (options: FilterOptions): Promise<void> => {
  const kept = await lookAt(await openTarget(options), options);
  if (options.json) {
    return sayJson(
      kept.map(({ id, delivery: { connection, reason, receivedAtMs } }) => ({
        id,
        connection,
        reason,
        receivedAtMs,
      })),
    );
  }
  if (kept.length === 0) return say('nothing is in quarantine');
  const ids = shortIds(kept);
  const cells = kept.map(({ id, delivery: { connection, reason, receivedAtMs } }) => [
    ids.get(id) ?? id,
    connection,
    `${timeWords(receivedAtMs)} (${ageWords(Date.now() - receivedAtMs)})`,
    reason,
  ]);
  for (const line of aligned(cells)) say(line);
};

const show = async (id: string, options: FilterOptions): Promise<void> => {
  const [kept] = choose(await lookAt(await openTarget(options), options), [id]);
  if (!kept) return;
  const { delivery } = kept;
  const body = Buffer.from(delivery.body, 'base64').toString('utf8');
  if (options.json) return sayJson({ ...delivery, body });
  say(`connection  ${delivery.connection}`);
  say(`came        ${timeWords(delivery.receivedAtMs)}`);
  say(`reason      ${delivery.reason}`);
  for (const [name, value] of Object.entries(delivery.headers)) say(`${name}: ${value}`);
  say('');
  say(body);
};

const replay = async (ids: string[], options: ReplayOptions): Promise<void> => {
  if (ids.length > 0 === Boolean(options.all)) {
    throw new Error('say which: ids (their beginning is enough, see waybill quarantine list), or --all');
  }
  const why = options.why?.trim() ?? '';
  if (options.yes && why === '') {
    throw new Error('say why: --why TEXT; it is kept in the log, and so is --by');
  }
  const target = await openTarget(options);
  const kept = await lookAt(target, options);
  const chosen = options.all ? kept : choose(kept, ids);
  if (!options.yes) {
    if (options.json) return sayJson({ dryRun: true, replay: chosen.length });
    say(`dry run: nothing was taken. replay would take ${countWords(chosen.length)}`);
    if (chosen.length > 0) say('to do it, add: --yes --why "…"');
    return;
  }
  const short = shortIds(kept);
  const answers: Answered[] = [];
  for await (const answer of replayed(target, chosen, { by: options.by, why })) {
    answers.push(answer);
    if (options.json) continue;
    const { id, connection, status, reason } = answer;
    const verdict = DEALT_WITH.includes(status) ? status : `${status}: it stays in quarantine`;
    say(`${short.get(id) ?? id}  ${connection}  ${verdict}${reason ? ` (${reason})` : ''}`);
  }
  if (options.json) sayJson({ dryRun: false, answers });
  else say(`${countWords(answers.length)} taken once more`);
  const isLeft = answers.length < chosen.length || answers.some(({ status }) => !DEALT_WITH.includes(status));
  if (isLeft) process.exitCode = 1;
};

interface Answered extends ReplayAnswer {
  readonly id: string;
  readonly connection: string;
}

/**
 * One after another: taken, then deleted if it was understood. Killed in between, it comes back, and is recognised when it
 * is taken again.
 */
async function* replayed(
  target: Target,
  chosen: readonly Kept[],
  who: { readonly by: string; readonly why: string },
): AsyncGenerator<Answered> {
  const functions = await target.functions();
  const messages = queueOf(target);
  const left = new Map(chosen.map((kept) => [kept.id, kept.delivery]));
  const gone = new Set<HeldMessage>();
  if (left.size === 0) return;
  for await (const message of throughAll(messages, REPLAY_MS, gone)) {
    const delivery = left.get(message.messageId);
    if (!delivery) continue;
    left.delete(message.messageId);
    const answer = await replayOne(functions[delivery.connection]?.webhook, delivery, who);
    if (DEALT_WITH.includes(answer.status)) {
      await messages.delete(message);
      gone.add(message);
    }
    yield { id: message.messageId, connection: delivery.connection, ...answer };
    if (left.size === 0) return;
  }
}

const replayOne = async (
  webhook: string | undefined,
  delivery: Delivery,
  who: { readonly by: string; readonly why: string },
): Promise<ReplayAnswer> => {
  if (!webhook) return { status: 'unavailable', reason: 'the stage has no such connection any more' };
  const request: ReplayRequest = { replay: { delivery, ...who } };
  const answer = Result.safeParse(await invokeFunction(dynamoDb(), webhook, request));
  return answer.success
    ? answer.data.body
    : { status: 'unavailable', reason: 'the function answered otherwise: deploy this release first' };
};

const Result = z.object({
  body: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.object({ status: z.string(), reason: z.string().optional() })),
});

/** The quarantine has no queue behind it: nothing is ever sent there from here. */
const queueOf = ({ quarantineQueue }: Target) =>
  sqsParkedMessages(sqs(), { queue: quarantineQueue, parked: quarantineQueue });

/** All that is kept, oldest first. */
const lookAt = async (target: Target, { connection }: FilterOptions): Promise<Kept[]> => {
  const kept: Kept[] = [];
  for await (const { messageId, body } of throughAll(queueOf(target), LOOK_MS, new Set())) {
    const delivery = Delivery.parse(JSON.parse(body));
    if (!connection || connection === delivery.connection) kept.push({ id: messageId, delivery });
  }
  return kept.sort((a, b) => a.delivery.receivedAtMs - b.delivery.receivedAtMs);
};

/** @throws Error an id that none, or more than one, begins with */
const choose = (kept: readonly Kept[], ids: readonly string[]): Kept[] => {
  const chosen = ids.map((id) => {
    const [found, ...others] = kept.filter((one) => one.id.startsWith(id));
    if (!found) throw new Error(`nothing in quarantine is called "${id}"; see: waybill quarantine list`);
    if (others.length > 0)
      throw new Error(`"${id}" is the beginning of ${others.length + 1} ids: say more of it`);
    return found;
  });
  return [...new Set(chosen)];
};
