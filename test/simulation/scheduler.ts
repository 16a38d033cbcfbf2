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

/** Plays until nothing is due any more. @throws Error when it does not come to rest */
export const play = async (tape: readonly number[], begin: (world: World) => void): Promise<World> => {
  let now = 0;
  let at = 0;
  let order = 0;
  const story: string[] = [];
  const due: { atMs: number; order: number; effect: () => void }[] = [];
  const world: World = {
    nowMs: () => now,
    choose: (n) => (tape[at++] ?? 0) % n,
    oneIn: (n) => (tape[at++] ?? 0) % n === n - 1,
    later: (ms, effect) => {
      due.push({ atMs: now + ms, order: order++, effect });
    },
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
    due.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    const next = due.shift();
    if (!next) return world;
    if (steps > 10_000) throw new Error(`does not come to rest:\n${story.slice(-40).join('\n')}`);
    now = Math.max(now, next.atMs);
    next.effect();
  }
};
