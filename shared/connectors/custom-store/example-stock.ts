/**
 * Takes stock and prices from Waybill. Copy this file into your store and put your own table where `Table` is: Node 22.18 or
 * newer, no packages. What counts is `setStock`: it compares and sets in one step.
 *
 *   node example-stock.ts 8787 <apiToken>        then, in the settings: url 'http://127.0.0.1:8787'
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

/** A row of `GET /listings`; see stock.schema.json. */
export interface Row {
  readonly id: string;
  readonly sku: string;
  readonly title: string;
  quantity: number | null;
  status: 'active' | 'hidden';
  currency: string;
  price: string;
  salePrice: string | null;
  saleFrom: string | null;
  saleUntil: string | null;
  pricesIncludeTax: boolean;
}

interface StockUpdate {
  readonly id: string;
  readonly location: string | null;
  readonly expected: number | null;
  readonly quantity: number;
}
interface PriceUpdate
  extends Pick<Row, 'id' | 'currency' | 'price' | 'salePrice' | 'saleFrom' | 'saleUntil'> {
  readonly status?: Row['status'];
}
type Result = Readonly<Record<string, unknown>>;

/** Your database. */
export class Table {
  readonly rows = new Map<string, Row>();
  /** Keep them for a day: what was answered to each idempotency key. */
  readonly answers = new Map<string, { readonly body: string; readonly answer: unknown }>();

  /** By id, so that the last id told is the place to go on from. */
  page(after: string, limit: number, skus: readonly string[]): Row[] {
    return [...this.rows.values()]
      .filter(({ id, sku }) => id > after && (skus.length === 0 || skus.includes(sku)))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }

  /**
   * One statement, so that no order can come between the comparison and the write:
   *
   *   UPDATE stock SET quantity = $quantity
   *   WHERE id = $id AND quantity IS NOT NULL AND ($expected IS NULL OR quantity = $expected)
   *
   * One row changed: written. None: read the row and say why.
   */
  setStock({ id, location, expected, quantity }: StockUpdate): Result {
    const row = this.rows.get(id);
    if (!row) return { result: 'refused', code: 'not_found' };
    if (location !== null) return { result: 'refused', code: 'unknown_location' };
    if (row.quantity === null) return { result: 'refused', code: 'not_counted' };
    if (expected !== null && row.quantity !== expected) return { result: 'stale', quantity: row.quantity };
    row.quantity = quantity;
    return { result: 'written' };
  }

  setPrice({ id, currency, ...prices }: PriceUpdate): Result {
    const row = this.rows.get(id);
    if (!row) return { result: 'refused', code: 'not_found' };
    if (currency !== row.currency) {
      return { result: 'refused', code: 'refused', message: `sold in ${row.currency}` };
    }
    const { price, salePrice, saleFrom, saleUntil, status = row.status } = prices;
    Object.assign(row, { price, salePrice, saleFrom, saleUntil, status });
    return { result: 'written' };
  }
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}
const refused = (status: number, code: string): Answer => ({ status, body: { code } });

const MAX_PAGE = 100;

/** What to answer; the same for every framework. */
export const answer = (
  table: Table,
  apiToken: string,
  request: {
    readonly method: string;
    /** Path and query, below the `url` of the settings. */
    readonly path: string;
    readonly authorization: string;
    readonly idempotencyKey: string;
    readonly body: string;
  },
): Answer => {
  if (!isSame(request.authorization, `Bearer ${apiToken}`)) return refused(401, 'unauthorized');
  const { pathname, searchParams } = new URL(request.path, 'http://store');
  if (request.method === 'GET' && pathname === '/listings') {
    const limit = Math.min(MAX_PAGE, Number(searchParams.get('limit') ?? MAX_PAGE));
    const skus = searchParams.getAll('sku');
    const after = searchParams.get('cursor') ?? '';
    const data = table.page(after, limit, skus);
    const last = data.at(-1)?.id ?? after;
    const hasMore = table.page(last, 1, skus).length > 0;
    return { status: 200, body: { data, nextCursor: hasMore ? last : null } };
  }
  if (request.method !== 'POST') return refused(404, 'no_such_path');

  // A repetition is answered as the first one was, and changes nothing again.
  const known = table.answers.get(request.idempotencyKey);
  if (known) {
    return known.body === request.body
      ? { status: 200, body: known.answer }
      : refused(422, 'idempotency_key_reused');
  }
  const updates = updatesIn(request.body);
  if (!updates) return refused(400, 'invalid_body');
  const results = resultsOf(table, pathname, updates);
  if (!results) return refused(404, 'no_such_path');
  table.answers.set(request.idempotencyKey, { body: request.body, answer: { results } });
  return { status: 200, body: { results } };
};

const updatesIn = (body: string): unknown[] | undefined => {
  try {
    const { updates } = JSON.parse(body) as { updates?: unknown };
    return Array.isArray(updates) && updates.length <= MAX_PAGE ? updates : undefined;
  } catch {
    return undefined;
  }
};

/** One result for each update: a bad one never stops the others. */
const resultsOf = (table: Table, pathname: string, updates: readonly unknown[]): Result[] | undefined => {
  if (pathname === '/stock') {
    return (updates as StockUpdate[]).map((update) => ({
      id: update.id,
      location: update.location,
      ...table.setStock(update),
    }));
  }
  if (pathname === '/prices') {
    return (updates as PriceUpdate[]).map((update) => ({ id: update.id, ...table.setPrice(update) }));
  }
  return undefined;
};

const isSame = (given: string, wanted: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
};

const read = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
};

/** @returns the port that it listens on, of this machine only */
export const listen = async (table: Table, apiToken: string, port: number): Promise<number> => {
  const server = createServer(async (request, response) => {
    const { status, body } = answer(table, apiToken, {
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization ?? '',
      idempotencyKey: [request.headers['idempotency-key']].flat()[0] ?? '',
      body: await read(request),
    });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

/** Two mugs and a voucher that nobody counts. */
const exampleTable = (): Table => {
  const table = new Table();
  const row = (id: string, sku: string, title: string, quantity: number | null): Row => ({
    id,
    sku,
    title,
    quantity,
    status: 'active',
    currency: 'EUR',
    price: '11.90',
    salePrice: null,
    saleFrom: null,
    saleUntil: null,
    pricesIncludeTax: true,
  });
  for (const each of [
    row('prd_1', 'MUG-01', 'Mug', 5),
    row('prd_2', 'MUG-02', 'Large mug', 3),
    row('prd_3', 'VOUCHER', 'Voucher', null),
  ]) {
    table.rows.set(each.id, each);
  }
  return table;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port, apiToken] = process.argv.slice(2);
  if (!port || !apiToken) {
    console.error('usage: node example-stock.ts PORT APITOKEN');
    process.exitCode = 1;
  } else console.log(`http://127.0.0.1:${await listen(exampleTable(), apiToken, Number(port))}`);
}
