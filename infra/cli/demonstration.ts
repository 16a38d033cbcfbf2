import { readFile } from 'node:fs/promises';
import Table from 'cli-table3';
import pc from 'picocolors';
import { moneyText } from '../../shared/core/money.ts';
import type { Secrets } from '../secrets.ts';
import { erpsOf, type Settings, storefrontsOf } from '../settings.ts';
import { Journeys } from './journeys.ts';
import { mappingRowsFrom } from './mapping-csv.ts';
import { readBack } from './read-back.ts';
import { isRight, type Report, type ReportedConnection, reportOf } from './report.ts';
import { type LocalRun, runLocally } from './run-local.ts';
import type { ExpectedOrder, Sandbox } from './sandbox/index.ts';

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
  const journeys = new Journeys(tell, settings);
  const interrupted = onInterrupt();
  let run: LocalRun | undefined;
  try {
    tell(pc.dim('synthesising the templates and starting them …'));
    run = await runLocally({
      settings,
      secrets,
      onLine: (text) => journeys.take(text),
      // Five functions of each kind would only wait for this machine's few cores.
      ...(sandbox ? { processes: () => 2 } : {}),
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.data === undefined ? {} : { dataDir: options.data }),
    });
    if (options.mappings) await importMappings(options.mappings, run, settings);
    if (sandbox) await sandbox.connect(run);
    // From the start of this process, so that installing is the only thing it leaves out.
    const readyMs = Math.round(performance.now());
    introduce(options, run, readyMs);

    const placed = sandbox && (await sandbox.placeOrders());
    if (!options.once) {
      await interrupted.promise;
      tell(pc.dim('\nstopping …'));
      return 0;
    }
    const wanted = options.orders ?? 1;
    const isThere = (order: ExpectedOrder) =>
      order.expect === 'ignored' ? hasOutcome(journeys, order) : journeys.isSettled(order);
    const hasArrived = () => (placed ? placed.every(isThere) : journeys.settledOrders() >= wanted);
    const timeoutMs = options.timeout * 1000;
    const inTime = await Promise.race([journeys.until(hasArrived, timeoutMs), interrupted.promise]);
    const repeated = inTime && sandbox ? await repeatAll(sandbox, journeys, options) : 0;

    const call = { signal: AbortSignal.timeout(60_000) };
    const readings = [];
    for (const { expect, ...order } of placed ?? expectedOf(journeys)) {
      readings.push({ ...(await readBack({ settings, secrets }, order, call)), expect });
    }
    const report = reportOf({
      readyMs,
      readBack: readings,
      journeys: journeys.all(),
      connections: connectionsIn(settings, sandbox),
      repeated,
    });
    if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else tell(summaryOf(report));
    if (!inTime) {
      const missing = placed?.filter((order) => !isThere(order)).length;
      const what = placed
        ? `${missing} of ${placed.length}`
        : `${wanted - journeys.settledOrders()} of ${wanted}`;
      tell(pc.red(`${what} orders did not arrive within ${options.timeout} s`));
    }
    return inTime && report.failed === 0 && report.duplicates === 0 && report.orders.length > 0 ? 0 : 1;
  } finally {
    interrupted.dispose();
    await run?.stop();
    await sandbox?.stop();
  }
};

/** Every delivery once more; waits until each came to its end. @returns how many were sent */
const repeatAll = async (
  sandbox: Sandbox,
  journeys: Journeys,
  { tell, timeout }: DemonstrationOptions,
): Promise<number> => {
  tell(pc.dim('\nsending every delivery once more; what was taken before is not told again …'));
  journeys.expectRepeats();
  const before = journeys.deliveries();
  const repeated = await sandbox.replay();
  // What the functions say comes through a pipe, later than their answers.
  const isOver = () => journeys.deliveries() >= before + repeated && journeys.inFlight() === 0;
  if (!(await journeys.until(isOver, timeout * 1000)))
    tell(pc.red(`not every repeated delivery came to its end within ${timeout} s`));
  return repeated;
};

