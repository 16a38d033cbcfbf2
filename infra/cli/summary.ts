import Table from 'cli-table3';
import pc from 'picocolors';
import { moneyText } from '../../shared/core/money.ts';
import { erpsOf, paymentsOf, type Settings, storefrontsOf } from '../settings.ts';
import { type IgnoredOrder, isRight, isShownRight, type Report } from './report.ts';
import type { LocalRun } from './run-local.ts';
import type { BookedPayment } from './sandbox/peer.ts';

/** What runs where, and how to use it. */
export const introductionOf = ({
  settings,
  run,
  readyMs,
  curl,
}: {
  readonly settings: Settings;
  readonly run: Pick<LocalRun, 'webhookUrls' | 'stack'>;
  readonly readyMs: number;
  /** undefined: real shops send. */
  readonly curl: string | undefined;
}): string => {
  const table = bareTable();
  for (const { id, manifest, connection } of storefrontsOf(settings)) {
    table.push([manifest.title, id, connection.url ?? '']);
  }
  for (const { id, manifest, connection } of erpsOf(settings)) {
    const from = settings.orders.filter(({ to }) => to === id).map((route) => route.from);
    table.push([manifest.title, id, `${connection.url} ${pc.dim(`orders of ${from.join(', ')}`)}`]);
  }
  for (const { id, manifest, connection } of paymentsOf(settings)) {
    const shops = settings.payments.filter(({ from }) => from === id).flatMap(({ orders }) => orders);
    table.push([
      manifest.title,
      id,
      `${connection.url ?? ''} ${pc.dim(`payments of ${shops.join(', ')}`)}`.trim(),
    ]);
  }
  for (const [id, url] of run.webhookUrls) table.push(['webhooks of', id, url]);
  const services = new Map<string, string[]>();
  for (const [name, url] of Object.entries(run.stack.endpoints)) {
    services.set(url, [...(services.get(url) ?? []), name]);
  }
  for (const [url, names] of services) table.push([pc.dim('AWS, here'), url, pc.dim(names.join(', '))]);
  return [
    `${pc.green('ready')} after ${(readyMs / 1000).toFixed(1)} s`,
    textOf(table),
    ...(curl === undefined
      ? ['Waiting for orders: let the shop send its webhooks to the addresses above.']
      : [pc.bold('Send a signed webhook yourself:'), curl]),
    pc.dim('Ctrl-C stops everything.\n'),
  ].join('\n\n');
};

/** The report for people: one row for each order and ERP, then what else there is to know. */
export const summaryOf = (report: Report): string => {
  const { orders, ignored, duplicates, failed, connections, repeated, payments, stock } = report;
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
  const spoken = connections.flatMap(({ id, dialects }) =>
    dialects?.length ? [pc.dim(`${id} was spoken to over ${dialects.join(' and ')}`)] : [],
  );
  const booked = Object.entries(payments ?? {})
    .filter(([, all]) => all.length > 0)
    .map(([erp, all]) => pc.dim(`${erp} has booked ${all.map(bookedText).join(', ')}`));
  const erps = new Set(orders.map(({ erp }) => erp)).size;
  const shopOrders = new Set(orders.map(({ storefront, orderId }) => `${storefront} ${orderId}`)).size;
  const verdict = failed + duplicates === 0 ? pc.green : pc.red;
  return [
    '',
    textOf(table),
    ...ignored.map(ignoredText),
    ...spoken,
    ...booked,
    ...shownText(stock ?? []),
    '',
    verdict(
      `${shopOrders} orders, ${orders.length} in ${erps} ERPs: ${duplicates} duplicates, ${failed} failed`,
    ) + (repeated > 0 ? `, after ${repeated} deliveries were sent twice` : ''),
  ].join('\n');
};

const bookedText = ({ direction, amount, currency }: BookedPayment): string =>
  `${amount} ${currency}${direction === 'out' ? ' back' : ''}`;

const ignoredText = ({ storefront, orderNumber, orderId, erp, erpOrderId, code }: IgnoredOrder): string => {
  const order = `${storefront} ${orderNumber ?? orderId}`;
  return erpOrderId === null
    ? pc.dim(`${order} is not in ${erp}, and need not be: ${code ?? 'nobody says why'}`)
    : pc.red(`${order} is in ${erp} as number ${erpOrderId}, and must not be`);
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

/** Without the blanks at the ends of lines. */
const textOf = (table: { toString(): string }): string => table.toString().replace(/ +$/gm, '');

/** One line for each shop: how many SKUs show what the ERP has, and those that do not. */
const shownText = (stock: NonNullable<Report['stock']>): string[] =>
  [...Map.groupBy(stock, ({ shop }) => shop)].map(([shop, all]) => {
    const wrong = all.filter((one) => !isShownRight(one));
    const words = wrong.map(
      ({ sku, shows, available }) => `${sku} ${shows ?? 'not counted'} instead of ${available}`,
    );
    const right = `${shop} shows what ${all[0]?.erp} has of ${all.length - wrong.length} SKUs`;
    return wrong.length === 0 ? pc.dim(right) : pc.red(`${right}, not of ${words.join(', ')}`);
  });
