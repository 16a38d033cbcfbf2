import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/** Where a running local stack says how to reach it, so that `waybill --local` finds it. Holds no secrets. */
export const LocalAddress = z.object({
  pid: z.int(),
  /** Environment for the AWS SDK: endpoints on 127.0.0.1, region, dummy credentials. */
  env: z.record(z.string(), z.string()),
  mappingsTable: z.string(),
  journalTable: z.string(),
  parkedTable: z.string(),
  connectionsTable: z.string(),
  stockTable: z.string(),
  reportsTable: z.string(),
  ledgerTable: z.string(),
  bindingsTable: z.string(),
  eventBus: z.string(),
  /** Of the stage. */
  settings: z.looseObject({}),
  quarantineQueue: z.string(),
  /** Functions that a command calls, by connection. */
  functions: z.record(
    z.string(),
    z.object({
      webhook: z.string().optional(),
      reconcile: z.string().optional(),
      control: z.string().optional(),
      check: z.string().optional(),
      shadow: z.string().optional(),
      pollStock: z.string().optional(),
      listStock: z.string().optional(),
    }),
  ),
  /** Queues in which messages can be parked, by `queueId`. */
  queues: z.record(z.string(), z.object({ queue: z.string(), parked: z.string() })),
  storefronts: z.array(z.string()),
  erps: z.array(z.string()),
});
export type LocalAddress = z.infer<typeof LocalAddress>;

const DEFAULT_DIR = fileURLToPath(new URL('../../.waybill', import.meta.url));
const fileIn = (dataDir: string | undefined): string => path.join(dataDir ?? DEFAULT_DIR, 'local.json');

export const writeAddress = async (dataDir: string | undefined, address: LocalAddress): Promise<void> => {
  const file = fileIn(dataDir);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(address, undefined, 2)}\n`);
};

/** Only our own: another run may have started since. */
export const removeAddress = async (dataDir: string | undefined, pid: number): Promise<void> => {
  const written = await readAddress(dataDir).catch(() => undefined);
  if (written?.pid === pid) await rm(fileIn(dataDir), { force: true });
};

/** @throws Error no local stack runs there, and how to start one */
export const readAddress = async (dataDir: string | undefined): Promise<LocalAddress> => {
  const file = fileIn(dataDir);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    throw new Error(
      `no local stack is running (${path.relative('', file)} is missing); start one with: npm start`,
    );
  }
  const address = LocalAddress.parse(JSON.parse(text));
  if (!isAlive(address.pid)) {
    throw new Error(
      `the local stack of ${path.relative('', file)} has ended; start it again with: npm start`,
    );
  }
  return address;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};