const hasOutcome = (journeys: Journeys, { storefront, orderId, erp }: ExpectedOrder): boolean =>
  journeys.all().some((j) => j.storefront === storefront && j.orderId === orderId && j.erp === erp);

/** At peers of one's own nobody said beforehand what would come. */
const expectedOf = (journeys: Journeys): ExpectedOrder[] =>
  journeys.all().map(({ storefront, orderId, erp, ignored }) => ({
    storefront,
    orderId,
    erp,
    expect: ignored === undefined ? 'written' : 'ignored',
  }));

const connectionsIn = (settings: Settings, sandbox: Sandbox | undefined): ReportedConnection[] =>
  [...storefrontsOf(settings), ...erpsOf(settings)].map(({ id, manifest: { kind, name } }) => ({
    id,
    kind,
    connector: name,
    dialects: sandbox?.dialects()[id] ?? null,
  }));

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
  const table = bareTable();
  for (const { id, manifest, connection } of storefrontsOf(settings)) {
    table.push([manifest.title, id, connection.url ?? '']);
  }
  for (const { id, manifest, connection } of erpsOf(settings)) {
    const from = settings.orders.filter(({ to }) => to === id).map((route) => route.from);
    table.push([manifest.title, id, `${connection.url} ${pc.dim(`orders of ${from.join(', ')}`)}`]);
  }
  for (const [id, url] of run.webhookUrls) table.push(['webhooks of', id, url]);
  const services = new Map<string, string[]>();
  for (const [name, url] of Object.entries(run.stack.endpoints))
    services.set(url, [...(services.get(url) ?? []), name]);
  for (const [url, names] of services) table.push([pc.dim('AWS, here'), url, pc.dim(names.join(', '))]);
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

const bareTable = (head: readonly string[] = []) =>
  new Table({
    chars: BARE,
    head: head.map((title) => pc.dim(title)),
    colAligns: head.map((title) => (RIGHT.includes(title) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });

const RIGHT = ['shop says', 'ERP says', 'after'];

const summaryOf = (report: Report): string => {
  const { orders, ignored, duplicates, failed, connections, repeated } = report;
  const table = bareTable(['order', '', 'shop says', 'ERP', '', 'ERP says', 'after']);
  for (const order of orders) {
    const erpTotal = order.erpTotal ? moneyText(order.erpTotal) : 'not there';
    table.push([
      order.storefront,
      order.orderNumber ?? order.orderId,
      moneyText(order.total),
      order.erp,
      order.erpOrderName ?? '',
      isRight(order) ? pc.green(erpTotal) : pc.red(erpTotal),
      order.webhookToErpMs === null ? '' : `${(order.webhookToErpMs / 1000).toFixed(2)} s`,
    ]);
  }
  const left = ignored.map(
    ({ storefront, orderNumber, orderId, erp, code }) =>
      `${storefront} ${orderNumber ?? orderId} is not in ${erp}, and need not be: ${code ?? 'nobody says why'}`,
  );
  const spoken = connections.flatMap(({ id, dialects }) =>
    dialects?.length ? [`${id} was spoken to over ${dialects.join(' and ')}`] : [],
  );
  const erps = connections.filter(({ kind }) => kind === 'erp').length;
  const shopOrders = new Set(orders.map(({ storefront, orderId }) => `${storefront} ${orderId}`)).size;
  const verdict = failed + duplicates === 0 ? pc.green : pc.red;
  return [
    '',
    table.toString(),
    ...[...left, ...spoken].map((line) => pc.dim(line)),
    '',
    verdict(
      `${shopOrders} orders, ${orders.length} in ${erps} ERPs: ${duplicates} duplicates, ${failed} failed`,
    ) + (repeated > 0 ? `, after ${repeated} deliveries were sent twice` : ''),
  ].join('\n');
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
