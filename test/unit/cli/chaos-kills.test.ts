import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startKiller } from '../../../infra/cli/chaos-kills.ts';
import type { ChaosStack } from '../../../infra/cli/chaos-stack.ts';

/** Nobody is killed here: what was meant to be is written down. */
let dead: number[];
beforeEach(() => {
  dead = [];
  vi.spyOn(process, 'kill').mockImplementation((pid) => {
    dead.push(pid);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const processes = [
  { functionId: 'consumer', pid: 1, busy: false },
  { functionId: 'consumer', pid: 2, busy: true },
  { functionId: 'webhooks', pid: 3, busy: true },
  { functionId: 'consumer', pid: 4, busy: true },
  { functionId: 'consumer', pid: 5, busy: true },
];
const start = (runnerAt: readonly number[] = []) => {
  const runner: string[] = [];
  const stack: Pick<ChaosStack, 'functions' | 'kill' | 'restart'> = {
    functions: async () => processes.filter(({ pid }) => !dead.includes(pid)),
    kill: async () => void runner.push('killed'),
    restart: async () => void runner.push('restarted'),
  };
  const killer = startKiller(stack, (name) => name === 'consumer', new Set(runnerAt));
  return { killer, runner };
};
/** A write that process `pid` has open. */
const writeOf = (pid: number) => ({ isGone: () => dead.includes(pid) });

it('kills busy consumers, one by one, until the process with the open write is gone', async () => {
  const { killer } = start();
  killer.onOpenWrite(writeOf(4));
  await killer.settled();
  expect(dead).toEqual([2, 4]);
  expect(killer.killed()).toEqual({ functions: 2, runners: 0 });
});

it('kills nobody for a write that is over', async () => {
  const { killer } = start();
  killer.onOpenWrite({ isGone: () => true });
  await killer.settled();
  expect(dead).toEqual([]);
});

it('kills the runner when that is due, and starts it again before anybody else is looked for', async () => {
  const { killer, runner } = start([2]);
  killer.onOpenWrite(writeOf(2));
  killer.onOpenWrite(writeOf(99));
  killer.onOpenWrite(writeOf(4));
  await killer.settled();
  expect(runner).toEqual(['killed', 'restarted']);
  // The third write also costs a process of another function.
  expect(dead).toEqual([2, 4, 3]);
  expect(killer.killed()).toEqual({ functions: 3, runners: 1 });
});
