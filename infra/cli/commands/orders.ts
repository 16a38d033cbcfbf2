import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { dynamoDb } from '../../../shared/aws/clients.ts';
import { invokeFunction } from '../../../shared/aws/lambda-api.ts';
import { lostSinceMs } from '../../../shared/core/check-orders.ts';
import {
  CheckAnswer,
  type CheckRequest,
  type MissingOrder,
  RepairAnswer,
} from '../../../shared/core/check-request.ts';
import { hint } from '../../problems.ts';
import { openTarget, type Target, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';
import { aligned, timeWords } from './parked-words.ts';

interface RepairOptions extends TargetOptions {
  readonly erp?: string;
  readonly days: number;
  readonly max: number;
  readonly yes?: boolean;
  readonly by: string;
  readonly why?: string;
  readonly json?: boolean;
}

export const addOrdersCommands = (program: Command): void => {
  const orders = program.command('orders').description('orders that were written');
  onTarget(orders.command('repair'))
    .description(
      'orders that the ERP has forgotten (restored from a backup): list them; with --yes write them again',
    )
    .option('--erp <connection>', 'only this one')
    .option('--days <n>', 'written within so many days', wholeNumber(1, 400), 3)
    .option('--max <n>', 'write no more than so many again, the newest first', wholeNumber(1, 100_000), 1_000)
    .option('--yes', 'write them again, instead of only listing them')
    .option('--by <name>', 'who: kept with the order', userInfo().username)
    .option('--why <text>', 'why: kept with the order; needed with --yes')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      '\nEach order is looked for once more before it is written, so this may be run as often as you like. It ends with 1 when something is missing, or could not be sent.',
    )
    .action(repair);
};

