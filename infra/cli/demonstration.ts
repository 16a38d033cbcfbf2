import { readFile } from 'node:fs/promises';
import Table from 'cli-table3';
import pc from 'picocolors';
import { moneyText } from '../../shared/core/money.ts';
import type { Secrets } from '../secrets.ts';
import { erpsOf, type Settings, storefrontsOf } from '../settings.ts';
import { Journeys } from './journeys.ts';
import { mappingRowsFrom } from './mapping-csv.ts';
import { readBack } from './read-back.ts';
import { type Report, reportOf } from './report.ts';
import { type LocalRun, runLocally } from './run-local.ts';
import type { Sandbox } from './sandbox.ts';

export interface DemonstrationOptions {
  readonly settings: Settings;
  readonly secrets: Secrets;
  /** undefined: real peers; orders are waited for, not placed. */
  readonly sandbox: Sandbox | undefined;
  readonly mappings?: string;
  readonly once?: boolean;
  readonly json?: boolean;
  readonly orders?: number;
  /** Seconds that `once` waits. */
  readonly timeout: number;
  readonly port?: number;
  readonly data?: string;
  readonly tell: (line: string) => void;
}

/** Start everything, show the orders' journeys, stop everything. @returns the exit code */
export const demonstrate = async (options: DemonstrationOptions): Promise<number> => {
  const { settings, secrets, sandbox, tell } = options;
  const journeys = new Journeys(tell);
  const interrupted = onInterrupt();
  let run: LocalRun | undefined;
  try {
    tell(pc.dim('synthesising the templates and starting them …'));
    run = await runLocally({
      settings,
      secrets,
      onLine: (text) => journeys.take(text),
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.data === undefined ? {} : { dataDir: options.data }),
    });
    if (options.mappings) await importMappings(options.mappings, run, settings);
    if (sandbox) await sandbox.connect(run);
    // From the start of this process, so that installing is the only thing it leaves out.
    const readyMs = Math.round(performance.now());
    introduce(options, run, readyMs);

    const expected = sandbox ? await sandbox.placeOrders() : [];
    if (!options.once) {
      await interrupted.promise;
      tell(pc.dim('\nstopping …'));
      return 0;
    }
    const wanted = sandbox ? expected.length : (options.orders ?? 1);
    const settled = () => journeys.all().filter((j) => j.webhookToErpMs !== undefined || j.parked).length;
    const timeoutMs = options.timeout * 1000;
    const inTime = await Promise.race([
      journeys.until(() => settled() >= wanted, timeoutMs),
      interrupted.promise,
    ]);
    if (inTime && sandbox) await sandbox.replay(journeys, timeoutMs);
    const orders = sandbox ? expected : journeys.all();
    const call = { signal: AbortSignal.timeout(60_000) };
    const held = [];
    for (const order of orders) held.push(await readBack({ settings, secrets }, order, call));
    const report = reportOf(readyMs, held, journeys.all());
    if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else tell(tableOf(report));
    if (!inTime) tell(pc.red(`only ${settled()} of ${wanted} orders arrived within ${options.timeout} s`));
    return inTime && report.failed === 0 && report.duplicates === 0 && report.orders.length >= wanted ? 0 : 1;
  } finally {
    interrupted.dispose();
    await run?.stop();
    await sandbox?.stop();
  }
};

const importMappings = async (file: string, run: LocalRun, settings: Settings): Promise<void> => {
  const known = {
    sources: storefrontsOf(settings).map(({ id }) => id),
    destinations: erpsOf(settings).map(({ id }) => id),
  };
  for (const row of mappingRowsFrom(await readFile(file, 'utf8'), file, known))
    await run.mappings.put(row, 'npm start');
};

const introduce = (
  { settings, sandbox, tell }: DemonstrationOptions,
  run: LocalRun,
  readyMs: number,
): void => {
  const table = new Table({
    chars: BARE,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const { id, manifest, connection } of [...storefrontsOf(settings), ...erpsOf(settings)]) {
    table.push([manifest.title, id, connection.url]);
  }
  for (const [id, url] of run.webhookUrls) table.push(['webhooks of', id, url]);
  for (const [name, url] of Object.entries(run.stack.endpoints)) table.push(['local', name, url]);
  tell(`${pc.green('ready')} after ${(readyMs / 1000).toFixed(1)} s\n\n${table.toString()}\n`);
  if (sandbox) tell(`${pc.bold('Send a signed webhook yourself:')}\n\n${sandbox.curl(run)}\n`);
  else tell('Waiting for orders: let the shop send its webhooks to the addresses above.');
  tell(pc.dim('Ctrl-C stops everything.\n'));
};

const BARE = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((part) => [part, '']),
);

const tableOf = (report: Report): string => {
  const table = new Table({
    head: ['shop', 'order', 'shop says', 'ERP', 'document', 'ERP says', 'took'],
    style: { head: [], border: [] },
  });
  for (const order of report.orders) {
    const took = order.webhookToErpMs === null ? '' : `${order.webhookToErpMs} ms`;
    const erpTotal = order.erpTotal ? moneyText(order.erpTotal) : pc.red('not there');
    table.push([
      order.storefront,
      order.orderId,
      moneyText(order.total),
      order.erp,
      order.erpOrderId ?? '',
      erpTotal,
      took,
    ]);
  }
  const verdict = report.failed + report.duplicates === 0 ? pc.green : pc.red;
  return `\n${table.toString()}\n${verdict(`${report.orders.length} orders, ${report.duplicates} duplicates, ${report.failed} failed`)}`;
};

/** Ctrl-C once stops cleanly; a second one ends the process as usual. */
const onInterrupt = (): { promise: Promise<false>; dispose: () => void } => {
  let stop: () => void = () => undefined;
  const promise = new Promise<false>((resolve) => {
    stop = () => {
      dispose();
      resolve(false);
    };
  });
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const dispose = () => {
    for (const signal of signals) process.removeListener(signal, stop);
  };
  for (const signal of signals) process.on(signal, stop);
  return { promise, dispose };
};
