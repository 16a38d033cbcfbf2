import { setTimeout as sleep } from 'node:timers/promises';
import type { Gone } from '../../test/fakes/peer-server.ts';
import type { ChaosStack } from './chaos-stack.ts';

/** How long a process that was killed may still be seen. */
const LOOK_AGAIN_MS = 100;
/** Every so many writes in which somebody dies, a process of another function is killed as well. */
const OTHERS_EVERY = 3;

export interface Killer {
  /** A write is open and gets no answer: kill its process or, when it is due, the whole runner. */
  onOpenWrite(client: Gone): void;
  /** Function processes and runners that were killed. */
  killed(): { readonly functions: number; readonly runners: number };
  /** The runner is alive again, and nothing is about to be killed. */
  settled(): Promise<void>;
}

/**
 * Kills with SIGKILL while the ERP has a write open. The ERP does not know whose it is, so busy processes of the
 * consumer are killed one by one until that connection is gone.
 * @param runnerAt which of the open writes, counted from 1, cost the whole runner
 */
export const startKiller = (
  stack: Pick<ChaosStack, 'functions' | 'kill' | 'restart'>,
  isConsumer: (functionName: string) => boolean,
  runnerAt: ReadonlySet<number>,
): Killer => {
  const killed = { functions: 0, runners: 0 };
  const dead = new Set<number>();
  let writes = 0;
  let last = Promise.resolve();

  const killOne = async (isWanted: (functionName: string) => boolean): Promise<boolean> => {
    const victim = (await stack.functions()).find(
      ({ functionId, pid, busy }) => busy && !dead.has(pid) && isWanted(functionId),
    );
    if (!victim) return false;
    dead.add(victim.pid);
    try {
      process.kill(victim.pid, 'SIGKILL');
    } catch {
      return false; // it ended by itself
    }
    killed.functions += 1;
    return true;
  };

  const kill = async (client: Gone, number: number): Promise<void> => {
    if (runnerAt.has(number)) {
      killed.runners += 1;
      await stack.kill();
      await stack.restart();
      return;
    }
    while (!client.isGone()) {
      await killOne(isConsumer);
      for (let waits = 0; waits < 5 && !client.isGone(); waits += 1) await sleep(LOOK_AGAIN_MS / 5);
    }
    if (number % OTHERS_EVERY === 0) await killOne((name) => !isConsumer(name));
  };

  return {
    onOpenWrite: (client) => {
      writes += 1;
      const number = writes;
      // One after another: a process must not be looked for while the runner is down.
      last = last.then(() => kill(client, number));
      last.catch(() => undefined);
    },
    killed: () => ({ ...killed }),
    settled: () => last,
  };
};
