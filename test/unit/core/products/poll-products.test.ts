import { expect, it } from 'vitest';
import type { ErpProduct } from '../../../../shared/connectors/stock-contract.ts';
import { pollProducts } from '../../../../shared/core/products/poll-products.ts';
import type { ProductChangedV1 } from '../../../../shared/events/product-changed.ts';
import { StockRoute } from '../../../../shared/settings/stock-route.ts';
import { memoryCursors } from '../../../fakes/memory-cursors.ts';

const MINUTE = 60_000;
const call = { signal: new AbortController().signal };
const product = (sku: string): ErpProduct => ({
  sku,
  title: sku,
  status: 'active',
  price: { minor: 100, currency: 'EUR' },
  priceIncludesTax: true,
});

const world = () => {
  let now = 1_764_000_000_000;
  let theirs = 5_000_000;
  const windows: (string | { fromMs: number; untilMs: number })[] = [];
  const published: ProductChangedV1[] = [];
  let pages: ErpProduct[][] = [[product('A')]];
  let breaks = false;
  async function* read() {
    for (const page of pages) yield page;
    if (breaks) throw new Error('the ERP hung up');
  }
  const ports = {
    erp: 'acme-odoo',
    route: StockRoute.parse({ from: 'acme-odoo', to: ['acme-woo'], prices: {} }),
    products: {
      changed: (window: { fromMs: number; untilMs: number }) => {
        windows.push(window);
        return read();
      },
      all: () => {
        windows.push('all');
        return read();
      },
    },
    clock: async () => theirs,
    cursors: memoryCursors(() => now),
    publish: async (_: string, { data }: { data: unknown }) => {
      published.push(data as ProductChangedV1);
    },
    nowMs: () => now,
    newId: () => 'id',
    leaseMs: MINUTE,
    overlapMs: 10 * MINUTE,
  };
  return {
    windows,
    published,
    wait: (ms: number) => {
      now += ms;
      theirs += ms;
    },
    tells: (next: ErpProduct[][], isBroken = false) => {
      pages = next;
      breaks = isBroken;
    },
    poll: (options?: { isComplete: boolean }) => pollProducts(ports as never, call, options),
  };
};

it('reads everything first, then what changed by the clock of the ERP, with overlap', async () => {
  const at = world();
  expect(await at.poll()).toEqual({ kind: 'done', told: 1 });
  at.wait(15 * MINUTE);
  await at.poll();
  expect(at.windows).toEqual(['all', { fromMs: 5_000_000 - 10 * MINUTE, untilMs: 5_000_000 + 15 * MINUTE }]);
  expect(await at.poll({ isComplete: true })).toMatchObject({ told: 1 });
  expect(at.windows.at(-1)).toBe('all');
});

it('reads the same window again when the run before broke off', async () => {
  const at = world();
  await at.poll();
  at.wait(5 * MINUTE);
  at.tells([[product('B')]], true);
  await expect(at.poll()).rejects.toThrow('hung up');
  at.tells([[product('B')], [product('C')]]);
  await at.poll();
  expect(at.windows[2]).toEqual(at.windows[1]);
  expect(at.published.map(({ products }) => products.map(({ sku }) => sku))).toEqual([
    ['A'],
    ['B'],
    ['B'],
    ['C'],
  ]);
});

it('puts at most a hundred products into an event', async () => {
  const at = world();
  at.tells([Array.from({ length: 250 }, (_, index) => product(`S${index}`))]);
  expect(await at.poll()).toEqual({ kind: 'done', told: 250 });
  expect(at.published.map(({ products }) => products.length)).toEqual([100, 100, 50]);
});

it('lets one run at a time read', async () => {
  const at = world();
  const both = await Promise.all([at.poll(), at.poll()]);
  expect(both.map(({ kind }) => kind)).toEqual(['done', 'busy']);
});
