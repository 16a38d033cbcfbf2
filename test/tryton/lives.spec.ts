import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import type { OrderChangedV1, OrderRefund } from '../../shared/events/order-changed.ts';
import { LEASE_MS, orderDesk } from '../fakes/order-desk.ts';
import { anOrder } from '../fakes/orders.ts';
import type { PeerServer } from '../fakes/peer-server.ts';
import { connectTo } from '../unit/tryton/harness.ts';
import { TrytonRpc } from './rpc.ts';
import { SEED } from './seed.ts';
import { proxyTo } from './testbed.ts';

/**
 * The life of an order, from the snapshots of the shop through the use-cases of the core to a real Tryton, and what
 * stands there then, read by Tryton's own means.
 */
const tryton = inject('tryton');
const rpc = new TrytonRpc(tryton.url, tryton.database);
let proxy: PeerServer;
let life: ReturnType<typeof open>;
let lastOrder = 0;

beforeAll(async () => {
  await rpc.login(tryton.admin.login, tryton.admin.password);
  proxy = await proxyTo(tryton.url);
});
afterAll(() => proxy.stop());
beforeEach(() => {
  life = open();
});

const open = () => {
  lastOrder += 1;
  const orderId = `life-${lastOrder}`;
  const buyer = { id: orderId, email: `${orderId}@example.test`, name: '王小明', masked: false };
  const { orders: erp, context } = connectTo({
    url: proxy.url,
    database: tryton.database,
    secrets: [{ login: SEED.login, password: SEED.password }],
  });
  const desk = orderDesk({ destination: 'acme-tryton', sources: ['lives'] });
  let order = anOrder({ source: 'lives', orderId, orderNumber: orderId, buyer });
  const push = () => desk.push(order, { erp, mappings: context.mappings });
  return {
    desk,
    push,
    order: () => order,
    /** Something happens in the shop, and it is told. */
    becomes: (change: Partial<OrderChangedV1>) => {
      const sourceVersion = order.sourceVersion + 1_000;
      order = { ...order, ...change, sourceVersion, contentHash: `v${sourceVersion}` };
      return push();
    },
    reference: `lives:${orderId}`,
  };
};

interface Sale {
  readonly id: number;
  readonly reference: string;
  readonly origin: string | null;
  readonly state: string;
  readonly total_amount: { readonly decimal: string };
  readonly shipments: number[];
  readonly invoices: number[];
  readonly 'shipment_address.': { readonly city: string };
  readonly 'shipments.': readonly { readonly state: string }[];
  readonly 'shipment_returns.': readonly { readonly state: string }[];
  readonly 'invoices.': readonly {
    readonly state: string;
    readonly total_amount: { readonly decimal: string };
  }[];
  readonly 'lines.': readonly { readonly quantity: number; readonly 'product.': { readonly code: string } }[];
}
const FIELDS = [
  'reference',
  'origin',
  'state',
  'total_amount',
  'shipments',
  'invoices',
  'shipment_address.city',
  'shipments.state',
  'shipment_returns.state',
  'invoices.state',
  'invoices.total_amount',
  'lines.quantity',
  'lines.product.code',
];
/** The sale, and its returns, in the order in which they were made. */
const sales = async (): Promise<Sale[]> =>
  (await rpc.model('sale.sale', 'search_read', [
    [['reference', 'like', `${life.reference}%`]],
    0,
    null,
    [['id', 'ASC']],
    FIELDS,
  ])) as Sale[];
/** What stands in Tryton: for each document its lines and total, what it shipped, what it invoiced. */
const documents = async () =>
  (await sales())
    .filter(({ reference }) => reference === life.reference || reference.startsWith(`${life.reference}/`))
    .map((sale) => ({
      is: sale.origin ? 'return' : 'sale',
      says: `${sale['lines.'].flatMap(({ quantity, 'product.': { code } }) => (quantity === 0 ? [] : [`${quantity} ${code}`])).join(', ')}: ${Number(sale.total_amount.decimal)}`,
      shipments: [...sale['shipments.'], ...sale['shipment_returns.']].map(({ state }) => state).sort(),
      invoices: sale['invoices.']
        .map(({ state, total_amount: { decimal } }) => `${state} ${Number(decimal)}`)
        .sort(),
    }));
