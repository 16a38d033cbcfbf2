/** Where a world's choices come from. */
export interface Choices {
  /** A number from 0 to n - 1. */
  next(n: number): number;
}

/** Choices that remember what was chosen, so that the same story can be played, and shortened. */
export interface Recording extends Choices {
  readonly tape: readonly number[];
}

/** As many choices as are asked for, always the same ones for one seed (mulberry32). */
export const seeded = (seed: number): Recording => {
  let state = seed >>> 0;
  const tape: number[] = [];
  return {
    tape,
    next: (n) => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      const value = ((t ^ (t >>> 14)) >>> 0) % n;
      tape.push(value);
      return value;
    },
  };
};

/** Short enough for a command line. @example tapeText([0, 0, 0, 7, 1]) // '0x3,7,1' */
export const tapeText = (tape: readonly number[]): string => {
  const parts: { value: number; count: number }[] = [];
  for (const value of withoutEnd(tape)) {
    const last = parts.at(-1);
    if (last?.value === value) last.count += 1;
    else parts.push({ value, count: 1 });
  }
  return parts.map(({ value, count }) => (count > 1 ? `${value}x${count}` : String(value))).join(',');
};

/** @throws RangeError not a tape */
export const parseTape = (text: string): number[] =>
  text === ''
    ? []
    : text.split(',').flatMap((part) => {
        const [, value, count = '1'] = /^(\d{1,9})(?:x(\d{1,6}))?$/.exec(part) ?? [];
        if (value === undefined) throw new RangeError(`"${part}" is no part of a tape`);
        return new Array<number>(Number(count)).fill(Number(value));
      });

/** Zeros at the end are what a tape that has ended says anyway. */
const withoutEnd = (tape: readonly number[]): readonly number[] =>
  tape.slice(0, tape.findLastIndex((value) => value !== 0) + 1);

/**
 * The shortest tape found that still fails: whole pieces are dropped or set to 0 ("nothing goes wrong"), larger ones
 * first, then single choices are made smaller. Greedy.
 * @param mostTries how many tapes are tried at most
 */
export const shrink = async (
  failing: readonly number[],
  fails: (tape: readonly number[]) => Promise<boolean>,
  mostTries: number,
): Promise<readonly number[]> => {
  let best = withoutEnd(failing);
  let tries = 0;
  const better = async (candidate: readonly number[]): Promise<boolean> => {
    const shorter = withoutEnd(candidate);
    if (tries >= mostTries || weight(shorter) >= weight(best)) return false;
    tries += 1;
    if (!(await fails(shorter))) return false;
    best = shorter;
    return true;
  };
  for (let before = -1; before !== weight(best) && tries < mostTries; ) {
    before = weight(best);
    for (let size = 2 ** Math.floor(Math.log2(Math.max(1, best.length))); size >= 1; size >>>= 1) {
      for (let at = best.length - size; at > -size; at -= size) {
        const from = Math.max(0, at);
        const until = Math.min(best.length, from + size);
        // Shortened meanwhile: nothing is left there.
        if (until <= from) continue;
        if (await better(best.toSpliced(from, until - from))) continue;
        await better(best.map((value, index) => (index >= from && index < until ? 0 : value)));
      }
    }
    for (let at = 0; at < best.length; at += 1) {
      for (const value of [1, Math.floor((best[at] ?? 0) / 2), (best[at] ?? 0) - 1]) {
        if (value > 0) await better(best.with(at, value));
      }
    }
  }
  return best;
};

/** What makes a story long: choices that are not "nothing goes wrong", then the length, then the size of numbers. */
const weight = (tape: readonly number[]): number =>
  tape.reduce((sum, value) => sum + (value === 0 ? 0 : 1_000 + Math.log2(1 + value)), tape.length * 10);
