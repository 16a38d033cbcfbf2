import { describe, expect, it, vi } from 'vitest';
import {
  checkScheduleExpression,
  cronPattern,
  nextRunMs,
  rateMs,
  startSchedule,
} from '../../../infra/local/schedule.ts';

const at = (iso: string) => new Date(iso).getTime();

describe('cron(), as the EventBridge user guide gives examples', () => {
  // 2026-08-05 is a Wednesday.
  it.each([
    ['cron(0 10 * * ? *)', '2026-08-05T11:00:00Z', '2026-08-06T10:00:00.000Z'],
    ['cron(15 12 * * ? *)', '2026-08-05T11:00:00Z', '2026-08-05T12:15:00.000Z'],
    ['cron(0 18 ? * MON-FRI *)', '2026-08-07T19:00:00Z', '2026-08-10T18:00:00.000Z'],
    ['cron(0 8 1 * ? *)', '2026-08-05T11:00:00Z', '2026-09-01T08:00:00.000Z'],
    ['cron(0/15 * * * ? *)', '2026-08-05T11:01:00Z', '2026-08-05T11:15:00.000Z'],
    ['cron(0/5 8-17 ? * MON-FRI *)', '2026-08-05T17:56:00Z', '2026-08-06T08:00:00.000Z'],
    ['cron(0 9 ? * 2#1 *)', '2026-08-05T11:00:00Z', '2026-09-07T09:00:00.000Z'],
    ['cron(0 9 ? * 1 *)', '2026-08-05T11:00:00Z', '2026-08-09T09:00:00.000Z'],
    ['cron(0 9 ? * 6L *)', '2026-08-05T11:00:00Z', '2026-08-28T09:00:00.000Z'],
    ['cron(0 9 L * ? *)', '2026-08-05T11:00:00Z', '2026-08-31T09:00:00.000Z'],
    ['cron(0 9 1 1 ? 2028)', '2026-08-05T11:00:00Z', '2028-01-01T09:00:00.000Z'],
  ])('%s after %s', (expression, after, expected) => {
    expect(new Date(nextRunMs(expression, at(after)) ?? 0).toISOString()).toBe(expected);
  });

  it('runs in the time zone of the schedule', () => {
    const next = nextRunMs('cron(0 7 * * ? *)', at('2026-08-05T00:00:00Z'), 'Asia/Taipei');
    expect(new Date(next ?? 0).toISOString()).toBe('2026-08-05T23:00:00.000Z');
  });

  it.each([
    ['cron(0 10 * * *)', 'six fields'],
    ['cron(0 10 * * * *)', 'must be ?'],
    ['cron(0 10 ? * ? *)', 'must be ?'],
    ['cron(0 10 ? * 8 *)', 'weekday 8'],
    ['cron(99 10 * * ? *)', 'cron(99 10 * * ? *)'],
    ['rate(0 minutes)', 'neither'],
    ['rate(5 seconds)', 'neither'],
    ['rate(1 minutes)', 'singular'],
    ['rate(5 minute)', 'singular'],
    ['rate(30 days)', '24 days'],
    ['every day', 'neither'],
  ])('refuses %s', (expression, message) => {
    expect(() => checkScheduleExpression(expression)).toThrow(message);
  });

  it('moves weekdays from 1-7 to 0-6', () => {
    expect(cronPattern('cron(0 0 ? * 1,7 *)')).toBe('0 0 0 * * 0,6 *');
    expect(cronPattern('cron(0 0 ? * 2-6 *)')).toBe('0 0 0 * * 1-5 *');
  });
});

describe('rate()', () => {
  it.each([
    ['rate(1 minute)', 60_000],
    ['rate(5 minutes)', 300_000],
    ['rate(1 hour)', 3_600_000],
    ['rate(2 days)', 172_800_000],
  ])('%s', (expression, expected) => {
    expect(rateMs(expression)).toBe(expected);
  });

  it('runs first after one period, until it is cancelled', () => {
    vi.useFakeTimers();
    try {
      const run = vi.fn();
      const cancel = startSchedule('rate(5 minutes)', run);
      vi.advanceTimersByTime(299_999);
      expect(run).toHaveBeenCalledTimes(0);
      vi.advanceTimersByTime(300_001);
      expect(run).toHaveBeenCalledTimes(2);
      cancel();
      vi.advanceTimersByTime(3_600_000);
      expect(run).toHaveBeenCalledTimes(2);
    } finally {
      vi.useRealTimers();
    }
  });
});
