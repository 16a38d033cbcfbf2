import type { Choices } from './tape.ts';

/**
 * A deterministic world: it owns time, and every choice comes from a tape of numbers. The same tape plays the
 * same story; when the tape ends, every choice is 0, which by convention means "nothing goes wrong".
 */
export interface World {
  nowMs(): number;
  /** A number from 0 to n - 1. */
  choose(n: number): number;
  /** True with a chance of one in n; false when the tape has ended. */
  oneIn(n: number): boolean;
  /** Runs `effect` after `ms` of world time. */
  later(ms: number, effect: () => void): void;
  /** Waits for world time. */
  sleep(ms: number): Promise<void>;
  tell(what: string): void;
  readonly story: readonly string[];
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly effect: () => void;
}

/** Plays until nothing is due any more. @throws Error when it does not come to rest */
export const play = async (
  tape: readonly number[] | Choices,
  begin: (world: World) => void,
  { maxSteps = 10_000 }: { readonly maxSteps?: number } = {},
): Promise<World> => {
  let now = 0;
  let at = 0;
  let order = 0;
  const story: string[] = [];
  /** Earliest last; of one moment, what was asked for first comes first. */
  const due: Due[] = [];
  const insert = (entry: Due): void => {
    let low = 0;
    let high = due.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const held = due[middle];
      if (held && (held.atMs > entry.atMs || (held.atMs === entry.atMs && held.order > entry.order)))
        low = middle + 1;
      else high = middle;
    }
    due.splice(low, 0, entry);
  };
  const next = 'next' in tape ? (n: number) => tape.next(n) : (n: number) => (tape[at++] ?? 0) % n;
  const world: World = {
    nowMs: () => now,
    choose: next,
    oneIn: (n) => next(n) === n - 1,
    later: (ms, effect) => insert({ atMs: now + ms, order: order++, effect }),
    sleep: (ms) => new Promise((resolve) => world.later(ms, resolve)),
    tell: (what) => {
      story.push(`${(now / 1000).toFixed(1).padStart(8)}s  ${what}`);
    },
    story,
  };
  begin(world);
  for (let steps = 0; ; steps += 1) {
    // Everything that follows from the last effect without waiting for world time.
    await new Promise((resolve) => setImmediate(resolve));
    const first = due.pop();
    if (!first) return world;
    if (steps > maxSteps) throw new Error(`does not come to rest:\n${story.slice(-40).join('\n')}`);
    now = Math.max(now, first.atMs);
    first.effect();
  }
};
