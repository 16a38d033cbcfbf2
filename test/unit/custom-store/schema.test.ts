import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import { withFields } from '../../../shared/connectors/custom-store/document.ts';
import { stockSchema } from '../../../shared/connectors/custom-store/stock-wire.ts';
import { CustomStoreOrder, orderSchema } from '../../../shared/connectors/custom-store/wire.ts';
import { cases, message, payload, receive, signed } from './deliveries.ts';

const file = (name: string) =>
  readFileSync(new URL(`../../../shared/connectors/custom-store/${name}`, import.meta.url), 'utf8');
const PUBLISHED = file('order.schema.json');
const README = file('README.md');

it('the published schema is the one of the code (npm run docs writes it)', () => {
  expect(PUBLISHED).toBe(orderSchema());
  expect(file('stock.schema.json')).toBe(stockSchema());
});

it("the README's tables are those of the schema (npm run docs writes them)", () => {
  expect(README).toBe(withFields(README));
  expect(README).toContain('| `pricesIncludeTax` | must | true, false |');
  expect(README).toContain('### refunds[].lines[]');
  expect(README).toContain('| `updates` | must | list of objects |');
  expect(README).toContain('### StockUpdates.updates[]');
});

// Ajv as Fastify brings it, told to judge and not to mend.
const app = Fastify({
  ajv: {
    customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false },
  },
});
app.post('/', { schema: { body: JSON.parse(PUBLISHED) } }, async () => 'valid');
afterAll(() => app.close());
const schemaTakes = async (order: unknown): Promise<boolean> => {
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(order),
  });
  return statusCode === 200;
};
const codeTakes = (order: unknown): boolean => CustomStoreOrder.safeParse(order).success;

describe('a validator that knows only the published file says what the code says', () => {
  it.each(cases)('%s', async (name) => {
    expect([await schemaTakes(payload(name)), codeTakes(payload(name))]).toEqual([true, true]);
  });

  /** Every field somewhere; that it adds up is not the schema's business. */
  const order = (): Record<string, unknown> =>
    structuredClone({
      ...payload('gbp-export-preorder-digital-duty'),
      ...payload('twd-chinese-everything-said'),
      charges: payload('thb-cash-on-delivery-fee-tip').charges,
      giftCards: payload('eur-gift-card-gift-wrapping').giftCards,
      discounts: payload('usd-several-taxes-discount').discounts,
      refunds: payload('eur-refunded-by-line').refunds,
      presentment: payload('test-order-buyer-in-usd').presentment,
    });
  /** Paths of every field of an order that says everything. */
  const pathsIn = (value: unknown, path: readonly (string | number)[] = []): (string | number)[][] =>
    typeof value !== 'object' || value === null
      ? []
      : Object.keys(value).flatMap((key) => {
          const at = [...path, Array.isArray(value) ? Number(key) : key];
          return [at, ...pathsIn((value as Record<string, unknown>)[key], at)];
        });
  const withAt = (path: readonly (string | number)[], value: unknown): unknown => {
    const changed = order();
    let parent: Record<string, unknown> = changed;
    for (const key of path.slice(0, -1)) parent = parent[key] as Record<string, unknown>;
    const last = path.at(-1) ?? '';
    if (value === undefined) delete parent[last];
    else parent[last] = value;
    return changed;
  };
  const PATHS = pathsIn(order());

  it('there are fields to break', () => expect(PATHS.length).toBeGreaterThan(130));

  it.each([
    ['left out', undefined],
    ['null', null],
    ['empty', ''],
    ['a text', 'no such thing'],
    ['a number', 5],
    ['a number below zero', -1],
    ['half', 0.5],
    ['true', true],
    ['a list', []],
    ['an object', {}],
    ['a list of nothing', [null]],
    ['too long an id', 'x'.repeat(129)],
    ['a time without a zone', '2026-01-05T02:04:05'],
    ['a time with one', '2026-01-05T02:04:05+08:00'],
    ['an amount', '12.30'],
    ['an amount below zero', '-12.30'],
  ])('whatever field is %s', async (_case, value) => {
    const differing: string[] = [];
    for (const path of PATHS) {
      const broken = withAt(path, value);
      if ((await schemaTakes(broken)) !== codeTakes(broken)) differing.push(path.join('.'));
    }
    expect(differing).toEqual([]);
  });

  it('what no schema can say, the code says: two lines with one id', async () => {
    const [line] = payload('usd-several-taxes-discount').lines;
    const twice = { ...payload('usd-several-taxes-discount'), lines: [line, line] };
    expect([await schemaTakes(twice), codeTakes(twice)]).toEqual([true, false]);
  });
});

describe("the README's example", () => {
  const [exampleOrder, refund] = [...README.matchAll(/```json\n([\s\S]*?)\n```/g)].map(
    ([, text = '']) => JSON.parse(text) as CustomStoreOrder & { total: string },
  );
  const received = (order: unknown) => {
    const told = receive(signed(message(order)));
    if (told.kind !== 'order') throw new Error(JSON.stringify(told));
    return told.order;
  };

  it('is an order, with the amounts that the text names', async () => {
    expect(await schemaTakes(exampleOrder)).toBe(true);
    const { lines, charges, total, tax, rounding } = received(exampleOrder);
    expect([lines[0]?.total.minor, lines[0]?.taxes[0]?.amount.minor]).toEqual([2000, 380]);
    expect([charges[0]?.total.minor, charges[0]?.taxes[0]?.amount.minor]).toEqual([400, 76]);
    expect([total.minor, tax.minor, rounding.minor]).toEqual([2856, 456, 0]);
  });

  it('is the same without tax in the prices', () => {
    const [line] = exampleOrder?.lines ?? [];
    const [charge] = exampleOrder?.charges ?? [];
    const net = received({
      ...exampleOrder,
      pricesIncludeTax: false,
      lines: [{ ...line, subtotal: '20.00', total: '20.00' }],
      charges: [{ ...charge, total: '4.00' }],
    });
    const { pricesIncludeTax: _net, contentHash: _hash, ...amounts } = net;
    expect(received(exampleOrder)).toMatchObject(amounts);
  });

  it('can be refunded as it says', () => {
    const { refunds, payment } = received({ ...exampleOrder, refunds: [refund] });
    expect(payment.state).toBe('partially-refunded');
    expect(refunds).toMatchObject([
      {
        total: { minor: 1428 },
        lines: [{ total: { minor: 1000 }, taxes: [{ amount: { minor: 190 } }] }],
        charges: [{ total: { minor: 200 }, taxes: [{ amount: { minor: 38 } }] }],
      },
    ]);
  });
});
