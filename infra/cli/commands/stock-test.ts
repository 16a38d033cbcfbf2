import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { dynamoDb } from '../../../shared/aws/clients.ts';
import { dynamoStockTests } from '../../../shared/aws/dynamo-stock-tests.ts';
import { invokeFunction } from '../../../shared/aws/lambda-api.ts';
import { stockTest, type TestedShop } from '../../../shared/core/stock-test/stock-test.ts';
import { locationsOf, type StockRoute } from '../../../shared/settings/stock-route.ts';
import { hint } from '../../problems.ts';
import { connectionsOf, type Settings } from '../../settings.ts';
import { openedErp, storefrontStock } from '../peers.ts';
import { openTarget, type Target, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';

interface StockTestOptions extends TargetOptions {
  readonly shop?: string;
  readonly erp?: string;
  readonly wait: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export const addStockTestCommand = (program: Command): void => {
  onTarget(program.command('stock-test <sku>'))
    .description('sell the last piece of a test SKU: ERP to shops, an order, the reservation, and back')
    .option('--shop <storefront>', 'order there; where no machine can, you are asked to do it')
    .option('--erp <connection>', 'where several routes have this test SKU')
    .option('--wait <seconds>', 'for each step', seconds, 300)
    .option('--yes', 'no questions')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `
Only SKUs that settings name (stock: testSkus), and only while nobody else buys or counts them. The order is a test order:
the route has to say accept: { test: 'confirm' }. It has no buyer's address, is never paid, and is cancelled before anything
is delivered, so no invoice, label or mail to a buyer comes of it. The shop may tell its own staff of a new order.
Everything is put back, also after Ctrl-C; after a kill the next run finds what was left, and puts that back.
It ends with 1 when the test did not pass, or something is left to put back.`,
    )
    .action(run);
};

const seconds = (text: string): number => {
  const n = Number(text);
  if (Number.isInteger(n) && n >= 1 && n <= 3600) return n;
  throw new InvalidArgumentError('a whole number of seconds up to 3600 is needed');
};

const run = async (sku: string, options: StockTestOptions): Promise<void> => {
  const target = await openTarget(options);
  const { settings } = target;
  const route = routeFor(settings, sku, options.erp);
  const { stock } = openedErp(settings, route.from);
  if (!stock) throw new Error(`the connector of "${route.from}" cannot tell its stock`);
  const isSandbox = [route.from, ...route.to].every((id) => isOnThisMachine(settings, id));
  const asks = !isSandbox && !options.yes;
  if (asks && !process.stdin.isTTY) throw new Error('nobody can be asked here: say --yes');
  const interrupted = onInterrupt();
  try {
    const tested = await stockTest(
      {
        erp: route.from,
        sku,
        route,
        stock,
        shops: new Map(
          route.to.map((id) => [
            id,
            {
              stock: storefrontStock(settings, id, locationsOf(route, id)),
              refuses: refusalOf(settings, id, route.from),
            } satisfies TestedShop,
          ]),
        ),
        notes: dynamoStockTests(dynamoDb(), target.stockTable),
        wake: () => wake(target, route.from),
        pause: ({ signal }) => sleep(PAUSE_MS, undefined, { signal }).catch(() => signal.throwIfAborted()),
        consent: asks ? ask : async () => true,
        say: options.json ? () => undefined : say,
        nowMs: Date.now,
        waitMs: options.wait * 1000,
        restoring: () => ({ signal: AbortSignal.timeout(4 * options.wait * 1000) }),
      },
      options.shop,
      { signal: interrupted.signal },
    );
    if (options.json) sayJson({ sku, erp: route.from, ...tested });
    else {
      say(WORDS[tested.kind]);
      for (const what of tested.left) say(`left for you: ${what}`);
      if (tested.left.length > 0) say('run it again to try once more');
    }
    if (tested.kind === 'failed' || tested.kind === 'declined' || tested.left.length > 0)
      process.exitCode = 1;
  } finally {
    interrupted.dispose();
  }
};

const PAUSE_MS = 500;

const WORDS = {
  passed: 'passed: the last piece was sold once, and everything is as it was',
  failed: 'not passed',
  restored: 'put back what an interrupted test had left; run it again to test',
  declined: 'nothing was done',
} as const;

/** @throws Error it is no test SKU, or of several routes */
const routeFor = ({ stock }: Settings, sku: string, erp: string | undefined): StockRoute => {
  const routes = stock.filter(({ from, mode }) => mode === 'live' && (erp === undefined || from === erp));
  const able = routes.filter(({ testSkus }) => testSkus.includes(sku));
  const [route, another] = able;
  if (route && !another) return route;
  if (another)
    throw new Error(
      `several ERPs have this test SKU: say --erp ${able.map(({ from }) => from).join(' or ')}`,
    );
  const known = routes.flatMap(({ testSkus }) => testSkus);
  throw new Error(
    known.length === 0
      ? 'no stock route that is live names test SKUs: add testSkus to it, and deploy'
      : `"${sku}" is no test SKU (stock: testSkus), and nobody else may be bought; ${hint(sku, known)}`,
  );
};

/** Why a test order of that shop is not confirmed in the ERP. */
const refusalOf = ({ orders }: Settings, shop: string, erp: string): string | undefined => {
  const index = orders.findIndex(({ from, to }) => from === shop && to === erp);
  const route = orders[index];
  if (route?.mode !== 'live') return `no order of ${shop} goes to ${erp}: there is no live route`;
  return route.accept.test === 'confirm'
    ? undefined
    : `orders.${index}.accept.test is "${route.accept.test}": test orders of ${shop} reserve nothing; say "confirm", and deploy`;
};

const isOnThisMachine = (settings: Settings, id: string): boolean => {
  const url = connectionsOf(settings).find((one) => one.id === id)?.connection.url;
  return url !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
};

/** A poll that somebody else runs, or that takes longer, is as good. */
const wake = async (target: Target, erp: string): Promise<void> => {
  const name = (await target.functions())[erp]?.pollStock;
  if (name !== undefined) await invokeFunction(dynamoDb(), name, {}).catch(() => undefined);
};

const ask = async (question: string): Promise<boolean> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
};

/** Ctrl-C once puts everything back; a second one ends the process as usual. */
const onInterrupt = (): { signal: AbortSignal; dispose: () => void } => {
  const stop = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const dispose = () => {
    for (const signal of signals) process.removeListener(signal, interrupt);
  };
  const interrupt = () => {
    dispose();
    stop.abort(new Error('interrupted'));
  };
  for (const signal of signals) process.on(signal, interrupt);
  return { signal: stop.signal, dispose };
};
