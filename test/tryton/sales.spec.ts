import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { buyerMarks } from '../../shared/core/buyer-marks.ts';
import { PermanentError, UnknownOutcomeError } from '../../shared/core/errors.ts';
import type { OrderChangedV1 } from '../../shared/events/order-changed.ts';
import { anOrder } from '../fakes/orders.ts';
import type { PeerServer } from '../fakes/peer-server.ts';
import { connectTo } from '../unit/tryton/harness.ts';
import { date, TrytonRpc } from './rpc.ts';
import { SEED } from './seed.ts';
import { proxyTo } from './testbed.ts';

/** What a sale of the real Tryton looks like to staff, read by Tryton's own means. */
interface Booked {
  readonly number: string | null;
  readonly reference: string;
  readonly description: string;
  readonly state: string;
  readonly comment: string;
  readonly 'party.': { readonly name: string };
  readonly 'invoice_address.': Record<string, unknown> | null;
  readonly total_amount: { readonly decimal: string };
  readonly sale_date: Record<string, unknown>;
  readonly shipping_date: Record<string, unknown> | null;
  readonly shipments: number[];
  readonly shipment_returns: number[];
  readonly invoices: number[];
  readonly 'shipments.': { readonly state: string }[];
  readonly 'invoices.': { readonly state: string; readonly total_amount: { readonly decimal: string } }[];
  readonly 'lines.': {
    readonly quantity: number;
    readonly 'product.': { readonly code: string };
    readonly amount: { readonly decimal: string };
  }[];
}

const FIELDS = [
  'number',
  'reference',
  'description',
  'state',
  'comment',
  'party.name',
  'invoice_address.street',
  'invoice_address.city',
  'invoice_address.postal_code',
  'total_amount',
  'sale_date',
  'shipping_date',
  'shipments',
  'shipment_returns',
  'invoices',
  'shipments.state',
  'invoices.state',
  'invoices.total_amount',
  'lines.quantity',
  'lines.product.code',
  'lines.amount',
];

const tryton = inject('tryton');
const rpc = new TrytonRpc(tryton.url, tryton.database);
let proxy: PeerServer;
let shop: ReturnType<typeof connectTo>;
let lastOrder = 0;

beforeAll(async () => {
  await rpc.login(tryton.admin.login, tryton.admin.password);
  proxy = await proxyTo(tryton.url);
});
afterAll(() => proxy.stop());
beforeEach(() => {
  shop = connectTo({
    url: proxy.url,
    database: tryton.database,
    secrets: [{ login: SEED.login, password: SEED.password }],
    rows: [
      ['tax', '1', '5%'],
      ['payment', 'stripe', SEED.paymentTerm],
    ],
  });
});

/** An order of a buyer of its own, so that tests share nothing. */
const placed = (override: Partial<OrderChangedV1> = {}): OrderChangedV1 => {
  lastOrder += 1;
  const id = `e2e-${lastOrder}`;
  const buyer = { id, email: `buyer-${lastOrder}@example.test`, name: '王小明', masked: false };
  return anOrder({ source: 'e2e', orderId: id, orderNumber: id, buyer, ...override });
};
const salesOf = async (order: OrderChangedV1): Promise<Booked[]> =>
  (await rpc.model('sale.sale', 'search_read', [
    [['reference', '=', `e2e:${order.orderId}`]],
    0,
    null,
    [['id', 'ASC']],
    FIELDS,
  ])) as Booked[];
const saleOf = async (id: string): Promise<Booked> => {
  const [sale] = await rpc.read<Booked>('sale.sale', [Number(id)], FIELDS);
  if (!sale) throw new Error(`there is no sale ${id}`);
  return sale;
};
const linesOf = (sale: Booked): string[] =>
  sale['lines.'].map(
    ({ quantity, amount, ...line }) => `${quantity} ${line['product.'].code} ${Number(amount.decimal)}`,
  );
const forecastOf = async (sku: string): Promise<number> => {
  const id = await rpc.one('product.product', [['code', '=', sku]]);
  const warehouse = await rpc.one('stock.location', [['type', '=', 'warehouse']]);
  const context = {
    locations: [warehouse],
    stock_date_end: { __class__: 'date', year: 2099, month: 1, day: 1 },
  };
  const [row] = await rpc.read<{ forecast_quantity: number }>(
    'product.product',
    [id],
    ['forecast_quantity'],
    context,
  );
  return row?.forecast_quantity ?? Number.NaN;
};
const ship = async (sale: Booked): Promise<void> => {
  for (const button of ['assign_try', 'pick', 'pack', 'done']) {
    await rpc.model('stock.shipment.out', button, [sale.shipments]);
  }
};
const twd = (minor: number) => ({ minor, currency: 'TWD' });
const vat = (minor: number) => ({
  key: '1',
  title: 'VAT',
  ratePercent: '5',
  compound: false,
  amount: twd(minor),
});

