import { RetryableError } from '../../../shared/core/errors.ts';
import { LIFETIME_MS } from '../actor.ts';
import type { World } from '../scheduler.ts';

/** A message that nobody has deleted by then is handed out again. */
const VISIBILITY_MS = LIFETIME_MS + 30_000;

export interface Queue<T> {
  send(body: T): void;
  /** Not deleted yet. */
  readonly held: ReadonlySet<Message<T>>;
}

export interface Message<T> {
  readonly body: T;
}

/** At least once, in no order, in batches. */
export const simulatedQueue = <T>(
  world: World,
  options: {
    readonly name: string;
    readonly batch: number;
    readonly workers: number;
    /** @returns milliseconds after which the whole batch comes again; undefined: it is done */
    readonly work: (bodies: readonly T[], worker: string) => Promise<number | undefined>;
    readonly onDone?: (bodies: readonly T[]) => void;
    readonly mayFail: () => boolean;
  },
): Queue<T> => {
  const held = new Set<Message<T>>();
  const visible: Message<T>[] = [];
  let busy = 0;
  let runs = 0;

  const show = (message: Message<T>, afterMs: number): void => {
    world.later(afterMs, () => {
      if (!held.has(message)) return;
      visible.push(message);
      poll();
    });
  };
  const poll = (): void => {
    while (busy < options.workers && visible.length > 0) {
      const batch: Message<T>[] = [];
      while (batch.length < options.batch && visible.length > 0) {
        const [message] = visible.splice(world.choose(Math.min(visible.length, 4)), 1);
        if (message && held.has(message)) batch.push(message);
      }
      if (batch.length > 0) run(batch);
    }
  };
  const run = (batch: readonly Message<T>[]): void => {
    busy += 1;
    runs += 1;
    let isOver = false;
    const over = (): boolean => {
      if (isOver) return false;
      isOver = true;
      busy -= 1;
      return true;
    };
    const again = (ms: number): void => {
      for (const message of batch) show(message, ms);
      poll();
    };
    world.later(VISIBILITY_MS, () => {
      if (over()) again(0);
    });
    const worker = `${options.name} ${runs}`;
    const bodies = batch.map(({ body }) => body);
    options.work(bodies, worker).then(
      (againMs) => {
        if (!over()) return;
        if (againMs !== undefined) return again(againMs);
        for (const message of batch) held.delete(message);
        options.onDone?.(bodies);
        poll();
      },
      (error: unknown) => {
        if (!(error instanceof RetryableError) && !String(error).includes('was not answered')) {
          world.tell(`${worker} fails: ${error instanceof Error ? error.stack : String(error)}`);
        }
        if (over()) again(3_000 + world.choose(10_000));
      },
    );
  };
  return {
    held,
    send: (body) => {
      const copies = options.mayFail() ? 2 : 1;
      for (let n = 0; n < copies; n += 1) {
        const message = { body };
        held.add(message);
        const isLate = options.mayFail();
        show(message, isLate ? world.choose(60_000) : 50 + world.choose(1_500));
      }
    },
  };
};
