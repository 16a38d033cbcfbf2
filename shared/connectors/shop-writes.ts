import { UnknownOutcomeError } from '../core/errors.ts';

/** One request that writes some entries of a batch, or finds out what became of them. */
export interface WriteStep<W, R> {
  readonly writes: readonly W[];
  /** What is known now, and what is to be done next, before anything else. */
  run(): Promise<{ readonly told: readonly R[]; readonly next?: readonly WriteStep<W, R>[] }>;
}

/**
 * Runs steps one after the other, and says what became of every entry. A step that is not answered leaves its entries
 * `unknown`; after it, or after one that failed, nothing more is sent, and what was not sent is left out.
 * @throws what the step threw, when nothing is known of any entry
 */
export const runWrites = async <W, R>(
  steps: readonly WriteStep<W, R>[],
  unknown: (write: W, detail: string) => R,
): Promise<R[]> => {
  const told: R[] = [];
  const waiting = [...steps];
  for (let step = waiting.shift(); step; step = waiting.shift()) {
    try {
      const sent = await step.run();
      told.push(...sent.told);
      waiting.unshift(...(sent.next ?? []));
    } catch (error) {
      if (error instanceof UnknownOutcomeError) {
        return [...told, ...step.writes.map((write) => unknown(write, error.message))];
      }
      if (told.length === 0) throw error;
      return told;
    }
  }
  return told;
};

/** Both halves of a batch that was refused as a whole: the culprit stands alone in the end. */
export const halves = <W>(writes: readonly W[]): readonly [readonly W[], readonly W[]] => {
  const middle = Math.ceil(writes.length / 2);
  return [writes.slice(0, middle), writes.slice(middle)];
};
