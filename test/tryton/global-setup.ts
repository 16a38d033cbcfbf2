import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { TrytonRpc } from './rpc.ts';
import { seed } from './seed.ts';
import { startTryton } from './server.ts';

/** Where the Tryton of this run is. */
export interface TrytonAddress {
  readonly url: string;
  readonly database: string;
  readonly version: string;
  readonly admin: { readonly login: string; readonly password: string };
  /** Its database as it was before any test: for a test that starts a Tryton of its own. */
  readonly backup: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    tryton: TrytonAddress;
  }
}

/** One real Tryton for the whole run; ended afterwards, also when it could not be set up. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const tryton = await startTryton((text) => console.log(`tryton: ${text}`));
  const folder = await mkdtemp(join(tmpdir(), 'waybill-tryton-backup-'));
  const backup = join(folder, 'seeded.sqlite');
  const stop = async () => {
    await tryton.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const rpc = new TrytonRpc(tryton.url, tryton.database);
    await rpc.login(tryton.admin.login, tryton.admin.password);
    await seed(rpc, new Date().toISOString().slice(0, 10));
    await tryton.backUp(backup);
  } catch (error) {
    await stop();
    throw error;
  }
  const { url, database, version, admin } = tryton;
  project.provide('tryton', { url, database, version, admin, backup });
  return stop;
};
