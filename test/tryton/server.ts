import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, copyFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TrytonRpc } from './rpc.ts';

const run = promisify(execFile);

/** Debian's packages; the others that they need come with them. */
const PACKAGES = [
  'tryton-server',
  'tryton-modules-sale',
  'tryton-modules-stock',
  'tryton-modules-sale-amendment',
  'tryton-modules-account-invoice-stock',
  'tryton-modules-sale-price-list',
  'tryton-modules-product-price-list-dates',
  // Companies have a time zone only where this is installed.
  'python3-tz',
];
const MODULES = [
  'sale',
  'sale_amendment',
  'sale_price_list',
  'product_price_list_dates',
  'stock',
  'account_invoice_stock',
];

const DATABASE = 'erp';
const ADMIN = { login: 'admin', password: 'admin-password-1' } as const;

export interface RunningTryton {
  readonly url: string;
  readonly database: string;
  readonly admin: { readonly login: string; readonly password: string };
  readonly version: string;
  /** What it wrote to its log so far. */
  log(): Promise<string>;
  /** Ends this process; its files stay. */
  halt(): Promise<void>;
  /** Starts it again, at the same address. */
  resume(): Promise<void>;
  /** Copies its database, as a backup does. Only while it is at rest. */
  backUp(file: string): Promise<void>;
  /** Puts such a copy back. Only while it is halted. */
  restore(file: string): Promise<void>;
  /** Ends this process and removes its files; nothing else. */
  stop(): Promise<void>;
}

/**
 * A Tryton of Debian's packages on a free port of 127.0.0.1, with an empty SQLite database, or with a copy of one. All
 * its files are in one temporary directory.
 * @throws Error it cannot be installed or does not start: the message says what to do
 */
export const startTryton = async (
  say: (text: string) => void = () => undefined,
  backup?: string,
): Promise<RunningTryton> => {
  await install(say);
  const directory = await mkdtemp(join(tmpdir(), 'waybill-tryton-'));
  let server: ChildProcess | undefined;
  const stop = async () => {
    await end(server);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const port = await freePort();
    const config = join(directory, 'trytond.conf');
    const passwordFile = join(directory, 'password');
    await writeFile(config, configuration(directory, port));
    await writeFile(join(directory, 'passlib.ini'), PASSLIB);
    await writeFile(passwordFile, `${ADMIN.password}\n`, { mode: 0o600 });
    const databaseFile = join(directory, `${DATABASE}.sqlite`);
    if (backup) await copyFile(backup, databaseFile);
    else {
      say('initialising its database');
      await initialise(config, databaseFile, passwordFile);
    }
    const logFile = join(directory, 'trytond.log');
    const log = () => readFile(logFile, 'utf8');
    const url = `http://127.0.0.1:${port}`;
    const launch = async (): Promise<string> => {
      const out = await open(logFile, 'a');
      server = spawn('trytond', ['-c', config, '-d', DATABASE], { stdio: ['ignore', out.fd, out.fd] });
      await out.close();
      return answering(url, server, log);
    };
    const version = await launch();
    say(`Tryton ${version} listens on ${url}`);
    return {
      url,
      database: DATABASE,
      admin: ADMIN,
      version,
      log,
      halt: () => end(server),
      resume: async () => void (await launch()),
      backUp: (file) => copyFile(databaseFile, file),
      restore: (file) => copyFile(file, databaseFile),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

const initialise = async (config: string, databaseFile: string, passwordFile: string): Promise<void> => {
  // The file must exist before it is initialised (observed on Tryton 6.0).
  await writeFile(databaseFile, '');
  const all = ['-c', config, '-d', DATABASE, '--all', '--activate-dependencies'];
  await run('trytond-admin', [...all, '--email', 'admin@example.test', '-u', ...MODULES], {
    env: { ...process.env, TRYTONPASSFILE: passwordFile },
    maxBuffer: 64 * 1024 * 1024,
  });
};

const install = async (say: (text: string) => void): Promise<void> => {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  const manual = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (!(await onPath('apt-get'))) {
    throw new Error(
      `The tests against a real Tryton need Debian or Ubuntu, or a trytond with the modules ${MODULES.join(', ')} on the PATH: there is no apt-get here.`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Error(`Packages of Tryton are missing. Only root may install it: sudo ${manual}`);
  }
  say(`installing ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Another apt-get may be running; it is waited for.
  const lock = ['-o', 'DPkg::Lock::Timeout=300', '-qq'];
  const limits = { env, maxBuffer: 64 * 1024 * 1024 };
  await run('apt-get', [...lock, 'update'], limits);
  await run('apt-get', [...lock, 'install', '-y', '--no-install-recommends', ...missing], limits);
};

/** A Tryton that did not come as Debian's packages is taken as it is. */
const missingPackages = async (): Promise<readonly string[]> => {
  const isInstalled = async (name: string): Promise<boolean> => {
    const answer = await run('dpkg-query', ['-s', name]).catch(() => undefined);
    return /^Status: install ok installed$/m.test(answer?.stdout ?? '');
  };
  if ((await onPath('trytond-admin')) && !(await isInstalled('tryton-server'))) return [];
  const installed = await Promise.all(PACKAGES.map(isInstalled));
  return PACKAGES.filter((_, index) => !installed[index]);
};

const onPath = async (command: string): Promise<boolean> => {
  const places = (process.env['PATH'] ?? '').split(':').map((place) => access(join(place, command)));
  return (await Promise.allSettled(places)).some(({ status }) => status === 'fulfilled');
};

const configuration = (directory: string, port: number): string => `[database]
uri = sqlite://
path = ${directory}

[web]
listen = 127.0.0.1:${port}

[password]
passlib = ${join(directory, 'passlib.ini')}
`;

/** Passwords of an hour's life: at full strength a login takes half a second, and every test logs in. */
const PASSLIB = `[passlib]
schemes = pbkdf2_sha512
pbkdf2_sha512__default_rounds = 1000
`;

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });

const START_MS = 60_000;

/** The version that it says it has, as soon as it says anything. */
const answering = async (url: string, server: ChildProcess, log: () => Promise<string>): Promise<string> => {
  const untilMs = Date.now() + START_MS;
  const rpc = new TrytonRpc(url, DATABASE);
  while (Date.now() < untilMs && server.exitCode === null) {
    try {
      return String(await rpc.root('common.server.version'));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`trytond did not start: ${(await log()).slice(-2_000)}`);
};

const end = async (server: ChildProcess | undefined): Promise<void> => {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  const late = setTimeout(() => server.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(late);
};
