import type { ErpOrders } from '../../shared/connectors/contract.ts';
import { PermanentError, RetryableError, UnknownOutcomeError } from '../../shared/core/errors.ts';
import type { Ledger } from '../../shared/core/ledger.ts';
import { saysOf } from './erp.ts';
import type { Mutant } from './life.ts';

const erpOf =
  (change: (real: ErpOrders) => Partial<ErpOrders>): NonNullable<Mutant['erp']> =>
  (real) => ({ ...real, ...change(real) });

/** The same ledger under other keys. */
const keyed =
  (key: (intent: string) => string): NonNullable<Mutant['ledger']> =>
  (real): Ledger => ({
    peek: (intent) => real.peek(key(intent)),
    claim: (intent, ...rest) => real.claim(key(intent), ...rest),
    written: (intent, ...rest) => real.written(key(intent), ...rest),
    note: (intent, ...rest) => real.note(key(intent), ...rest),
    finish: (intent, ...rest) => real.finish(key(intent), ...rest),
    release: (intent, ...rest) => real.release(key(intent), ...rest),
  });

const asFailed = (error: unknown): never => {
  throw error instanceof UnknownOutcomeError ? new RetryableError('FAILED', error.message) : error;
};

/**
 * Each takes one guard away, by ports that lie or arguments that are bent: the simulation has to notice. Production code
 * knows nothing of them.
 */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'no look-up': {
    erp: erpOf((real) => ({
      find: async (...args) => {
        await real.find(...args);
        return undefined;
      },
    })),
  },
  'lease released after an unanswered write': {
    erp: erpOf(({ create, complete, changes }) => ({
      create: (...args) => create(...args).catch(asFailed),
      complete: (...args) => complete(...args).catch(asFailed),
      ...(changes && {
        changes: {
          cancel: (...args) => changes.cancel(...args).catch(asFailed),
          refunds: {
            ...changes.refunds,
            create: (...args) => changes.refunds.create(...args).catch(asFailed),
          },
        },
      }),
    })),
  },
  'no fencing': {
    ledger: (real, entries) => {
      const latest = (intent: string) => entries.get(intent)?.attempt ?? 0;
      return {
        ...real,
        written: (intent, _attempt, ...rest) => real.written(intent, latest(intent), ...rest),
        note: (intent, _attempt, ...rest) => real.note(intent, latest(intent), ...rest),
        finish: (intent, _attempt, ...rest) => real.finish(intent, latest(intent), ...rest),
        release: (intent, _attempt, ...rest) => real.release(intent, latest(intent), ...rest),
      };
    },
  },
  'arrival order instead of version': {
    event: (event, arrival) => ({ ...event, data: { ...event.data, sourceVersion: arrival } }),
  },
  'no written step': { ledger: (real) => ({ ...real, written: async () => undefined }) },
  'key without the connection': { ledger: keyed((intent) => intent.split('#').slice(2).join('#')) },
  'refund key without the refund id': { ledger: keyed((intent) => intent.replace(/#refund .*$/, '#refund')) },
  'no begin check after the claim': {
    ports: (real) => {
      let seen: Awaited<ReturnType<Ledger['peek']>>;
      let isClaimed = false;
      return {
        ...real,
        ledger: {
          ...real.ledger,
          peek: async (intent) => {
            seen = await real.ledger.peek(intent);
            return seen;
          },
          // What others did since the look stays hidden.
          claim: async (intent, ...rest) => {
            const claim = await real.ledger.claim(intent, ...rest);
            isClaimed = true;
            if (claim.kind !== 'claimed' || seen?.intent !== intent) return claim;
            return { ...claim, entry: { ...claim.entry, facts: seen.facts } };
          },
        },
        journal: {
          ...real.journal,
          settled: (...args) => (isClaimed ? Promise.resolve(undefined) : real.journal.settled(...args)),
        },
      };
    },
  },
  'nothing is noted before it is begun': { ledger: (real) => ({ ...real, note: async () => undefined }) },
  'no fingerprint': {
    erp: erpOf(({ complete, changes }) => ({
      complete: (document, wire, level, call) => complete(document, wire, level, call),
      ...(changes && {
        changes: {
          ...changes,
          cancel: (document, _asLeft, route, call) => changes.cancel(document, undefined, route, call),
        },
      }),
    })),
  },
  'staff are overwritten': {
    erp: (real, { documents }) => ({
      ...real,
      complete: (document, wire, level, call, asLeft) => {
        const held = documents.find(({ id }) => id === document.id);
        return real.complete(document, wire, level, call, asLeft && held ? saysOf(held) : asLeft);
      },
    }),
  },
  'credit after cancel': {
    erp: erpOf(({ changes }) => ({
      ...(changes && {
        changes: {
          ...changes,
          cancel: async (document, ...rest) => {
            await changes.cancel(document, ...rest);
            const because = { change: 'cancelled', because: 'delivered' } as const;
            throw new PermanentError('TOO_LATE_IN_ERP', {
              ...because,
              document: document.id,
              destination: 'erp',
            });
          },
        },
      }),
    })),
  },
  'cursor saved before publishing': {
    reconcile: (real) => {
      let held: { readonly name: string; readonly turn: number; readonly atMs: number } | undefined;
      return {
        ...real,
        cursors: {
          ...real.cursors,
          claim: async (name, leaseMs) => {
            const claim = await real.cursors.claim(name, leaseMs);
            if (claim.kind === 'claimed') {
              held = { name, turn: claim.turn, atMs: claim.cursor?.atMs ?? 0 };
            }
            return claim;
          },
        },
        reads: {
          ...real.reads,
          changed: async function* (window, call) {
            for await (const page of real.reads.changed(window, call)) {
              const atMs = Math.max(held?.atMs ?? 0, ...page.map(({ changedAtMs }) => changedAtMs));
              const told = Object.fromEntries(
                page.map(({ id, changedAtMs, fetched }) => [
                  id,
                  fetched?.kind === 'order'
                    ? `${changedAtMs} ${fetched.order.contentHash}`
                    : String(changedAtMs),
                ]),
              );
              if (held) await real.cursors.save(held.name, held.turn, { atMs, told });
              yield page;
            }
          },
        },
      };
    },
  },
  'a sweep that leaves to people what they have sent again': {
    sweep: (real) => ({
      ...real,
      parked: {
        references: async () =>
          new (class extends Set<string> {
            override has = () => true;
          })(),
      },
    }),
  },
  'payment key without the payment': {
    ledger: keyed((intent) => intent.replace(/#payment .*$/, '#payment')),
  },
  'no look-up of payments': {
    erp: erpOf(({ payments }) => ({
      ...(payments && { payments: { ...payments, find: async () => undefined } }),
    })),
  },
  'no sweep': { sweep: (real) => ({ ...real, destinations: [] }) },
  'overlap 0': { reconcile: (real) => ({ ...real, overlapMs: 0 }) },
};
