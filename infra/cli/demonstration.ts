import { readFile } from 'node:fs/promises';
import pc from 'picocolors';
import type { Secrets } from '../secrets.ts';
import { erpsOf, paymentsOf, type Settings, storefrontsOf } from '../settings.ts';
import { beginStock } from './begin-stock.ts';
import { Journeys } from './journeys.ts';
import { mappingRowsFrom } from './mapping-csv.ts';
import { readBack } from './read-back.ts';
import { isShownRight, type ReportedConnection, reportOf } from './report.ts';
import { type LocalRun, runLocally } from './run-local.ts';
import type { ExpectedOrder, Sandbox } from './sandbox/index.ts';
import { introductionOf, summaryOf } from './summary.ts';

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
    tell(introductionOf({ settings, run, readyMs, curl: sandbox?.curl(run) }));

    await beginStock(run, settings);
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
    const { repeated, isOver } =
      inTime && sandbox ? await repeatAll(sandbox, journeys, options) : { repeated: 0, isOver: true };

    const isShown = () => sandbox?.stock().every(isShownRight) ?? true;
    const stockInTime = await Promise.race([journeys.until(isShown, timeoutMs), interrupted.promise]);
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
      payments: sandbox?.payments() ?? null,
      stock: sandbox?.stock() ?? null,
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
    if (!stockInTime) tell(pc.red(`not every shop showed what its ERP has within ${options.timeout} s`));
    const isRight = report.failed === 0 && report.duplicates === 0 && report.orders.length > 0;
    return inTime && isOver && stockInTime && isRight ? 0 : 1;
  } finally {
    interrupted.dispose();
    await run?.stop();
    await sandbox?.stop();
  }
};

/** Sends every delivery once more and waits until each has come to its end. */
const repeatAll = async (
  sandbox: Sandbox,
  journeys: Journeys,
  { tell, timeout }: DemonstrationOptions,
): Promise<{ repeated: number; isOver: boolean }> => {
  tell(pc.dim('\nsending every delivery once more; what was taken before is not told again …'));
  journeys.expectRepeats();
  const before = journeys.deliveries();
  const repeated = await sandbox.replay();
  // What the functions say comes through a pipe, later than their answers.
  const hasEnded = () => journeys.deliveries() >= before + repeated && journeys.inFlight() === 0;
  const isOver = await journeys.until(hasEnded, timeout * 1000);
  if (!isOver) tell(pc.red(`not every repeated delivery came to its end within ${timeout} s`));
  return { repeated, isOver };
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
  [...storefrontsOf(settings), ...erpsOf(settings), ...paymentsOf(settings)].map(
    ({ id, manifest: { kind, name } }) => ({
      id,
      kind,
      connector: name,
      dialects: sandbox?.dialects()[id] ?? null,
    }),
  );

const importMappings = async (file: string, run: LocalRun, settings: Settings): Promise<void> => {
  const known = {
    sources: storefrontsOf(settings).map(({ id }) => id),
    destinations: erpsOf(settings).map(({ id }) => id),
  };
  for (const row of mappingRowsFrom(await readFile(file, 'utf8'), file, known))
    await run.mappings.put(row, 'npm start');
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