describe(`Tryton ${tryton.version}`, () => {
  it('an order becomes one sale with its customer, its shipment and the draft of its invoice', async () => {
    const order = placed();
    const before = await forecastOf('TEA-OOL-150');
    const { completed } = await shop.push(order);
    const [sale, ...others] = await salesOf(order);
    expect(others).toEqual([]);
    expect(sale).toMatchObject({
      state: 'processing',
      number: completed.name,
      description: `e2e #${order.orderId}`,
      'party.': { name: '王小明' },
      'invoice_address.': { street: '測試路一段 1 號', city: '台北市', postal_code: '100' },
      total_amount: { decimal: '1101.98' },
      // 22:55 UTC is the next day in Taipei.
      sale_date: { year: 2026, month: 11, day: 22 },
      'shipments.': [{ state: 'waiting' }],
      'invoices.': [{ state: 'draft', total_amount: { decimal: '1101.98' } }],
    });
    if (!sale) throw new Error('it is there');
    expect(linesOf(sale)).toEqual(['2 TEA-OOL-150 840', '1 MUG-TH-01 149.5', '1 SHIP 60']);
    expect(sale.comment).toBe('Payment: stripe (pi_1)\nPlaced: 2026-11-21 22:55:57 UTC');
    expect(await forecastOf('TEA-OOL-150')).toBe(before - 2);
    expect(completed).toMatchObject({ total: twd(110198), rounding: twd(0), warnings: [] });
  });

  it('the same order twice is one sale', async () => {
    const order = placed();
    await shop.push(order);
    await shop.push(order);
    expect(await salesOf(order)).toHaveLength(1);
  });

  it('an order that was written and never answered is found, not written again', async () => {
    const order = placed();
    const { value: wire } = await shop.wireOf(order);
    const isCreate = (request: { body?: unknown }) =>
      String(request.body).includes('"model.sale.sale.create"');
    proxy.fault({ when: isCreate, effect: { kind: 'drop-after' } });
    await expect(shop.orders.create(wire, shop.context)).rejects.toBeInstanceOf(UnknownOutcomeError);
    expect(await salesOf(order)).toMatchObject([{ state: 'draft' }]);
    await shop.push(order);
    expect(await salesOf(order)).toMatchObject([{ state: 'processing' }]);
  });

  it('a second order of a buyer is booked on the same party, to another address', async () => {
    const first = placed();
    await shop.push(first);
    const second = {
      ...first,
      orderId: `${first.orderId}-b`,
      shipping: { line1: 'Rue 5', line2: 'Box 2', city: 'Namur', country: 'BE' },
    };
    await shop.push(second);
    const party = await rpc.search('party.party', [['identifiers.code', '=', `e2e:${first.buyer.id}`]]);
    expect(party).toHaveLength(1);
    const addresses = await rpc.search('party.address', [['party', '=', party[0]]]);
    expect(await rpc.read('party.address', addresses, ['street', 'city'])).toMatchObject([
      { street: '測試路一段 1 號', city: '台北市' },
      { street: 'Rue 5\nBox 2', city: 'Namur' },
    ]);
  });

  it('a tax number gets the type of its country where Tryton has one', async () => {
    const order = placed();
    const billing = { ...order.billing, country: 'BE' };
    await shop.push({
      ...order,
      billing,
      shipping: billing,
      buyer: { ...order.buyer, company: 'Siam BV', taxNumber: 'BE0897290877' },
    });
    const [party] = await rpc.search('party.party', [['identifiers.code', '=', 'BE0897290877']]);
    expect(await rpc.read('party.party', [party ?? 0], ['name', 'tax_identifier.code'])).toMatchObject([
      { name: 'Siam BV', 'tax_identifier.': { code: 'BE0897290877' } },
    ]);
  });

  it('the total is made right by a rounding line, and parks when it cannot be', async () => {
    const [tea, mug] = anOrder().lines;
    if (!tea || !mug) throw new Error('the order has two lines');
    // The shop rounds each line up: one cent more than Tryton.
    const off = (minor: number) =>
      placed({
        lines: [{ ...tea, taxes: [vat(4200 + minor)] }, mug],
        tax: twd(5248 + minor),
        total: twd(110198 + minor),
      });
    const within = off(1);
    const { completed } = await shop.push(within);
    expect(completed).toMatchObject({ total: twd(110199), rounding: twd(1) });
    const [sale] = await salesOf(within);
    expect(sale?.['lines.'].at(-1)).toMatchObject({ quantity: 1, 'product.': { code: 'ROUNDING' } });
    const beyond = off(10);
    await expect(shop.push(beyond)).rejects.toMatchObject({ code: 'TOTAL_MISMATCH' });
    expect(await salesOf(beyond)).toMatchObject([{ state: 'draft' }]);
  });

  it.each([
    ['JPY', 1234, '1234'],
    ['KWD', 12345, '12.345'],
    ['EUR', 1999, '19.99'],
  ])('%s in its own decimals', async (currency, minor, total) => {
    const amount = { minor, currency };
    const zero = { minor: 0, currency };
    const [tea] = anOrder().lines;
    if (!tea) throw new Error('the order has lines');
    const lines = [{ ...tea, quantity: 1, subtotal: amount, discount: zero, total: amount, taxes: [] }];
    const order = placed({ currency, lines, charges: [], rounding: zero, tax: zero, total: amount });
    expect((await shop.push(order)).completed.total).toEqual(amount);
    const [sale] = await salesOf(order);
    expect(Number(sale?.total_amount.decimal)).toBe(Number(total));
  });

  it('a reserved order holds stock and cannot be assigned; paid, it waits for the warehouse', async () => {
    const order = placed({ payment: { state: 'pending', kind: 'bank-transfer', method: 'bacs' } });
    const before = await forecastOf('MUG-TH-01');
    await shop.push(order, 'reserve');
    const [reserved] = await salesOf(order);
    expect(reserved).toMatchObject({ state: 'processing', 'shipments.': [{ state: 'draft' }] });
    expect(reserved?.comment).toMatch(/^Payment pending: do not ship\.\n/);
    expect(await forecastOf('MUG-TH-01')).toBe(before - 1);
    await shop.push(order, 'confirm');
    const [paid] = await salesOf(order);
    expect(paid).toMatchObject({ state: 'processing', 'shipments.': [{ state: 'waiting' }] });
    expect(paid?.comment).not.toContain('do not ship');
  });

  it('an exchange before shipping: another product goes out, and the invoice says so', async () => {
    const order = placed();
    const { completed, document } = await shop.push(order);
    const [tea, mug] = order.lines;
    if (!tea || !mug) throw new Error('the order has two lines');
    const shirt = {
      ...mug,
      id: '9',
      sku: 'TEE-BLUE-M',
      title: 'T-shirt',
      subtotal: twd(20000),
      total: twd(20000),
      taxes: [vat(1000)],
    };
    const exchanged = { ...order, lines: [tea, shirt], tax: twd(5500), total: twd(115500) };
    // The worker dies when the new line is written and the amendment is not yet applied.
    proxy.fault({
      when: ({ body }) => String(body).includes('validate_amendment'),
      effect: { kind: 'drop-before' },
    });
    await expect(shop.push(exchanged, 'confirm', completed.fingerprint)).rejects.toBeInstanceOf(
      UnknownOutcomeError,
    );
    const after = await shop.push(exchanged, 'confirm', completed.fingerprint);
    expect(after.completed).toMatchObject({ id: document.id, total: twd(115500) });
    const sale = await saleOf(document.id);
    expect(linesOf(sale)).toEqual(['2 TEA-OOL-150 840', '0 MUG-TH-01 0', '1 SHIP 60', '1 TEE-BLUE-M 200']);
    expect(sale['invoices.']).toMatchObject([{ state: 'draft', total_amount: { decimal: '1155.00' } }]);
    const moves = await rpc.read<{ 'outgoing_moves.': { quantity: number; 'product.': { code: string } }[] }>(
      'stock.shipment.out',
      sale.shipments,
      ['outgoing_moves.quantity', 'outgoing_moves.product.code'],
    );
    expect(
      moves
        .flatMap((row) => row['outgoing_moves.'].map((move) => `${move.quantity} ${move['product.'].code}`))
        .sort(),
    ).toEqual(['1 TEE-BLUE-M', '2 TEA-OOL-150']);
    // And back again: the line that was set to zero is the one that is used.
    const back = await shop.push(order, 'confirm', after.completed.fingerprint);
    expect(back.completed.total).toEqual(twd(110198));
    expect(linesOf(await saleOf(document.id))).toEqual([
      '2 TEA-OOL-150 840',
      '1 MUG-TH-01 149.5',
      '1 SHIP 60',
      '0 TEE-BLUE-M 0',
    ]);
  });

  it('an edit of the address moves the shipment, an edit of the note only the note', async () => {
    const order = placed();
    const { completed, document } = await shop.push(order);
    const moved = {
      ...order,
      shipping: { name: '王小明', line1: 'Rue 5', city: 'Namur', country: 'BE' },
      buyerNote: 'Ring twice',
    };
    const after = await shop.push(moved, 'confirm', completed.fingerprint);
    const sale = await saleOf(document.id);
    expect(sale.comment).toMatch(/^Ring twice\n/);
    const [shipment] = await rpc.read('stock.shipment.out', sale.shipments, [
      'state',
      'delivery_address.city',
    ]);
    expect(shipment).toMatchObject({ state: 'waiting', 'delivery_address.': { city: 'Namur' } });
    expect(sale['invoices.']).toMatchObject([{ state: 'draft' }]);
    expect(after.completed.total).toEqual(twd(110198));
  });

  it('a draft that the shop edits, and one that it cancels', async () => {
    const order = placed();
    const { completed, document } = await shop.push(order, 'draft');
    await rpc.model('sale.sale', 'quote', [[Number(document.id)]]);
    const edited = { ...order, buyerNote: 'Ring twice' };
    const after = await shop.push(edited, 'draft', completed.fingerprint);
    expect(await saleOf(document.id)).toMatchObject({ state: 'quotation' });
    await shop.changes().cancel(document, after.completed.fingerprint, shop.route, shop.context);
    expect(await saleOf(document.id)).toMatchObject({ state: 'cancelled' });
  });

  it('a cancellation frees the stock and leaves no invoice', async () => {
    const order = placed();
    const before = await forecastOf('TEA-OOL-150');
    const { completed, document } = await shop.push(order);
    const cancel = () => shop.changes().cancel(document, completed.fingerprint, shop.route, shop.context);
    await cancel();
    await cancel();
    expect(await saleOf(document.id)).toMatchObject({
      state: 'done',
      'shipments.': [{ state: 'cancelled' }],
      'invoices.': [{ state: 'cancelled' }],
    });
    expect(await forecastOf('TEA-OOL-150')).toBe(before);
    await expect(shop.push(order)).rejects.toMatchObject({ code: 'ERP_DOCUMENT_GONE' });
  });

  it('what was invoiced is neither edited nor cancelled', async () => {
    const order = placed();
    const { completed, document } = await shop.push(order);
    await rpc.model('account.invoice', 'post', [(await saleOf(document.id)).invoices]);
    const cancel = shop.changes().cancel(document, completed.fingerprint, shop.route, shop.context);
    await expect(cancel).rejects.toMatchObject({ code: 'TOO_LATE_IN_ERP', params: { because: 'invoiced' } });
    const moved = { ...order, shipping: { line1: 'Rue 5', city: 'Namur', country: 'BE' } };
    const edit = shop.push(moved, 'confirm', completed.fingerprint);
    await expect(edit).rejects.toMatchObject({ code: 'TOO_LATE_IN_ERP', params: { because: 'invoiced' } });
  });

  it('a part comes back: a posted credit note, and a shipment that awaits one piece', async () => {
    const order = placed();
    const { document } = await shop.push(order);
    const sold = await saleOf(document.id);
    await ship(sold);
    await rpc.model('account.invoice', 'post', [sold.invoices]);
    const refund = {
      id: '7',
      reason: 'Too green',
      total: twd(44100),
      lines: [{ lineId: '1', quantity: 1, total: twd(42000), taxes: [vat(2100)], restock: true }],
    };
    const given = await shop.giveBack(order, document.id, refund);
    expect(given.completed.total).toEqual(twd(44100));
    const back = await saleOf(given.document.id);
    expect(back).toMatchObject({
      state: 'processing',
      comment: 'Too green',
      total_amount: { decimal: '-441.00' },
      'invoices.': [{ state: 'posted', total_amount: { decimal: '-441.00' } }],
    });
    expect(linesOf(back)).toEqual(['-1 TEA-OOL-150 -420']);
    const returns = await rpc.read('stock.shipment.out.return', back.shipment_returns, [
      'state',
      'incoming_moves.quantity',
    ]);
    expect(returns).toMatchObject([{ state: 'draft', 'incoming_moves.': [{ quantity: 1 }] }]);
    // Told twice, given once.
    expect((await shop.giveBack(order, document.id, refund)).document.id).toBe(given.document.id);
    expect(await salesOf(order)).toHaveLength(1);
  });

  it('all of it comes back, shipping too, as a draft for the accountant', async () => {
    const drafts = connectTo({
      url: proxy.url,
      database: tryton.database,
      secrets: [{ login: SEED.login, password: SEED.password }],
      route: { refunds: 'draft-credit-note' },
    });
    const order = placed();
    const { document } = await drafts.push(order);
    const refund = {
      id: '8',
      total: twd(110198),
      lines: order.lines.map(({ id, quantity, total, taxes }) => ({ lineId: id, quantity, total, taxes })),
      charges: order.charges.map(({ id, total, taxes }) => ({ chargeId: id, total, taxes })),
    };
    const given = await drafts.giveBack(order, document.id, refund);
    const back = await saleOf(given.document.id);
    expect(back).toMatchObject({
      total_amount: { decimal: '-1101.98' },
      // The shop does not say that anything is back on the shelf.
      shipment_returns: [],
      'invoices.': [{ state: 'draft', total_amount: { decimal: '-1101.98' } }],
    });
    expect(linesOf(back)).toEqual(['-2 TEA-OOL-150 -840', '-1 MUG-TH-01 -149.5', '-1 SHIP -60']);
  });

  it('an amount that belongs to no line is given back on the fee product', async () => {
    const order = placed();
    const { document } = await shop.push(order);
    const given = await shop.giveBack(order, document.id, { id: '9', reason: 'Late', total: twd(1000) });
    expect(linesOf(await saleOf(given.document.id))).toEqual(['-1 FEE -10']);
    expect(given.warnings).toHaveLength(1);
  });

  it('a sale that people entered by hand is listed, adopted and then found', async () => {
    const order = placed();
    const [currency] = await rpc.search('currency.currency', [['code', '=', 'TWD']]);
    const party = await rpc.create('party.party', {
      name: '王小明',
      contact_mechanisms: [['create', [{ type: 'email', value: order.buyer.email }]]],
    });
    const values = { party, currency, reference: `Web ${order.orderId}`, sale_date: date('2026-11-22') };
    const id = String(await rpc.create('sale.sale', values));
    const { adoption } = shop.orders;
    const window = {
      fromMs: Date.parse('2026-11-21T00:00:00Z'),
      untilMs: Date.parse('2026-11-24T00:00:00Z'),
    };
    const listed = [];
    for await (const page of adoption?.candidates(window, shop.route, shop.context) ?? [])
      listed.push(...page);
    expect(listed.find(({ document }) => document.id === id)).toMatchObject({
      datedAtMs: Date.parse('2026-11-22T12:00:00Z'),
      state: 'draft',
      mentions: [`Web ${order.orderId}`],
      buyer: buyerMarks({ emails: [order.buyer.email], phones: [], names: ['王小明'] }),
    });
    await adoption?.adopt({ id }, shop.reference(order), shop.route, shop.context);
    expect(await salesOf(order)).toMatchObject([{ description: `Web ${order.orderId}` }]);
  });

  it('says what Tryton says when it refuses, without naming anybody', async () => {
    const collective = connectTo({
      url: proxy.url,
      database: tryton.database,
      secrets: [{ login: SEED.login, password: SEED.password }],
      route: { customers: { collective: 'NOBODY' } },
    });
    const refused = await collective.push(placed()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PermanentError);
    expect(refused).toMatchObject({ code: 'ERP_REFUSED', params: { error: { why: 'reference-unknown' } } });
    await expect(
      shop.push(placed({ shipping: { line1: 'x', country: 'FR' }, billing: undefined })),
    ).rejects.toMatchObject({ code: 'UNKNOWN_COUNTRY' });
    const [tea] = anOrder().lines;
    if (!tea) throw new Error('the order has lines');
    await expect(shop.push(placed({ lines: [{ ...tea, sku: 'OLD-TEA' }] }))).rejects.toMatchObject({
      code: 'ARCHIVED_SKU',
    });
  });

  it('a wrong password is a matter of credentials, a wrong database one of the connection', async () => {
    const wrong = (database: string, password: string) =>
      connectTo({ url: proxy.url, database, secrets: [{ login: SEED.login, password }] }).test({
        signal: shop.context.signal,
      });
    await expect(wrong(tryton.database, 'not-this-1')).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    await expect(wrong('nowhere', SEED.password)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(await wrong(tryton.database, SEED.password)).toBe(`Tryton ${tryton.version}, company 1`);
  });
});