/** The warehouse ships it, and the office posts its invoice. */
const shipAndInvoice = async (): Promise<void> => {
  const [sale] = await sales();
  for (const button of ['assign_try', 'pick', 'pack', 'done']) {
    await rpc.model('stock.shipment.out', button, [sale?.shipments]);
  }
  await rpc.model('account.invoice', 'post', [sale?.invoices]);
};

const twd = (minor: number) => ({ minor, currency: 'TWD' });
const vat = (minor: number) => [
  { key: '1', title: 'VAT', ratePercent: '5', compound: false, amount: twd(minor) },
];
const [tea, mug] = anOrder().lines as [OrderChangedV1['lines'][number], OrderChangedV1['lines'][number]];
const piece = (sku: string, net: number, tax: number): OrderChangedV1['lines'][number] => ({
  ...mug,
  id: '9',
  sku,
  title: sku,
  subtotal: twd(net),
  total: twd(net),
  taxes: vat(tax),
});
const oneTeaBack: OrderRefund = {
  id: '7',
  reason: 'Too green',
  total: twd(44100),
  lines: [{ lineId: '1', quantity: 1, total: twd(42000), taxes: vat(2100), restock: true }],
};

const PLACED = {
  is: 'sale',
  says: '2 TEA-OOL-150, 1 MUG-TH-01, 1 SHIP: 1101.98',
  shipments: ['waiting'],
  invoices: ['draft 1101.98'],
};
const SETTLED = { ...PLACED, shipments: ['done'], invoices: ['posted 1101.98'] };

it('place: one sale with its shipment and the draft of its invoice', async () => {
  expect(await life.push()).toMatchObject({ kind: 'written', level: 'confirm', warnings: [] });
  expect(await documents()).toEqual([PLACED]);
});

it('edit: the same sale says what the shop says now, and so do its shipment and its invoice', async () => {
  await life.push();
  const three = { ...tea, quantity: 3, subtotal: twd(126000), total: twd(126000), taxes: vat(6300) };
  const shipping = { name: '王小明', line1: 'Rue 5', city: 'Namur', country: 'BE' };
  const edited = { lines: [three], shipping, tax: twd(6600), total: twd(138600) };
  expect(await life.becomes(edited)).toMatchObject({ kind: 'changed', done: ['edited'] });
  expect(await documents()).toEqual([
    {
      is: 'sale',
      says: '3 TEA-OOL-150, 1 SHIP: 1386',
      shipments: ['waiting'],
      invoices: ['draft 1386'],
    },
  ]);
  const [sale] = await sales();
  expect(sale?.['shipment_address.']).toMatchObject({ city: 'Namur' });
});

it('cancel: its shipment and its invoice are cancelled, and nothing is credited', async () => {
  await life.push();
  expect(await life.becomes({ status: 'cancelled' })).toMatchObject({ kind: 'changed', done: ['cancelled'] });
  expect(await documents()).toEqual([
    { ...PLACED, shipments: ['cancelled'], invoices: ['cancelled 1101.98'] },
  ]);
});

it('refund in part: a return sale with a posted credit note, and a shipment for the piece that is back', async () => {
  await life.push();
  await shipAndInvoice();
  expect(await life.becomes({ refunds: [oneTeaBack] })).toMatchObject({ done: ['refund 7'] });
  const back = {
    is: 'return',
    says: '-1 TEA-OOL-150: -441',
    shipments: ['draft'],
    invoices: ['posted -441'],
  };
  expect(await documents()).toEqual([SETTLED, back]);
  // A second one; the first is not made again.
  const late: OrderRefund = { id: '8', reason: 'Late', total: twd(1000) };
  expect(await life.becomes({ refunds: [oneTeaBack, late] })).toMatchObject({ done: ['refund 8'] });
  const goodwill = { is: 'return', says: '-1 FEE: -10', shipments: [], invoices: ['posted -10'] };
  expect(await documents()).toEqual([SETTLED, back, goodwill]);
});

it('refund in full, after it was shipped: all of it is credited', async () => {
  await life.push();
  await shipAndInvoice();
  const all: OrderRefund = {
    id: '7',
    total: twd(110198),
    lines: anOrder().lines.map(({ id, quantity, total, taxes }) => ({ lineId: id, quantity, total, taxes })),
    charges: anOrder().charges.map(({ id, total, taxes }) => ({ chargeId: id, total, taxes })),
  };
  await life.becomes({ status: 'refunded', refunds: [all] });
  expect(await documents()).toEqual([
    SETTLED,
    {
      is: 'return',
      says: '-2 TEA-OOL-150, -1 MUG-TH-01, -1 SHIP: -1101.98',
      shipments: [],
      invoices: ['posted -1101.98'],
    },
  ]);
});

