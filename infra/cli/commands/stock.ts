import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { dynamoDb, eventBridge } from '../../../shared/aws/clients.ts';
import { dynamoPollStates } from '../../../shared/aws/dynamo-poll-states.ts';
import { dynamoPrices } from '../../../shared/aws/dynamo-prices.ts';
import { dynamoStock } from '../../../shared/aws/dynamo-stock.ts';
import { publisher } from '../../../shared/aws/event-bridge.ts';
import { invokeFunction } from '../../../shared/aws/lambda-api.ts';
import {
  approvePrices,
  dismissPrices,
  type HeldRow,
  heldPrices,
} from '../../../shared/core/products/held-prices.ts';
import { type LowStock, lowStock } from '../../../shared/core/stock/low-stock.ts';
import { decideHeld, type HeldCycle } from '../../../shared/core/stock/poll-state.ts';
import type { ListingRow } from '../../../shared/core/stock/rows.ts';
import type { StockRoute } from '../../../shared/settings/stock-route.ts';
import { hint } from '../../problems.ts';
import { openTarget, type Target, type TargetOptions } from '../target.ts';
import { onTarget } from './on-target.ts';
import { say, sayJson } from './output.ts';
import { heldPriceWords, heldWords, lowWords, rowWords } from './stock-words.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
}
interface DecideOptions extends Options {
  readonly by: string;
  readonly why?: string;
  readonly yes?: boolean;
  readonly prices?: boolean;
  readonly sku?: readonly string[];
}

export const addStockCommands = (program: Command): void => {
  const stock = program
    .command('stock')
    .description('what there is, what shops show of it, and what is held');
  const json = (command: Command): Command => onTarget(command).option('--json', 'as JSON');
  json(stock.command('held'))
    .description('cycles and prices that wait for a person, and why')
    .addHelpText('after', '\nIt ends with 1 when something is held.')
    .action(held);
  const deciding = (command: Command): Command =>
    json(command)
      .option('--prices', 'prices that are held, instead of a cycle of stock')
      .option('--sku <sku...>', 'with --prices: only these SKUs of the shop')
      .option('--by <name>', 'who: kept with the decision', userInfo().username)
      .option('--why <text>', 'why: kept with the decision')
      .option('--yes', 'do it; without, it only says what would be done');
  deciding(stock.command('approve <erp>'))
    .description('let what is held pass, once')
    .action((erp: string, options: DecideOptions) => decide('approve', erp, options));
  deciding(stock.command('dismiss <erp>'))
    .description('step over what is held: the shops stay as they are')
    .action((erp: string, options: DecideOptions) => decide('dismiss', erp, options));
  json(stock.command('poll <erp>'))
    .description('ask an ERP at once what changed, instead of waiting for the next run')
    .option('--all', 'a complete listing')
    .action(poll);
  json(stock.command('resync <shop>'))
    .description(
      'compare everything that a shop shows with what it should show, and have written what differs',
    )
    .action(resync);
  json(stock.command('low'))
    .description('SKUs below the level that settings give them, the most urgent first')
    .action(low);
  json(stock.command('show <sku>'))
    .description(
      'everything behind a number: what the ERP has, who has ordered it, what each shop shows and why',
    )
    .option('--erp <connection>', 'where several ERPs know the SKU')
    .action(show);
};

const low = async (options: Options): Promise<void> => {
  const target = await openTarget(options);
  const { stock } = tablesOf(target);
  const now = Date.now();
  const found: (LowStock & { erp: string })[] = [];
  for (const route of target.settings.stock) {
    for await (const page of stock.allRows(route.from)) {
      for (const row of page) {
        const one = lowStock(row, route, now);
        if (one) found.push({ erp: route.from, ...one });
      }
    }
  }
  found.sort((a, b) => (a.daysOfCover ?? Number.MAX_VALUE) - (b.daysOfCover ?? Number.MAX_VALUE));
  if (options.json) sayJson(found);
  else {
    for (const line of lowWords(found, now)) say(line);
    if (found.length === 0) say('nothing is low');
  }
};

