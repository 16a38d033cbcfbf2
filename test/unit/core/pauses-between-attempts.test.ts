import { expect, it } from 'vitest';
import { BusyError, PermanentError, RetryableError } from '../../../shared/core/errors.ts';
import { orderDesk } from '../../fakes/order-desk.ts';
import { anOrder } from '../../fakes/orders.ts';

const MINUTE_MS = 60_000;
const waiting = { timeScale: 1, random: () => 0.5 };
const down = () => {
  throw new RetryableError('DOWN', '503');
};
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing failed',
    (error: unknown) => error,
  );

/** Copies of one order in a queue, each received again when its time has come, until the first is parked. */
const untilParked = async (copies: number, over: Record<string, unknown> = {}) => {
  const desk = orderDesk();
  desk.fails.find = down;
  const startMs = desk.ports.nowMs();
  const due = Array.from({ length: copies }, () => startMs);
  for (;;) {
    const copy = due.indexOf(Math.min(...due));
    desk.wait(Math.max(0, (due[copy] ?? 0) - desk.ports.nowMs()));
    const error = await failureOf(desk.push(anOrder(), { ...waiting, ...over }));
    if (error instanceof PermanentError) break;
    const now = desk.ports.nowMs();
    due[copy] =
      error instanceof BusyError
        ? error.leaseUntilMs
        : now + ((error as RetryableError).waitMs ?? Number.NaN);
  }
  const calls = desk.calls.filter((name) => name === 'find').length;
  return { calls, minutes: (desk.ports.nowMs() - startMs) / MINUTE_MS };
};

it.each([1, 2, 3])('eight attempts of %d copies last two and a half hours', async (copies) => {
  expect(await untilParked(copies)).toEqual({ calls: 8, minutes: 156 + 1 / 6 });
});

it('waits as long as the peer asks for, whichever copy comes', async () => {
  const desk = orderDesk();
  desk.fails.find = () => {
    throw new RetryableError('THROTTLED', '429', { retryAfterMs: 100 * MINUTE_MS });
  };
  expect(await failureOf(desk.push(anOrder(), waiting))).toMatchObject({ waitMs: 100 * MINUTE_MS });
  desk.wait(100 * MINUTE_MS - 1);
  expect(await failureOf(desk.push(anOrder(), waiting))).toBeInstanceOf(BusyError);
  delete desk.fails.find;
  desk.wait(1);
  expect(await desk.push(anOrder(), waiting)).toMatchObject({ kind: 'written', attempt: 2 });
});

it('lets a newer version wait, too: it is the same document at the same peer', async () => {
  const desk = orderDesk();
  desk.fails.find = down;
  await failureOf(desk.push(anOrder(), waiting));
  const { sourceVersion } = anOrder();
  const newer = anOrder({ sourceVersion: sourceVersion + 1000, contentHash: 'newer' });
  expect(await failureOf(desk.push(newer, waiting))).toMatchObject({
    leaseUntilMs: desk.ports.nowMs() + 10_000,
  });
});

it('does not hold up a cancellation that asks for nothing', async () => {
  const desk = orderDesk();
  desk.fails.create = down;
  await failureOf(desk.push(anOrder(), waiting));
  const { sourceVersion } = anOrder();
  const cancelled = anOrder({ sourceVersion: sourceVersion + 1000, contentHash: 'c', status: 'cancelled' });
  expect(await desk.push(cancelled, waiting)).toMatchObject({ reason: 'CANCELLED_BEFORE_WRITTEN' });
});

it('tries at once what a person has sent again, though another copy has only just failed', async () => {
  const desk = orderDesk();
  desk.fails.find = down;
  await failureOf(desk.push(anOrder(), waiting));
  delete desk.fails.find;
  expect(await failureOf(desk.push(anOrder(), waiting))).toBeInstanceOf(BusyError);
  expect(await desk.push(anOrder(), { ...waiting, isUrgent: true })).toMatchObject({ kind: 'written' });
});

it('begins anew when it was parked: its redrive finds nothing at rest', async () => {
  const desk = orderDesk();
  desk.fails.resolve = () => {
    throw new PermanentError('UNKNOWN_SKU', {
      sku: 'TEA',
      line: { kind: 'line', number: 1, title: 'Tea' },
      destination: 'acme-odoo',
    });
  };
  expect(await failureOf(desk.push(anOrder(), waiting))).toBeInstanceOf(PermanentError);
  delete desk.fails.resolve;
  expect(await desk.push(anOrder(), waiting)).toMatchObject({ kind: 'written' });
});
