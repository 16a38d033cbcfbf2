import { parentPort, workerData } from 'node:worker_threads';
import { STOCK_MUTANTS } from './mutants.ts';
import { playStockSeeds } from './play.ts';

/** Every so many seeds, in a thread of its own. */
export interface StockShare {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly mutant: string | undefined;
  /** Stops after so many failures. */
  readonly most: number;
}

const { from, to, step, mutant, most } = workerData as StockShare;
const broken = mutant === undefined ? {} : STOCK_MUTANTS[mutant];
parentPort?.postMessage(await playStockSeeds(from, to, step, broken, most));
