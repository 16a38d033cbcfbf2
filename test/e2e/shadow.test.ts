import { expect, it } from 'vitest';
import type { ShadowReport } from '../../shared/core/shadow-report.ts';
import { oneShopOneErp } from './one-shop-one-erp.ts';

const at = oneShopOneErp();

/** The operator's own commands, against the function that would be deployed. */
it('a route in shadow mode: what people entered is compared with what would have been written, and nothing is', async () => {
  await at.start({ mode: 'shadow' });
  const [same, other, none] = [await at.buy(), await at.buy(), await at.buy()];
  const typeIn = (id: number, price: number) =>
    at.erp.call('sale.order', 'create', [
      {
        partner_id: at.erp.call('res.partner', 'create', [{ name: 'By hand' }]),
        client_order_ref: String(id),
        order_line: [[0, 0, { product_id: 1, product_uom_qty: 1, price_unit: price }]],
      },
    ]);
  typeIn(same, 39.9);
  typeIn(other, 35);
  const counts: Record<string, number> = {};
  await expect
    .poll(
      async () => {
        const { out } = await at.waybill('poll', 'acme-odoo', '--now', '--json');
        const { routes } = JSON.parse(out) as { routes: Pick<ShadowReport, 'counts'>[] };
        // What was missing is looked at again by each report.
        for (const [what, n] of Object.entries(routes[0]?.counts ?? {})) {
          counts[what] = what === 'missing' ? n : (counts[what] ?? 0) + n;
        }
        return counts;
      },
      { timeout: 40_000, interval: 500 },
    )
    .toEqual({ identical: 1, different: 1, missing: 1 });
  const { out } = await at.waybill('shadow', '--last', '9', '--json');
  const { reports } = JSON.parse(out) as { reports: ShadowReport[] };
  expect(reports.flatMap(({ orders }) => orders)).toContainEqual(
    expect.objectContaining({
      orderNumber: String(other),
      differences: expect.arrayContaining([{ what: 'total', ours: '39.9', theirs: '35' }]),
    }),
  );
  expect(reports[0]?.again).toEqual([String(none)]);
  expect(out).not.toMatch(/Ada|Beispiel|example\.test/);
  expect(at.erp.orders()).toHaveLength(2);
}, 90_000);
