import type { World } from '../scheduler.ts';
import { EPOCH_MS } from '../shop.ts';
import { simulatedErp } from './erp.ts';
import { type Measured, measure } from './measure.ts';
import { partsOf, type StockPlan } from './plan.ts';
import { playSales, type Version } from './sales.ts';
import { simulatedShop } from './shop.ts';

/** What is lost is found by people, an hour later. */
const FOUND_MS = 60 * 60_000;
const ENDS_MS = 70 * 60_000;

/**
 * The same world, kept as others do it: each poll reads the ERP and sets all shops, whatever they show. `naive` sets the
 * number as it was read; `subtracting` takes off what webhooks have told and the ERP has not got yet. No faults.
 */
export const simulateSimple = (world: World, plan: StockPlan, how: 'naive' | 'subtracting'): Measured => {
  const nowMs = () => EPOCH_MS + world.nowMs();
  const shops = new Map(plan.shops.map((shop) => [shop.name, simulatedShop(world, shop)]));
  const erp = simulatedErp(world, plan, nowMs);
  const measuring = measure(world, plan, false);
  const pending = new Map<string, Version>();

  playSales(world, plan.attempts, shops, measuring, nowMs, (version) => {
    const { order, attempt, news } = version;
    world.later(news[0] ?? FOUND_MS, () => {
      if (!order.test) pending.set(order.orderId, version);
      const write = (): void => {
        if (erp.isDown()) {
          world.later(20_000, write);
          return;
        }
        erp.take(order, attempt);
        const isWritten = order.status === 'cancelled' || order.payment.state === 'paid';
        if (isWritten && pending.get(order.orderId) === version) pending.delete(order.orderId);
      };
      world.later(attempt.erpMs, write);
    });
  });
  for (const { atMs, sku, pieces } of plan.supplies) {
    world.later(atMs, () => {
      erp.supply(sku, pieces);
      measuring.supply(sku, pieces);
    });
  }

  const notYetInErp = (sku: string): number =>
    [...pending.values()].reduce((sum, { order, attempt }) => {
      if (order.status === 'cancelled') return sum;
      const per = partsOf(attempt.listing).find((part) => part.sku === sku)?.quantity ?? 0;
      return sum + (order.lines[0]?.quantity ?? 0) * per;
    }, 0);
  const poll = (): void => {
    if (world.nowMs() < ENDS_MS) world.later(plan.pollEveryMs, poll);
    if (erp.isDown()) return;
    for (const { plan: shop, shown } of shops.values()) {
      const warehouses = plan.shops[0]?.name === shop.name ? erp.warehouses : ['WH'];
      for (const listing of shop.listings) {
        const each = partsOf(listing).map(({ sku, quantity }) => {
          const free = warehouses.reduce((sum, warehouse) => sum + erp.free(sku, warehouse), 0);
          const open = how === 'subtracting' ? notYetInErp(sku) : 0;
          return Math.floor((free - open - plan.safetyStock + plan.backorder) / quantity);
        });
        const to = Math.max(0, Math.min(...each));
        // Read, computed, and written a moment later.
        if (to !== shown.get(listing))
          world.later(1_000 + world.choose(10_000), () => shown.set(listing, to));
      }
    }
  };
  poll();
  return measuring.measured;
};