const wholeNumber = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (text.trim() && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed`);
};

const DAY_MS = 24 * 60 * 60_000;
/** One call of the function: an invocation waits for its answer for half a minute. */
const LOOK_MS = 15_000;
const REPAIRED_AT_ONCE = 5;

/** One that is missing, and at which ERP. */
export interface Missing {
  readonly erp: string;
  readonly order: MissingOrder;
}
export interface Repaired extends Missing {
  readonly deed: RepairAnswer['deeds'][number]['deed'];
  readonly code?: string | undefined;
}
/** Calls the function that checks an ERP. */
export type Call = (erp: string, request: CheckRequest) => Promise<unknown>;

const repair = async (options: RepairOptions): Promise<void> => {
  const { yes, by, why, json, days, max } = options;
  if (yes && !why?.trim()) throw new Error('say why, for the record: --why "…"');
  const target = await openTarget(options);
  const call = await callerOf(target);
  const found = await lookFor(call, erpsOf(target, options.erp), Date.now() - days * DAY_MS);
  const { missing } = found;
  const deeds = yes && why ? await repairAll(call, missing.slice(0, max), { by, why }) : [];
  if (json) sayJson({ ...found, deeds });
  else for (const line of repairWords(found, yes ? deeds : undefined, target.flag)) say(line);
  const isLeft = yes
    ? deeds.length < missing.length || deeds.some(({ deed }) => !ENDED.includes(deed))
    : missing.length > 0;
  if (isLeft) process.exitCode = 1;
};

const ENDED: readonly Repaired['deed'][] = ['sent', 'there'];

const erpsOf = ({ erps, name }: Target, wanted: string | undefined): readonly string[] => {
  if (wanted === undefined) return erps;
  if (!erps.includes(wanted)) throw new Error(`${name} has no ERP "${wanted}"; ${hint(wanted, erps)}`);
  return [wanted];
};

const callerOf = async (target: Target): Promise<Call> => {
  const functions = await target.functions();
  return (erp, request) => {
    const name = functions[erp]?.check;
    if (!name) throw new Error(`${target.name} has no function that checks ${erp}: deploy it again`);
    return invokeFunction(dynamoDb(), name, request);
  };
};

export interface Found {
  readonly looked: number;
  readonly missing: readonly Missing[];
  /** They are there, and were changed after the ERP got the oldest that it misses. */
  readonly outdated: readonly Missing[];
}

/** All that the ERPs do not have, call by call: thousands of look-ups take longer than one call may. */
export const lookFor = async (call: Call, erps: readonly string[], sinceMs: number): Promise<Found> => {
  const missing = new Map<string, Missing>();
  const outdated = new Map<string, Missing>();
  let looked = 0;
  for (const erp of erps) {
    let beforeMs: number | undefined;
    do {
      const request = {
        action: 'check',
        sinceMs,
        budgetMs: LOOK_MS,
        ...(beforeMs ? { beforeMs } : {}),
      } as const;
      const answer = understood(CheckAnswer.safeParse(await call(erp, request)), erp);
      looked += answer.looked;
      // Where one call stops and the next begins, orders of one millisecond are told twice.
      for (const order of answer.missing) missing.set(keyOf(erp, order), { erp, order });
      for (const order of answer.outdated) outdated.set(keyOf(erp, order), { erp, order });
      if (answer.leftBeforeMs === beforeMs && beforeMs !== undefined) {
        throw new Error(`${erp} answers too slowly to be asked for its orders`);
      }
      beforeMs = answer.leftBeforeMs;
    } while (beforeMs !== undefined);
  }
  const lost = [...missing.values()];
  // Only now is it known from when on something is missing.
  const isSince = ({ erp, order }: Missing) =>
    order.atMs >= lostSinceMs(lost.filter((one) => one.erp === erp).map((one) => one.order));
  return { looked, missing: lost, outdated: [...outdated.values()].filter(isSince) };
};

const keyOf = (erp: string, { source, orderId }: MissingOrder): string =>
  JSON.stringify([erp, source, orderId]);

export const repairAll = async (
  call: Call,
  missing: readonly Missing[],
  who: { readonly by: string; readonly why: string },
): Promise<Repaired[]> => {
  const repaired: Repaired[] = [];
  for (const erp of new Set(missing.map((one) => one.erp))) {
    const orders = missing.filter((one) => one.erp === erp).map(({ order }) => order);
    for (let from = 0; from < orders.length; from += REPAIRED_AT_ONCE) {
      const batch = orders.slice(from, from + REPAIRED_AT_ONCE);
      const answer = await call(erp, { action: 'repair', ...who, orders: batch });
      const { deeds } = understood(RepairAnswer.safeParse(answer), erp);
      for (const [index, order] of batch.entries()) {
        const { deed = 'failed', code } = deeds[index] ?? {};
        repaired.push({ erp, order, deed, code });
      }
    }
  }
  return repaired;
};

/** The function's own line, when it failed: a code, and the reason. */
const understood = <T>(
  parsed: { success: true; data: T } | { success: false; error: unknown },
  erp: string,
): T => {
  if (parsed.success) return parsed.data;
  throw new Error(`${erp} could not be asked for its orders; the log of its function check-orders says why`);
};

const DEEDS: Readonly<Record<Repaired['deed'], string>> = {
  sent: 'on its way to the ERP again',
  there: 'the ERP has it after all',
  busy: 'another worker is at it: look again in some minutes',
  changed: 'something happened to it meanwhile: look again',
  'no-snapshot': 'nothing holds what it said any more: save it once in the shop',
  failed: 'not sent; it can be repaired later',
};

/** @param deeds undefined: nothing was asked to be done */
export const repairWords = (
  { looked, missing, outdated }: Found,
  deeds: readonly Repaired[] | undefined,
  flag: string,
): string[] => {
  const nameOf = ({ order }: Missing) => order.document?.name ?? order.document?.id ?? '';
  const rows = (deeds ?? missing).map((one) => [
    one.erp,
    `${one.order.source}:${one.order.orderId}`,
    nameOf(one),
    timeWords(one.order.atMs),
    ...('deed' in one
      ? [`${DEEDS[(one as Repaired).deed]}${(one as Repaired).code ? ` (${(one as Repaired).code})` : ''}`]
      : []),
  ]);
  const found = `${looked} orders looked for, ${missing.length} missing`;
  if (missing.length === 0) return [found];
  const doubtful = outdated.map((one) => [
    one.erp,
    `${one.order.source}:${one.order.orderId}`,
    nameOf(one),
    timeWords(one.order.atMs),
    'is there, and may lack its last change: compare it with the shop',
  ]);
  if (!deeds)
    return [
      ...aligned(rows),
      ...aligned(doubtful),
      `${found}; write them again: waybill orders repair ${flag} --yes --why "…"`,
    ];
  const sent = deeds.filter(({ deed }) => deed === 'sent').length;
  const left = missing.length - deeds.length;
  return [
    ...aligned(rows),
    ...aligned(doubtful),
    `${found}; ${sent} sent again${left > 0 ? `, ${left} left (--max)` : ''}`,
  ];
};
