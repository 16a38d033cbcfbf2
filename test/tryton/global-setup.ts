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
}

declare module 'vitest' {
  export interface ProvidedContext {
    tryton: TrytonAddress;
  }
}

/** One real Tryton for the whole run; ended afterwards, also when it could not be set up. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const tryton = await startTryton((text) => console.log(`tryton: ${text}`));
  try {
    const rpc = new TrytonRpc(tryton.url, tryton.database);
    await rpc.login(tryton.admin.login, tryton.admin.password);
    await seed(rpc, new Date().toISOString().slice(0, 10));
  } catch (error) {
    await tryton.stop();
    throw error;
  }
  const { url, database, version, admin } = tryton;
  project.provide('tryton', { url, database, version, admin });
  return tryton.stop;
};
