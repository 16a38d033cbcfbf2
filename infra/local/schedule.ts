import { Cron } from 'croner';

/** A schedule that EventBridge would refuse, or a field that is not known here. */
export class ScheduleError extends Error {
  constructor(expression: string, problem: string) {
    super(`schedule ${expression}: ${problem}`);
    this.name = 'ScheduleError';
  }
}

/** Longer timers of Node fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** AWS counts weekdays 1-7 from Sunday, croner 0-6; AWS writes the last Friday 6L, croner 5#L. */
const weekdays = (field: string): string =>
  field.replace(/(\d)(L)?(#\d)?/g, (_whole, day: string, last?: string, nth?: string) => {
    if (Number(day) < 1 || Number(day) > 7) throw new Error(`weekday ${day} is not in 1-7`);
    return `${Number(day) - 1}${last ? '#L' : (nth ?? '')}`;
  });

/** AWS's `5/15` is every fifteenth from the fifth; croner wants the end of the range too. */
const steps = (field: string | undefined, last: number): string =>
  (field ?? '').replace(
    /(^|,)(\d+)\//g,
    (_whole, before: string, first: string) => `${before}${first}-${last}/`,
  );

/**
 * croner's pattern for AWS's six fields (minutes, hours, day of month, month, day of week, year).
 * @throws ScheduleError not six fields, or not exactly one of day of month and day of week is `?`
 */
export const cronPattern = (expression: string): string => {
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/) ?? [];
  const [minutes, hours, dayOfMonth, month, dayOfWeek, year] = fields;
  if (fields.length !== 6 || !dayOfWeek)
    throw new ScheduleError(expression, 'cron() needs six fields: minutes hours day month weekday year');
  if ((dayOfMonth === '?') === (dayOfWeek === '?'))
    throw new ScheduleError(expression, 'one of day of month and day of week must be ?, the other not');
  const any = (field: string) => (field === '?' ? '*' : field);
  try {
    const week = /^[\d,#L-]+$/.test(dayOfWeek) ? weekdays(dayOfWeek) : any(dayOfWeek);
    const days = any(steps(dayOfMonth, 31));
    return `0 ${steps(minutes, 59)} ${steps(hours, 23)} ${days} ${steps(month, 12)} ${week} ${year}`;
  } catch (error) {
    throw new ScheduleError(expression, error instanceof Error ? error.message : String(error));
  }
};

/** Milliseconds between two runs of `rate(5 minutes)`. @throws ScheduleError */
export const rateMs = (expression: string): number => {
  const [, count, unit, plural] = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  if (!unitMs || Number(count) < 1) throw new ScheduleError(expression, 'neither rate(…) nor cron(…)');
  if ((Number(count) === 1) !== (plural === ''))
    throw new ScheduleError(expression, 'a value of 1 needs the singular, others the plural');
  const periodMs = Number(count) * unitMs;
  if (periodMs > LONGEST_TIMER_MS) throw new ScheduleError(expression, 'more than 24 days: use cron()');
  return periodMs;
};

const cron = (expression: string, timeZone: string, run?: () => void): Cron => {
  try {
    const options = { timezone: timeZone, mode: '7-part' as const, unref: true, paused: !run };
    return new Cron(cronPattern(expression), options, run);
  } catch (error) {
    if (error instanceof ScheduleError) throw error;
    throw new ScheduleError(expression, error instanceof Error ? error.message : String(error));
  }
};

/** @throws ScheduleError an expression that cannot run here */
export const checkScheduleExpression = (expression: string, timeZone = 'UTC'): void => {
  if (expression.startsWith('cron(')) cron(expression, timeZone).stop();
  else rateMs(expression);
};

/** First time after `afterMs` at which a cron() expression is due, in epoch milliseconds. */
export const nextRunMs = (expression: string, afterMs: number, timeZone = 'UTC'): number | undefined =>
  cron(expression, timeZone).nextRun(new Date(afterMs))?.getTime();

/**
 * Calls `run` on schedule until the returned function is called. The timer does not keep the process alive.
 * The first run of a rate() is one period after the start, as after a deployment.
 */
export const startSchedule = (expression: string, run: () => void, timeZone = 'UTC'): (() => void) => {
  if (expression.startsWith('cron(')) {
    const job = cron(expression, timeZone, run);
    return () => job.stop();
  }
  const timer = setInterval(run, rateMs(expression));
  timer.unref();
  return () => clearInterval(timer);
};