const held = async (options: Options): Promise<void> => {
  const target = await openTarget(options);
  const { states, prices } = tablesOf(target);
  const cycles: { erp: string; held: HeldCycle }[] = [];
  const shops: { shop: string; rows: readonly HeldRow[] }[] = [];
  for (const { from, to } of target.settings.stock) {
    const { held: cycle } = await states.load(from);
    if (cycle) cycles.push({ erp: from, held: cycle });
    for (const shop of to) {
      const rows = await heldPrices(prices, shop);
      if (rows.length > 0) shops.push({ shop, rows });
    }
  }
  const count = cycles.length + shops.length;
  if (options.json) {
    sayJson({
      cycles: cycles.map(({ erp, held: cycle }) => ({ erp, ...cycle })),
      prices: shops.flatMap(({ shop, rows }) =>
        rows.map(({ sku, held: { code, was, is, sinceMs } }) => ({ shop, sku, code, was, is, sinceMs })),
      ),
    });
  } else {
    const now = Date.now();
    for (const { erp, held: cycle } of cycles) {
      for (const line of heldWords(erp, cycle, now, target.flag)) say(line);
    }
    for (const { shop, rows } of shops) for (const line of heldPriceWords(shop, rows, now)) say(line);
    if (shops.length > 0) {
      say(`prices pass with: npx waybill stock approve ERP --prices ${target.flag} --yes --why "…"`);
    }
    if (count === 0) say('nothing is held');
  }
  if (count > 0) process.exitCode = 1;
};

const decide = async (does: 'approve' | 'dismiss', erp: string, options: DecideOptions): Promise<void> => {
  const target = await openTarget(options);
  const route = routeOf(target, erp);
  const why = options.why?.trim() ?? '';
  if (options.yes && why === '') throw new Error('say why: --why TEXT');
  if (options.sku && !options.prices)
    throw new Error('--sku goes with --prices: a cycle of stock passes as a whole');
  const who = { by: options.by, why };
  const { states, prices } = tablesOf(target);
  if (options.prices) return decidePrices(does, target, route, who, options);
  const { held: cycle } = await states.load(erp);
  if (!cycle) {
    say(`nothing of ${erp} is held${(await someHeld(prices, route)) ? ', apart from prices: --prices' : ''}`);
    process.exitCode = 1;
    return;
  }
  if (!options.yes) {
    for (const line of heldWords(erp, cycle, Date.now(), target.flag)) say(line);
    say(`nothing was done: say --yes --why "…" to ${does} it`);
    return;
  }
  await decideHeld(states, erp, { does, ...who, atMs: Date.now() });
  const ran = await invoked(target, erp, 'pollStock', {});
  if (options.json) return sayJson({ erp, does, ...who, held: cycle, ran });
  say(`${erp}: the next cycle of this kind ${does === 'approve' ? 'passes' : 'is stepped over'}`);
  say(ran === undefined ? 'the next poll does it' : ranWords(erp, ran));
};

const someHeld = async (prices: ReturnType<typeof dynamoPrices>, { to }: StockRoute): Promise<boolean> => {
  for (const shop of to) if ((await heldPrices(prices, shop)).length > 0) return true;
  return false;
};

const decidePrices = async (
  does: 'approve' | 'dismiss',
  target: Target,
  route: StockRoute,
  who: { readonly by: string; readonly why: string },
  { sku: only, yes, json }: DecideOptions,
): Promise<void> => {
  const { prices } = tablesOf(target);
  const publish = publisher(eventBridge(), target.eventBus);
  const done: { shop: string; sku: string }[] = [];
  let count = 0;
  for (const shop of route.to) {
    const rows = (await heldPrices(prices, shop)).filter(({ sku }) => only?.includes(sku) ?? true);
    count += rows.length;
    if (!yes) {
      if (rows.length > 0) for (const line of heldPriceWords(shop, rows, Date.now())) say(line);
      continue;
    }
    const decided =
      does === 'approve'
        ? await approvePrices({ prices, publish, nowMs: Date.now, newId: randomUUID }, route.from, rows, who)
        : await dismissPrices(prices, rows);
    done.push(...decided.map(({ sku }) => ({ shop, sku })));
  }
  if (count === 0) {
    say(`no price of ${route.from} is held${only ? ' among these SKUs' : ''}`);
    process.exitCode = 1;
  } else if (!yes) say(`nothing was done: say --yes --why "…" to ${does} them`);
  else if (json) sayJson({ erp: route.from, does, ...who, prices: done });
  else {
    say(
      `${done.length} of ${count} prices: ${does === 'approve' ? 'written within a minute' : 'left as the shops show them'}`,
    );
    if (done.length < count)
      say('the others were changed by somebody meanwhile: look again with waybill stock held');
  }
};

const poll = async (erp: string, options: Options & { all?: boolean }): Promise<void> => {
  const target = await openTarget(options);
  routeOf(target, erp);
  const ran = await invoked(target, erp, 'pollStock', { all: options.all ?? false });
  if (ran === undefined) throw new Error(`${erp} has no function that polls its stock: is its route off?`);
  if (options.json) sayJson(ran);
  else say(ranWords(erp, ran));
  if (ran.outcome === 'failed' || ran.outcome === 'held') process.exitCode = 1;
};

