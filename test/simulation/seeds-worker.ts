import { parentPort, workerData } from 'node:worker_threads';
import { MUTANTS } from './mutants.ts';
import { playSeeds } from './simulate.ts';

/** Every so many seeds, in a thread of its own. */
export interface Share {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly mutant: string | undefined;
  /** Stops after so many failures. */
  readonly most: number;
}

const { from, to, step, mutant, most } = workerData as Share;
const broken = mutant === undefined ? {} : MUTANTS[mutant];
parentPort?.postMessage(await playSeeds(from, to, step, broken, most));
