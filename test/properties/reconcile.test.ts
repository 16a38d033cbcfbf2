import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Cursors } from '../../shared/core/cursors.ts';
import { cursorName, type ReconcilePorts, reconcileOrders } from '../../shared/core/reconcile.ts';
import { changingShop } from '../fakes/changing-shop.ts';
import { memoryCursors } from '../fakes/memory-cursors.ts';

/**
 * A shop whose rows become visible late, runs that die anywhere, runs that meet: in the end everything was brought by a
 * webhook or published, and the cursor never went back.
 */
const START_MS = 1_700_000_000_000;
const OVERLAP_MS = 100_000;
const IN_FLIGHT_MS = 10_000;

const death = fc.record({
  at: fc.constantFrom('publish', 'save', 'release'),
  nth: fc.integer({ min: 1, max: 3 }),
});
const aStep = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      id: fc.nat(30),
      // A transaction takes less than the overlap.
      lagMs: fc.constantFrom(0, 0, 1_000, 40_000, 99_000),
      webhook: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(500, 1_000, 30_000, 250_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('run' as const), dies: fc.option(death) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('two runs' as const),
      expires: fc.boolean(),
      waitMs: fc.nat(50_000),
    }),
  },
);
type Step = typeof aStep extends fc.Arbitrary<infer S> ? S : never;

/** What the test breaks, to see that it can see. */
type Mutant = (ports: ReconcilePorts) => ReconcilePorts;

const play = async (steps: readonly Step[], mutant: Mutant = (ports) => ports): Promise<void> => {
  const shop = changingShop({ startMs: START_MS });
  const ports = mutant({
    ...shop.ports,
    cursors: memoryCursors(shop.nowMs),
    overlapMs: OVERLAP_MS,
    inFlightMs: IN_FLIGHT_MS,
    leaseMs: 60_000,
  });
  const { cursors } = ports;
  const call = { signal: new AbortController().signal, endMs: Number.POSITIVE_INFINITY };
  let furthestMs = 0;
  const look = async () => {
    const atMs = (await cursors.load(cursorName(ports)))?.atMs ?? 0;
    expect(atMs, 'the cursor went back').toBeGreaterThanOrEqual(furthestMs);
    furthestMs = atMs;
  };
  const run = async (over: Partial<ReconcilePorts> = {}) => {
    await reconcileOrders({ ...ports, ...over }, call).catch((error: unknown) => {
      if (!(error instanceof Error && /^(died|another worker has taken over)$/.test(error.message)))
        throw error;
    });
    await look();
  };
  const dying = ({ at, nth }: { at: string; nth: number }): Partial<ReconcilePorts> => {
    let calls = 0;
    const orDie = async <T>(where: string, work: () => Promise<T>): Promise<T> => {
      if (where === at) calls += 1;
      if (calls === nth && where === at) throw new Error('died');
      return work();
    };
    return {
      publish: (name, event) => orDie('publish', () => ports.publish(name, event)),
      cursors: {
        ...cursors,
        save: (...args) => orDie('save', () => cursors.save(...args)),
        // Killed outright, it gives nothing back.
        release: (...args) => orDie('release', () => cursors.release(...args)),
      },
    };
  };

  for (const step of steps) {
    if (step.kind === 'change') await shop.change(String(step.id), step);
    else if (step.kind === 'wait') shop.wait(step.ms);
    else if (step.kind === 'run') await run(step.dies ? dying(step.dies) : {});
    else {
      // The second one begins while the first has read, and not published or saved yet.
      let isFirst = true;
      await run({
        cursors: {
          ...cursors,
          save: async (...args) => {
            if (isFirst) {
              isFirst = false;
              shop.wait(step.expires ? 60_000 + step.waitMs : step.waitMs);
              await run();
            }
            await cursors.save(...args);
          },
        },
      });
    }
  }
  shop.wait(OVERLAP_MS + IN_FLIGHT_MS + 60_000);
  await run();
  await run();

  for (const [id, versions] of shop.orders) {
    const last = versions.at(-1);
    const row = await shop.ports.journal.row('acme-odoo', 'acme-woo', id);
    expect({ id, ...row.recorded }).toMatchObject({ id, contentHash: last?.contentHash });
  }
};

const property = (mutant?: Mutant) =>
  fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 25, size: 'max' }), (steps) =>
    play(steps, mutant),
  );

it('everything is published, and the cursor never goes back', async () => {
  await fc.assert(property(), { numRuns: 1_500, seed: 20261123 });
}, 60_000);

it.each<[string, Mutant]>([
  ['without an overlap', (ports) => ({ ...ports, overlapMs: 0 })],
  ['with the cursor saved before publishing', savedFirst],
  ['without a lease', withoutLease],
])(
  '%s: it sees that',
  async (_case, mutant) => {
    const { failed } = await fc.check(property(mutant), {
      numRuns: 2_000,
      seed: 20261123,
      endOnFailure: true,
    });
    expect(failed).toBe(true);
  },
  60_000,
);

function savedFirst(ports: ReconcilePorts): ReconcilePorts {
  const { cursors, reads } = ports;
  let turn = 0;
  const claim: Cursors['claim'] = async (...args) => {
    const claimed = await cursors.claim(...args);
    if (claimed.kind === 'claimed') turn = claimed.turn;
    return claimed;
  };
  return {
    ...ports,
    cursors: { ...cursors, claim },
    reads: {
      async *changed(window, call) {
        for await (const page of reads.changed(window, call)) {
          const readMs = Math.max(...page.map(({ changedAtMs }) => changedAtMs));
          const held = await cursors.load(cursorName(ports));
          const atMs = Math.max(readMs, held?.atMs ?? 0);
          await cursors.save(cursorName(ports), turn, { atMs, told: held?.told ?? {} });
          yield page;
        }
      },
    },
  };
}

function withoutLease(ports: ReconcilePorts): ReconcilePorts {
  let saved: Awaited<ReturnType<Cursors['load']>>;
  const cursors: Cursors = {
    load: async () => saved,
    claim: async () => ({ kind: 'claimed', turn: 1, cursor: saved }),
    save: async (_name, _turn, cursor) => {
      saved = cursor;
    },
    release: async () => undefined,
  };
  return { ...ports, cursors };
}