const resync = async (shop: string, options: Options): Promise<void> => {
  const target = await openTarget(options);
  const shops = target.settings.stock.flatMap(({ to }) => to);
  if (!shops.includes(shop)) throw new Error(`no stock flows to "${shop}"; ${hint(shop, shops)}`);
  const ran = await invoked(target, shop, 'listStock', {});
  if (ran === undefined)
    throw new Error(`${shop} has no function that lists what it sells: is its route off?`);
  if (options.json) sayJson(ran);
  else {
    const { outcome, looked = 0, same = 0, due = 0, warnings = [] } = ran;
    if (outcome === 'busy') say(`${shop} is being listed at this moment, by another run`);
    else if (outcome === 'running') say(`${shop} is still being read; its log says how it ends`);
    else if (outcome === 'failed')
      say(`${shop} could not be read: ${ran.code ?? 'no code'}, ${ran.reason ?? 'no reason'}`);
    else {
      say(`${shop}: ${looked} listings read, ${same} of them written by Waybill, ${due} to be written now`);
      for (const warning of warnings) say(`  ${warning}`);
      if (outcome === 'shrunken') say('  too many listings are gone at once: they are left as they were');
    }
  }
  if (ran.outcome === 'failed' || ran.outcome === 'shrunken') process.exitCode = 1;
};

const show = async (sku: string, options: Options & { erp?: string }): Promise<void> => {
  const target = await openTarget(options);
  const routes = target.settings.stock.filter(
    ({ from }) => options.erp === undefined || from === options.erp,
  );
  if (routes.length === 0) routeOf(target, options.erp ?? '');
  const { stock } = tablesOf(target);
  const shown: object[] = [];
  for (const route of routes) {
    const row = (await stock.rows(route.from, [sku])).get(sku);
    if (!row || row.version === 0) continue;
    const listings = new Map<string, ListingRow>();
    for (const [shop, claims] of Map.groupBy(Object.values(row.claims), (claim) => claim.shop)) {
      const keys = claims.map(({ listing, location }) => ({ sku: listing, location }));
      for (const [id, listing] of await stock.listings(shop, keys)) listings.set(id, listing);
    }
    shown.push({ ...row, listings: [...listings.values()] });
    if (!options.json) for (const line of rowWords(row, route, listings, Date.now())) say(line);
  }
  if (options.json) sayJson(shown);
  if (shown.length > 0) return;
  if (!options.json)
    say(`nothing is known of "${sku}": neither an ERP nor a shop has told of it (SKUs are case-sensitive)`);
  process.exitCode = 1;
};

const tablesOf = ({ stockTable }: Target) => {
  const dynamo = dynamoDb();
  return {
    states: dynamoPollStates(dynamo, stockTable),
    prices: dynamoPrices(dynamo, stockTable),
    stock: dynamoStock(dynamo, stockTable),
  };
};

/** @throws Error no stock flows from there, and what there is */
const routeOf = ({ settings }: Target, erp: string): StockRoute => {
  const route = settings.stock.find(({ from }) => from === erp);
  if (route) return route;
  const known = settings.stock.map(({ from }) => from);
  throw new Error(`no stock flows from "${erp}"; ${hint(erp, known)}`);
};

interface Ran {
  readonly outcome?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly looked?: number;
  readonly found?: number;
  readonly same?: number;
  readonly due?: number;
  readonly warnings?: readonly string[];
}

/** undefined: there is no such function. */
const invoked = async (
  target: Target,
  connection: string,
  name: 'pollStock' | 'listStock',
  payload: object,
): Promise<Ran | undefined> => {
  const called = (await target.functions())[connection]?.[name];
  if (!called) return undefined;
  return (await invokeFunction(dynamoDb(), called, payload).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'TimeoutError') return { outcome: 'running' };
    throw error;
  })) as Ran;
};

const ranWords = (erp: string, { outcome, code, reason, looked = 0, found = 0 }: Ran): string => {
  switch (outcome) {
    case 'running':
      return `${erp} is still being read; its log says how it ends`;
    case 'busy':
      return `${erp} is being read at this moment, by another run`;
    case 'failed':
      return `${erp} could not be read: ${code ?? 'no code'}, ${reason ?? 'no reason'}`;
    case 'held':
      return `${erp} is held: waybill stock held says why`;
    case 'dismissed':
      return `${erp}: ${looked} SKUs read, none told`;
    default:
      return `${erp}: ${looked} SKUs read, ${found} told that are new`;
  }
};
