import type { World } from './scheduler.ts';

/** As in production: a function lives 60 s. */
export const LIFETIME_MS = 60_000;

/** One call of a port: it leaves the worker, has its effect, and the answer may be lost with the worker. */
export type Call = <T>(label: string, effect: () => Promise<T>) => Promise<T>;

export interface Faults {
  /** True with a chance of one in n, as long as there may be more faults. */
  readonly fault: (kind: string, n: number) => boolean;
}

/** Whoever is suspended here still has everything to write down: when it matters most. */
const AT_THE_PEER: ReadonlySet<string> = new Set(['create', 'complete', 'cancel', 'create credit note']);

/** Nothing returns to a worker that is dead: its promise stays open, as a killed process's would. */
const dead = () => new Promise<never>(() => undefined);

/**
 * Every call of one worker. Between any two of them others work, the worker dies, or it is suspended for long and goes on
 * as if nothing had been.
 */
export const actor = (world: World, { fault }: Faults, name: string): Call => {
  const startedMs = world.nowMs();
  let isDead = false;
  const die = (how: string): Promise<never> => {
    world.tell(`${name} ${how}`);
    isDead = true;
    return dead();
  };
  return async (label, effect) => {
    if (isDead) return dead();
    if (fault('crash-before', 70)) return die(`dies before ${label}`);
    await world.sleep(20 + world.choose(400));
    const answer = await effect().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    if (fault('crash-after', 70)) return die(`dies after ${label}`);
    if (fault('stall', AT_THE_PEER.has(label) ? 12 : 60)) {
      // A suspended machine: the process was not killed, and goes on long after its lease.
      const ms = 40_000 + world.choose(220_000);
      world.tell(`${name} stalls ${Math.round(ms / 1000)} s after ${label}`);
      await world.sleep(ms);
    } else if (world.nowMs() - startedMs > LIFETIME_MS) {
      return die('is killed at its time limit');
    }
    return answer();
  };
};

/** A port of the platform (a table, the bus): it may fail to answer before or after it did what it was asked. */
export const stored =
  (call: Call, { fault }: Faults, world: World, name: string): Call =>
  (label, effect) =>
    call(label, async () => {
      const lost = () => {
        world.tell(`${name} gets no answer to ${label}`);
        return new Error(`${label} was not answered`);
      };
      if (fault('storage-before', 250)) throw lost();
      const value = await effect();
      if (fault('storage-after', 250)) throw lost();
      return value;
    });