it('refund in full, before it was shipped: cancelled, and nothing is credited', async () => {
  await life.push();
  await life.becomes({ status: 'refunded', refunds: [{ id: '7', total: twd(110198) }] });
  expect(await documents()).toEqual([
    { ...PLACED, shipments: ['cancelled'], invoices: ['cancelled 1101.98'] },
  ]);
});

it.each([
  ['dearer', piece('TEE-BLUE-M', 20000, 1000), 131198, '1 TEE-BLUE-M', 1311.98, 210, 1155],
  ['cheaper', piece('TEE-BLUE-M', 10000, 500), 120698, '1 TEE-BLUE-M', 1206.98, 105, 1050],
] as const)(
  'exchange, %s: a linked return and the new piece, the difference settled once',
  async (_case, instead, total, added, sold, invoiced, paid) => {
    await life.push();
    await shipAndInvoice();
    const mugBack: OrderRefund = {
      id: '7',
      total: twd(15698),
      lines: [{ lineId: '2', quantity: 1, total: twd(14950), taxes: vat(748), restock: true }],
    };
    const exchanged = {
      lines: [tea, mug, instead],
      refunds: [mugBack],
      tax: twd(5248 + (instead.taxes[0]?.amount.minor ?? 0)),
      total: twd(total),
    };
    expect(await life.becomes(exchanged)).toMatchObject({ done: ['edited', 'refund 7'] });
    const found = await documents();
    expect(found).toEqual([
      {
        is: 'sale',
        says: `2 TEA-OOL-150, 1 MUG-TH-01, 1 SHIP, ${added}: ${sold}`,
        shipments: ['done', 'waiting'],
        invoices: [`draft ${invoiced}`, 'posted 1101.98'],
      },
      { is: 'return', says: '-1 MUG-TH-01: -156.98', shipments: ['draft'], invoices: ['posted -156.98'] },
    ]);
    const [sale, back] = await sales();
    expect(back?.origin).toBe(`sale.sale,${sale?.id}`);
    const booked = found.flatMap(({ invoices }) => invoices.map((text) => Number(text.split(' ')[1])));
    expect(booked.reduce((sum, each) => sum + each, 0)).toBeCloseTo(paid, 6);
    // Told twice, settled once.
    await life.push();
    expect(await documents()).toEqual(found);
  },
);

it('duplicate: the same snapshot twice, and two copies at once, are one sale', async () => {
  await life.push();
  expect(await life.push()).toMatchObject({ kind: 'skipped', reason: 'ALREADY_DONE' });
  expect(await documents()).toEqual([PLACED]);
  life = open();
  const both = await Promise.allSettled([life.push(), life.push()]);
  expect(both.map(({ status }) => status)).toContain('fulfilled');
  expect(await documents()).toEqual([PLACED]);
});

it.each([
  ['creating the sale', '"model.sale.sale.create"', {}, [PLACED]],
  ['confirming it', '"model.sale.sale.confirm"', {}, [PLACED]],
  [
    'creating the return',
    '"model.sale.sale.create"',
    { refunds: [oneTeaBack] },
    [
      SETTLED,
      { is: 'return', says: '-1 TEA-OOL-150: -441', shipments: ['draft'], invoices: ['posted -441'] },
    ],
  ],
  [
    'posting the credit note',
    '"model.account.invoice.post"',
    { refunds: [oneTeaBack] },
    [
      SETTLED,
      { is: 'return', says: '-1 TEA-OOL-150: -441', shipments: ['draft'], invoices: ['posted -441'] },
    ],
  ],
] as const)(
  'lost answer of %s: it is found, and nothing is written twice',
  async (_case, call, change, wanted) => {
    const isChange = 'refunds' in change;
    if (isChange) {
      await life.push();
      await shipAndInvoice();
    }
    proxy.fault({ when: ({ body }) => String(body).includes(call), effect: { kind: 'drop-after' } });
    const told = isChange ? life.becomes({ refunds: [...change.refunds] }) : life.push();
    await expect(told).rejects.toMatchObject({ name: 'UnknownOutcomeError' });
    life.desk.wait(LEASE_MS + 1);
    await life.push();
    expect(await documents()).toEqual(wanted);
  },
);
