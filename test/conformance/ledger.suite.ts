import { beforeEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../shared/core/errors.ts';
import type { Claim, Ledger, ReleaseOptions } from '../../shared/core/ledger.ts';
import type { Clock } from '../../shared/core/ports.ts';

const LEASE_MS = 60_000;
const DOCUMENT = { id: '42', name: 'S00042', url: 'https://erp.test/odoo/sales/42' };
const FACTS = { sourceVersion: 1_700_000_000_000, level: 'confirm', refunds: 0, commercialHash: 'ab#%"\n茶' };

/** What every ledger must do, wherever it is kept. */
export const ledgerSuite = (name: string, open: (nowMs: Clock) => Ledger): void => {
  describe(name, () => {
    let now: number;
    let ledger: Ledger;
    let intent: string;
    let tests = 0;

    beforeEach(() => {
      tests += 1;
      now = 1_700_000_000_000;
      intent = `acme-odoo#acme-woo#${tests}#create`;
      ledger = open(() => now);
    });

    const claim = () => ledger.claim(intent, LEASE_MS);
    const attemptOf = (claimed: Claim): number => {
      if (claimed.kind !== 'claimed') throw new Error(`not claimed but ${claimed.kind}`);
      return claimed.entry.attempt;
    };
    const expectFenced = async (call: Promise<void>) => {
      const error: unknown = await call.catch((e: unknown) => e);
      expect(error).toBeInstanceOf(RetryableError);
      expect(error).toMatchObject({ code: 'FENCED', message: 'another worker has taken over' });
    };

    it('knows nothing of an intent that nobody claimed', async () => {
      expect(await ledger.peek(intent)).toBeUndefined();
    });

    it('gives the lease to the first, and tells others until when', async () => {
      expect(await claim()).toEqual({
        kind: 'claimed',
        entry: {
          intent,
          state: 'open',
          attempt: 1,
          failures: 1,
          leaseUntilMs: 1_700_000_060_000,
          document: undefined,
          facts: {},
        },
      });
      now += LEASE_MS - 1;
      expect(await claim()).toEqual({ kind: 'busy', leaseUntilMs: 1_700_000_060_000 });
      expect(await ledger.peek(intent)).toMatchObject({ attempt: 1, failures: 1 });
    });

    it('gives it to the next when the lease has run out, to the millisecond', async () => {
      await claim();
      now += LEASE_MS;
      expect(await claim()).toMatchObject({
        kind: 'claimed',
        entry: { state: 'open', attempt: 2, failures: 2, leaseUntilMs: 1_700_000_120_000 },
      });
    });

    it('never gives out what is finished, however late', async () => {
      const attempt = attemptOf(await claim());
      await ledger.written(intent, attempt, DOCUMENT);
      await ledger.finish(intent, attempt, DOCUMENT, FACTS);
      now += 500 * 24 * 60 * 60 * 1000;
      const finished = {
        intent,
        state: 'finished',
        attempt: 1,
        failures: 0,
        leaseUntilMs: 0,
        document: DOCUMENT,
        facts: FACTS,
      };
      expect(await claim()).toEqual({ kind: 'finished', entry: finished });
      expect(await ledger.peek(intent)).toEqual(finished);
    });

    it('opens again what is finished, for one worker at a time, and forgets nothing when that one dies', async () => {
      const reopen = () => ledger.claim(intent, LEASE_MS, { reopen: true });
      const first = attemptOf(await claim());
      await ledger.written(intent, first, DOCUMENT);
      await ledger.finish(intent, first, DOCUMENT, FACTS);
      expect(await reopen()).toMatchObject({
        kind: 'claimed',
        entry: { state: 'finished', attempt: 2, failures: 1, document: DOCUMENT, facts: FACTS },
      });
      expect(await reopen()).toEqual({ kind: 'busy', leaseUntilMs: now + LEASE_MS });
      // Nobody without that intention is kept waiting.
      expect(await claim()).toMatchObject({ kind: 'finished', entry: { facts: FACTS } });
      now += LEASE_MS;
      const again = await reopen();
      expect(again).toMatchObject({ kind: 'claimed', entry: { attempt: 3, failures: 2, facts: FACTS } });
      await expectFenced(ledger.finish(intent, 2, DOCUMENT, { level: 'draft' }));
      await ledger.finish(intent, attemptOf(again), DOCUMENT, { level: 'confirm' });
      expect(await ledger.peek(intent)).toMatchObject({ failures: 0, facts: { level: 'confirm' } });
    });

    it('opens what nobody has begun, too', async () => {
      expect(await ledger.claim(intent, LEASE_MS, { reopen: true })).toMatchObject({
        kind: 'claimed',
        entry: { state: 'open', attempt: 1, facts: {} },
      });
    });

    it('continues with the document that an earlier attempt wrote', async () => {
      await ledger.written(intent, attemptOf(await claim()), { id: '42' });
      expect(await ledger.peek(intent)).toMatchObject({
        state: 'written',
        document: { id: '42' },
        facts: {},
      });
      now += LEASE_MS;
      expect(await claim()).toMatchObject({
        kind: 'claimed',
        entry: { state: 'written', attempt: 2, document: { id: '42' } },
      });
    });

    it.each<[string, (attempt: number) => Promise<void>]>([
      ['written', (attempt) => ledger.written(intent, attempt, { id: 'late' })],
      ['finish', (attempt) => ledger.finish(intent, attempt, { id: 'late' }, FACTS)],
    ])('refuses %s from a worker that was overtaken', async (_what, call) => {
      const stalled = attemptOf(await claim());
      now += LEASE_MS;
      await claim();
      const before = await ledger.peek(intent);
      await expectFenced(call(stalled));
      expect(await ledger.peek(intent)).toEqual(before);
    });

    it.each([
      ['written', () => ledger.written(intent, 1, DOCUMENT)],
      ['finish', () => ledger.finish(intent, 1, DOCUMENT, FACTS)],
    ])('refuses %s of an intent that nobody claimed', async (_what, call) => {
      await expectFenced(call());
      expect(await ledger.peek(intent)).toBeUndefined();
    });

    it('keeps what a document is made of, and what is begun with it, for whoever claims next', async () => {
      const attempt = attemptOf(await claim());
      await ledger.written(intent, attempt, DOCUMENT, { begun: 'first' });
      expect(await ledger.peek(intent)).toMatchObject({ state: 'written', facts: { begun: 'first' } });
      await ledger.note(intent, attempt, FACTS);
      expect(await ledger.peek(intent)).toMatchObject({ state: 'written', document: DOCUMENT, facts: FACTS });
      await ledger.finish(intent, attempt, DOCUMENT, { level: 'draft' });
      const again = attemptOf(await ledger.claim(intent, LEASE_MS, { reopen: true }));
      await ledger.note(intent, again, FACTS);
      expect(await ledger.peek(intent)).toMatchObject({ state: 'finished', facts: FACTS });
    });

    it('notes nothing for a worker that was overtaken, or when it is over', async () => {
      const attempt = attemptOf(await claim());
      await ledger.finish(intent, attempt, DOCUMENT, FACTS);
      await expectFenced(ledger.note(intent, attempt, { begun: 'late' }));
      const again = attemptOf(await ledger.claim(intent, LEASE_MS, { reopen: true }));
      await expectFenced(ledger.note(intent, attempt, { begun: 'older' }));
      await ledger.release(intent, again, { keepLease: false, budget: 'spent' });
      await expectFenced(ledger.note(intent, again, { begun: 'released' }));
      expect(await ledger.peek(intent)).toMatchObject({ facts: FACTS });
    });

    it('ignores a release from a worker that was overtaken', async () => {
      const stalled = attemptOf(await claim());
      now += LEASE_MS;
      await claim();
      await ledger.release(intent, stalled, { keepLease: false, budget: 'renewed' });
      expect(await ledger.peek(intent)).toMatchObject({
        attempt: 2,
        failures: 2,
        leaseUntilMs: 1_700_000_120_000,
      });
    });

    it('ignores a release of an intent that nobody claimed', async () => {
      await ledger.release(intent, 1, { keepLease: false, budget: 'spent' });
      expect(await ledger.peek(intent)).toBeUndefined();
    });

    it('is not opened again by a write of its own that arrives late', async () => {
      const attempt = attemptOf(await claim());
      await ledger.written(intent, attempt, DOCUMENT);
      await ledger.finish(intent, attempt, DOCUMENT, FACTS);
      await expectFenced(ledger.written(intent, attempt, { id: 'first copy' }));
      expect(await ledger.peek(intent)).toMatchObject({ state: 'finished', document: DOCUMENT });
    });

    it('takes finish twice, as after a lost answer', async () => {
      const attempt = attemptOf(await claim());
      await ledger.finish(intent, attempt, DOCUMENT, FACTS);
      await ledger.finish(intent, attempt, DOCUMENT, FACTS);
      expect(await ledger.peek(intent)).toMatchObject({ state: 'finished', document: DOCUMENT });
    });

    it.each<ReleaseOptions & { failures: number; leaseUntilMs: number }>([
      { keepLease: false, budget: 'spent', failures: 2, leaseUntilMs: 0 },
      { keepLease: false, budget: 'unspent', failures: 1, leaseUntilMs: 0 },
      { keepLease: true, budget: 'unspent', failures: 1, leaseUntilMs: 1_700_000_120_000 },
      { keepLease: true, budget: 'spent', failures: 2, leaseUntilMs: 1_700_000_120_000 },
      { keepLease: false, budget: 'renewed', failures: 0, leaseUntilMs: 0 },
      { keepLease: true, budget: 'renewed', failures: 0, leaseUntilMs: 1_700_000_120_000 },
    ])('release %o', async ({ failures, leaseUntilMs, ...options }) => {
      await claim();
      now += LEASE_MS;
      await ledger.release(intent, attemptOf(await claim()), options);
      expect(await ledger.peek(intent)).toMatchObject({ state: 'open', attempt: 2, failures, leaseUntilMs });
    });

    it('rests after a failure for everybody, to the millisecond, and whoever comes then has a free hand', async () => {
      await ledger.release(intent, attemptOf(await claim()), {
        keepLease: false,
        budget: 'spent',
        restMs: 300_000,
      });
      expect(await ledger.peek(intent)).toMatchObject({ leaseUntilMs: 0, notBeforeMs: 1_700_000_300_000 });
      now += 299_999;
      expect(await claim()).toEqual({ kind: 'busy', leaseUntilMs: 1_700_000_300_000 });
      const reopened = await ledger.claim(intent, LEASE_MS, { reopen: true });
      expect(reopened).toEqual({ kind: 'busy', leaseUntilMs: 1_700_000_300_000 });
      now += 1;
      expect(await claim()).toMatchObject({ kind: 'claimed', entry: { failures: 2 } });
      expect((await ledger.peek(intent))?.notBeforeMs).toBeUndefined();
    });

    it('rests beyond a lease that is left to run out', async () => {
      await ledger.release(intent, attemptOf(await claim()), {
        keepLease: true,
        budget: 'spent',
        restMs: 300_000,
      });
      now += LEASE_MS;
      expect(await claim()).toEqual({ kind: 'busy', leaseUntilMs: 1_700_000_300_000 });
    });

    it('is tried at once when a person asks for it, and rests no longer; but is never taken from who holds it', async () => {
      const urgent = () => ledger.claim(intent, LEASE_MS, { isUrgent: true });
      const rest = { keepLease: false, budget: 'spent', restMs: 300_000 } as const;
      await ledger.release(intent, attemptOf(await claim()), rest);
      const claimed = await urgent();
      expect(claimed).toMatchObject({ kind: 'claimed', entry: { attempt: 2, failures: 2 } });
      expect(await urgent()).toEqual({ kind: 'busy', leaseUntilMs: now + LEASE_MS });
      await ledger.finish(intent, attemptOf(claimed), DOCUMENT, FACTS);
      expect(await urgent()).toMatchObject({ kind: 'finished' });
      expect(await ledger.claim(intent, LEASE_MS, { reopen: true })).toMatchObject({ kind: 'claimed' });
    });

    it('does not rest for a worker that was overtaken', async () => {
      const stalled = attemptOf(await claim());
      now += LEASE_MS;
      const next = attemptOf(await claim());
      await ledger.release(intent, stalled, { keepLease: true, budget: 'spent', restMs: 300_000 });
      await ledger.release(intent, next, { keepLease: false, budget: 'spent' });
      expect(await claim()).toMatchObject({ kind: 'claimed' });
    });

    it('can be claimed at once after a release, and by nobody while the lease is kept', async () => {
      await ledger.release(intent, attemptOf(await claim()), { keepLease: false, budget: 'spent' });
      const second = await claim();
      await ledger.release(intent, attemptOf(second), { keepLease: true, budget: 'renewed' });
      expect(await claim()).toEqual({ kind: 'busy', leaseUntilMs: 1_700_000_060_000 });
    });

    it('counts attempts on for ever and failures since the last parking', async () => {
      const seen: number[][] = [];
      for (const budget of ['spent', 'spent', 'renewed', 'spent', 'renewed', 'spent'] as const) {
        const claimed = await claim();
        if (claimed.kind === 'claimed') seen.push([claimed.entry.attempt, claimed.entry.failures]);
        await ledger.release(intent, attemptOf(claimed), { budget, keepLease: false });
      }
      expect(seen).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 1],
        [5, 2],
        [6, 1],
      ]);
    });

    it('lets exactly one of twenty claims win, and one of twenty more when its lease has run out', async () => {
      for (const attempt of [1, 2]) {
        const claims = await Promise.all(Array.from({ length: 20 }, claim));
        const winners = claims.filter(({ kind }) => kind === 'claimed');
        expect(winners).toMatchObject([{ entry: { attempt } }]);
        expect(claims.filter(({ kind }) => kind === 'busy')).toHaveLength(19);
        now += LEASE_MS;
      }
    });

    it('keeps intents apart', async () => {
      await claim();
      expect(await ledger.claim(`${intent}d`, LEASE_MS)).toMatchObject({ kind: 'claimed' });
      expect(await ledger.claim(intent.slice(0, -1), LEASE_MS)).toMatchObject({ kind: 'claimed' });
    });
  });
};
