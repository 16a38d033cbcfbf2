import { afterEach, describe, expect, it } from 'vitest';
import { differenceText, rehearsalWords } from '../../infra/cli/commands/rehearse-words.ts';
import { type Rehearsed, rehearsalRow, rehearse, verdictOf } from '../../shared/core/rehearse.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { anOrder } from '../fakes/orders.ts';
import { type Connected, connect, mappingsOf } from '../unit/odoo/harness.ts';

const NOW = Date.parse('2026-11-23T00:00:00Z');
const call = { signal: new AbortController().signal };
const twd = (minor: number) => ({ minor, currency: 'TWD' });

let at: Connected;
afterEach(() => at.fake.stop());

type Line = readonly [product: number, pieces: number, price: number, tax?: readonly number[]];
const TYPED: readonly Line[] = [
  [1, 2, 420],
  [2, 1, 149.5],
  [3, 1, 60],
];

/** A shop with these orders, and an Odoo in which people typed some. */
const open = async (
  version: 16 | 17 | 18 | 19,
  shop: readonly OrderChangedV1[],
  mode: 'shadow' | 'live' = 'shadow',
) => {
  at = await connect({ version, nowMs: () => NOW }, { route: { mode } });
  const taxField = version >= 19 ? 'tax_ids' : 'tax_id';
  const typeIn = (number: string, lines: readonly Line[] = TYPED): void => {
    at.fake.call('sale.order', 'create', [
      {
        partner_id: at.fake.call('res.partner', 'create', [{ name: 'By hand' }]),
        client_order_ref: number,
        date_order: '2026-11-22 07:00:00',
        order_line: lines.map(([product_id, product_uom_qty, price_unit, tax = [1]]) => [
          0,
          0,
          { product_id, product_uom_qty, price_unit, [taxField]: [[6, 0, tax]] },
        ]),
      },
    ]);
  };
  const run = () =>
    rehearse(
      {
        route: at.route,
        reads: {
          changed: async function* () {
            yield shop.map((order) => ({
              id: order.orderId,
              changedAtMs: order.sourceVersion,
              fetched: { kind: 'order' as const, order, warnings: [] },
            }));
          },
          order: async () => undefined,
        },
        erp: at.orders,
        mappings: mappingsOf([['tax', '1', '5%']]),
        nowMs: () => NOW,
        newId: () => 'a',
      },
      { fromMs: NOW - 2 * 86_400_000, days: 7 },
      call,
    );
  return { typeIn, run };
};
const numbered = (orderNumber: string, change: Partial<OrderChangedV1> = {}) =>
  anOrder({ orderId: `5${orderNumber}`, orderNumber, ...change });
const differencesIn = (rehearsed: readonly Rehearsed[]) =>
  rehearsed.flatMap((one) => ('differences' in one ? one.differences.map(differenceText) : []));

describe.each([16, 18, 19] as const)('beside what people typed into Odoo %i', (version) => {
  it.each<[string, readonly Line[], readonly string[]]>([
    ['the same', TYPED, []],
    [
      'the same pieces on two lines',
      [
        [1, 1, 420],
        [1, 1, 420],
        [2, 1, 149.5],
        [3, 1, 60],
      ],
      [],
    ],
    ['the shop’s rounding on a line of its own', [...TYPED, [6, 1, -1, []]], []],
    [
      'a piece more',
      [
        [1, 3, 420],
        [2, 1, 149.5],
        [3, 1, 60],
      ],
      [
        'quantity of 高山烏龍茶 Oolong 150g: 2, there 3',
        'amount of 高山烏龍茶 Oolong 150g: 840, there 1260',
        'total: 1102, there 1543',
      ],
    ],
    [
      'another tax',
      [
        [1, 2, 420, [6]],
        [2, 1, 149.5],
        [3, 1, 60],
      ],
      ['taxes of 高山烏龍茶 Oolong 150g: 5%, there 0%', 'total: 1102, there 1060'],
    ],
    [
      'without shipping',
      [
        [1, 2, 420],
        [2, 1, 149.5],
      ],
      ['no line of 宅配: 1 for 60', 'total: 1102, there 1039'],
    ],
    ['with a fee', [...TYPED, [4, 1, 30, []]], ['a line of [FEE] Fee: 1 for 30', 'total: 1102, there 1132']],
  ])('%s', async (_case, lines, expected) => {
    const { typeIn, run } = await open(version, [numbered('1001')]);
    typeIn('1001', lines);
    const rehearsed = await run();
    expect(differencesIn(rehearsed)).toEqual(expected);
    expect(rehearsed).toMatchObject([
      { outcome: expected.length === 0 ? 'identical' : 'different', document: { name: 'S00001' } },
    ]);
  });
});

describe('the verdict', () => {
  const [tea] = anOrder().lines;
  const unknownSku = (n: string) =>
    numbered(n, {
      lines: [{ ...(tea as OrderChangedV1['lines'][number]), sku: 'NOT-THERE' }],
      charges: [],
      tax: twd(4200),
      total: twd(88200),
    });
  const shop = [
    numbered('1001'),
    numbered('1002'),
    numbered('1003'),
    unknownSku('1004'),
    unknownSku('1005'),
    numbered('1006', { status: 'cancelled' }),
    numbered('1007', { total: twd(110298) }),
    // Placed before the days that are looked at.
    numbered('1008', { placedAt: '2026-10-01T00:00:00Z' }),
  ];

  it('says what is identical, what differs, what would be parked and why; and nothing is written, not even in live', async () => {
    const { typeIn, run } = await open(18, shop, 'live');
    typeIn('1001');
    typeIn('1002', [...TYPED, [4, 1, 30, []]]);
    const before = ['sale.order', 'sale.order.line', 'res.partner'].map(
      (model) => at.fake.records(model).length,
    );
    const rehearsed = await run();
    const verdict = verdictOf(rehearsed);
    expect(verdict).toEqual({
      isReady: false,
      identicalPercent: 50,
      counts: { identical: 1, different: 1, missing: 1, unmappable: 3, 'not-accepted': 1 },
      failing: [
        { code: 'UNKNOWN_SKU', orders: 2, reason: expect.stringContaining('NOT-THERE') },
        { code: 'TOTALS_DO_NOT_ADD_UP', orders: 1, reason: expect.any(String) },
      ],
      differing: [
        { what: 'line-surplus', orders: 1 },
        { what: 'total', orders: 1 },
      ],
    });
    expect(
      ['sale.order', 'sale.order.line', 'res.partner'].map((model) => at.fake.records(model).length),
    ).toEqual(before);
    expect(at.onces).toEqual([]);

    const words = rehearsalWords(
      rehearsed.map((one) => rehearsalRow(one, at.route)),
      verdict,
    );
    expect(words).toContain('50 % of what could be compared is identical');
    expect(words.at(-1)).toBe('not ready');
    expect(JSON.stringify(rehearsed.map((one) => rehearsalRow(one, at.route)))).not.toMatch(/ming|王小明/);
  });

  it('ready: all that could be compared is identical, and nothing would be parked', async () => {
    const { typeIn, run } = await open(18, [numbered('1001')]);
    expect(verdictOf(await run())).toMatchObject({ isReady: false, identicalPercent: undefined });
    typeIn('1001');
    expect(verdictOf(await run())).toMatchObject({ isReady: true, identicalPercent: 100 });
  });
});
