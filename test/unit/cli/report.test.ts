import { describe, expect, it } from 'vitest';
import type { Journey } from '../../../infra/cli/journeys.ts';
import { isShownRight, type ReadBack, reportOf } from '../../../infra/cli/report.ts';

const eur = (minor: number) => ({ minor, currency: 'EUR' });
const document = (id: string, total = eur(2856)) => ({ id, name: `S0000${id}`, total });
const held = (over: Partial<ReadBack> = {}): ReadBack => ({
  storefront: 'shop',
  orderId: '1',
  erp: 'odoo',
  expect: 'written',
  shopTotal: eur(2856),
  documents: [document('7')],
  ...over,
});
const journey = (over: Partial<Journey> = {}): Journey => ({
  storefront: 'shop',
  orderId: '1',
  orderNumber: '1001',
  erp: 'odoo',
  events: [
    { atMs: 5_000, what: 'received', text: 'verified' },
    { atMs: 5_900, what: 'written', text: 'written as S00007' },
  ],
  webhookToErpMs: 950,
  ...over,
});
const report = (readBack: readonly ReadBack[], journeys: readonly Journey[] = []) =>
  reportOf({ readyMs: 4_000, readBack, journeys, connections: [], repeated: 0, payments: null, stock: null });

describe('a report', () => {
  it('holds what shop and ERP say beside what was logged', () => {
    expect(report([held()], [journey()])).toEqual({
      ready_ms: 4_000,
      orders: [
        {
          storefront: 'shop',
          orderId: '1',
          orderNumber: '1001',
          erp: 'odoo',
          erpOrderId: '7',
          erpOrderName: 'S00007',
          total: eur(2856),
          erpTotal: eur(2856),
          webhookToErpMs: 950,
          events: [
            { ms: 0, what: 'received', text: 'verified' },
            { ms: 900, what: 'written', text: 'written as S00007' },
          ],
        },
      ],
      ignored: [],
      duplicates: 0,
      failed: 0,
      connections: [],
      repeated: 0,
      payments: null,
      stock: null,
    });
  });

  it('keeps the journeys of one order to two ERPs apart', () => {
    const readBack = [held(), held({ erp: 'tryton', documents: [document('9')] })];
    const journeys = [journey(), journey({ erp: 'tryton', webhookToErpMs: 1_200 })];
    expect(
      report(readBack, journeys).orders.map(({ erp, erpOrderId, webhookToErpMs }) => [
        erp,
        erpOrderId,
        webhookToErpMs,
      ]),
    ).toEqual([
      ['odoo', '7', 950],
      ['tryton', '9', 1_200],
    ]);
  });

  it.each<[string, Partial<ReadBack>, { duplicates: number; failed: number }]>([
    ['right', {}, { duplicates: 0, failed: 0 }],
    ['not there', { documents: [] }, { duplicates: 0, failed: 1 }],
    ['a cent off', { documents: [document('7', eur(2857))] }, { duplicates: 0, failed: 1 }],
    [
      'in another currency',
      { documents: [document('7', { minor: 2856, currency: 'USD' })] },
      { duplicates: 0, failed: 1 },
    ],
    ['there twice', { documents: [document('7'), document('8')] }, { duplicates: 1, failed: 0 }],
    [
      'there three times',
      { documents: [document('7'), document('8'), document('9')] },
      { duplicates: 2, failed: 0 },
    ],
    ['ignored as it should', { expect: 'ignored', documents: [] }, { duplicates: 0, failed: 0 }],
    ['written though it should not', { expect: 'ignored' }, { duplicates: 0, failed: 1 }],
  ])('counts an order that is %s', (_, over, counts) => {
    expect(report([held(over)])).toMatchObject(counts);
  });

  it('counts each ERP for itself: in both once is no duplicate', () => {
    const twice = held({ erp: 'tryton', documents: [document('9'), document('10')] });
    expect(report([held(), twice])).toMatchObject({ duplicates: 1, failed: 0 });
    expect(report([held(), held({ erp: 'tryton' })])).toMatchObject({ duplicates: 0, failed: 0 });
  });

  it('names what is ignored, with the reason, apart from the orders', () => {
    const { orders, ignored } = report(
      [held({ expect: 'ignored', documents: [] })],
      [journey({ ignored: 'IGNORED_BY_POLICY' })],
    );
    expect(orders).toEqual([]);
    expect(ignored).toEqual([
      {
        storefront: 'shop',
        orderId: '1',
        orderNumber: '1001',
        erp: 'odoo',
        erpOrderId: null,
        code: 'IGNORED_BY_POLICY',
      },
    ]);
  });
});

describe('a shop shows its stock right', () => {
  it.each([
    ['what the ERP has', 5, 5, 0, true],
    ['more', 6, 5, 0, false],
    ['less', 4, 5, 0, false],
    ['less, and somebody knows why', 4, 5, 1, true],
    ['still less', 3, 5, 1, false],
    ['nothing, where more was sold than there is', 0, -2, 0, true],
    ['not counted', null, 5, 0, false],
  ])('%s', (_, shows, available, unexplained, isRight) => {
    expect(isShownRight({ shop: 's', sku: 'A', erp: 'e', shows, available, unexplained })).toBe(isRight);
  });
});
