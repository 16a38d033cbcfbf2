import { afterEach, describe, expect, it } from 'vitest';
import type { OdooOrderWire } from '../../../shared/connectors/odoo/wire.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import type { FakeOdooOptions } from '../../fakes/odoo.ts';
import { anOrder } from '../../fakes/orders.ts';
import { aRoute, type Connected, connect, type Row, SHOP } from './harness.ts';

let at: Connected;
afterEach(() => at.fake.stop());

const start = async (...args: Parameters<typeof connect>) => {
  at = await connect(...args);
  return at;
};
const saved = (model: string, id = 1) => at.fake.records(model).find((row) => row.id === id);
const lines = () =>
  at.fake
    .records('sale.order.line')
    .map((line) => [
      line['product_id'],
      line['product_uom_qty'],
      line['price_unit'],
      line['tax_ids'] ?? line['tax_id'],
    ]);
const code = async (work: Promise<unknown>): Promise<unknown> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof PermanentError ? [error.code, error.params] : error;
};
const usd = (minor: number) => ({ minor, currency: 'USD' });

/** One line of one product at a net price, all in USD. */
const simple = (minor: number, override: Partial<OrderChangedV1> = {}): OrderChangedV1 =>
  anOrder({
    currency: 'USD',
    lines: [
      {
        ...(anOrder().lines[0] as OrderChangedV1['lines'][number]),
        quantity: 1,
        subtotal: usd(minor),
        discount: usd(0),
        total: usd(minor),
        taxes: [],
      },
    ],
    charges: [],
    rounding: usd(0),
    tax: usd(0),
    total: usd(minor),
    ...override,
  });
const US: Partial<FakeOdooOptions> = { companies: [{ name: 'Acme', currency: 'USD' }] };

describe.each([16, 17, 18, 19] as const)('Odoo %i', (version) => {
  it('books a paid order: created, confirmed, dated as the buyer placed it', async () => {
    await start({ version });
    const order = anOrder();
    const { completed, warnings } = await at.push(order);
    expect(completed).toEqual({
      id: '1',
      name: 'S00001',
      url: `${at.fake.url}/web#id=1&model=sale.order&view_type=form`,
      total: { minor: 110200, currency: 'TWD' },
      rounding: { minor: 0, currency: 'TWD' },
      fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      warnings: ['The shop charged 1101.98 TWD, S00001 says 1102.00 TWD.'],
    });
    expect(warnings).toEqual(['acme-odoo rounds TWD to 1: 1101.98 TWD is booked as 1102.']);
    expect(saved('sale.order')).toMatchObject({
      state: 'sale',
      client_order_ref: 'acme-woo:1001',
      origin: 'acme-woo #1001',
      date_order: '2026-11-21 22:55:57',
      amount_total: 1102,
      note: '<p>Payment: stripe (pi_1)</p>',
    });
    expect(lines()).toEqual([
      [1, 2, 420, [1]],
      [2, 1, 149.5, [1]],
      [3, 1, 60, [1]],
    ]);
    const [tea] = at.fake.call('product.product', 'read', [[1]], { fields: ['free_qty'] }) as object[];
    expect(tea).toEqual({ id: 1, free_qty: 48 });
    // The invoice partner is the customer itself, the delivery address too: billing and shipping are one.
    expect(saved('sale.order')).toMatchObject({
      partner_id: 2,
      partner_invoice_id: 2,
      partner_shipping_id: 2,
    });
  });

  it('may be repeated after a crash at any point', async () => {
    await start({ version });
    const order = anOrder();
    const { completed, wire } = await at.push(order);
    const again = await at.orders.complete(completed, wire, 'confirm', at.context);
    expect(again).toEqual(completed);
    expect((await at.push(order)).completed).toEqual(completed);
    expect(at.fake.orders()).toHaveLength(1);
  });

  it('stops at a draft, then confirms it', async () => {
    await start({ version });
    const { completed, wire } = await at.push(anOrder(), 'draft');
    expect(saved('sale.order')).toMatchObject({ state: 'draft', date_order: '2026-11-21 22:55:57' });
    await at.orders.complete(completed, wire, 'confirm', at.context);
    expect(saved('sale.order')).toMatchObject({ state: 'sale', date_order: '2026-11-21 22:55:57' });
  });

  it('holds stock for a reserved order and tells the warehouse to wait, until it is paid', async () => {
    await start({ version });
    const { completed, wire } = await at.push(anOrder(), 'reserve');
    expect(saved('sale.order')).toMatchObject({
      state: 'sale',
      note: '<p>Payment pending: do not ship.</p><p>Payment: stripe (pi_1)</p>',
    });
    await at.orders.complete(completed, wire, 'reserve', at.context);
    await at.orders.complete(completed, wire, 'confirm', at.context);
    expect(saved('sale.order')).toMatchObject({ state: 'sale', note: '<p>Payment: stripe (pi_1)</p>' });
  });
});

describe('look-up', () => {
  it('says that an order is not there', async () => {
    await start();
    expect(await at.orders.find('acme-woo:1', at.route, at.context)).toBeUndefined();
  });

  it('finds cancelled orders too', async () => {
    await start();
    const { completed } = await at.push(anOrder());
    at.fake.call('sale.order', 'action_cancel', [[1]], { context: { disable_cancel_warning: true } });
    expect(await at.orders.find('acme-woo:1001', at.route, at.context)).toEqual({
      id: '1',
      name: 'S00001',
      url: completed.url,
    });
  });

  it('never picks one of two', async () => {
    await start();
    await at.push(anOrder());
    at.fake.call('sale.order', 'create', [{ partner_id: 1, client_order_ref: 'acme-woo:1001' }]);
    expect(await code(at.orders.find('acme-woo:1001', at.route, at.context))).toEqual([
      'AMBIGUOUS_REFERENCE',
      { reference: 'acme-woo:1001', count: 2, destination: 'acme-odoo' },
    ]);
  });

  it('looks in the company of the route only', async () => {
    const companies = [
      { name: 'A', currency: 'TWD' },
      { name: 'B', currency: 'TWD' },
    ];
    await start({ companies }, { route: { company: 'B' } });
    at.fake.call('sale.order', 'create', [{ partner_id: 1, client_order_ref: 'acme-woo:1001' }]);
    expect(await at.orders.find('acme-woo:1001', at.route, at.context)).toBeUndefined();
    expect((await at.orders.find('acme-woo:1001', aRoute(), at.context))?.id).toBe('1');
  });
});

describe('creating', () => {
  it('writes once', async () => {
    await start();
    const { value: wire } = await at.wireOf(anOrder());
    const before = at.fake.server.requests.length;
    await at.orders.create(wire, at.context);
    expect(at.fake.server.requests.length - before).toBe(2); // create, and reading the name
    expect(at.fake.orders()).toHaveLength(1);
  });

  it('counts as written though its name cannot be read', async () => {
    await start();
    const { value: wire } = await at.wireOf(anOrder());
    at.fake.server.fault({
      times: 3,
      when: (request) => (request.body as Buffer).includes('"read"'),
      effect: { kind: 'answer', status: 500 },
    });
    expect(await at.orders.create(wire, at.context)).toEqual({
      id: '1',
      name: undefined,
      url: `${at.fake.url}/web#id=1&model=sale.order&view_type=form`,
    });
  });

  it('is found again when its answer was lost', async () => {
    await start();
    const { value: wire } = await at.wireOf(anOrder());
    at.fake.server.fault({
      when: (request) => (request.body as Buffer).includes('"create"'),
      effect: { kind: 'drop-after' },
    });
    await expect(at.orders.create(wire, at.context)).rejects.toMatchObject({
      name: 'UnknownOutcomeError',
      code: 'PEER_DISCONNECTED',
    });
    expect((await at.orders.find('acme-woo:1001', at.route, at.context))?.id).toBe('1');
  });

  it('has no wire to write without a customer', async () => {
    await start({}, { shadow: true });
    const { value: wire, warnings } = await at.wireOf(anOrder());
    expect(wire.vals).not.toHaveProperty('partner_id');
    expect(warnings).toContain('The customer does not exist in acme-odoo yet; it would be created.');
    expect(at.fake.records('res.partner')).toHaveLength(1);
    await expect(at.orders.create(wire, at.context)).rejects.toMatchObject({ code: 'CUSTOMER_UNRESOLVED' });
  });
});

describe('completing', () => {
  it.each(['deleted', 'cancelled'])('parks an order that was %s by hand', async (how) => {
    await start();
    const { completed, wire } = await at.push(anOrder());
    at.fake.call('sale.order', 'action_cancel', [[1]], { context: { disable_cancel_warning: true } });
    if (how === 'deleted') at.fake.call('sale.order', 'unlink', [[1]]);
    expect(await code(at.orders.complete(completed, wire, 'confirm', at.context))).toEqual([
      'ERP_DOCUMENT_GONE',
      { destination: 'acme-odoo', document: 'S00001' },
    ]);
  });

  it('writes the lines of our own draft anew when the mapping has changed since', async () => {
    await start();
    const order = anOrder();
    const { value: old } = await at.wireOf(order);
    const document = await at.orders.create(old, at.context);
    at.rows.splice(0, 1, ['tax', '1', '5% incl']);
    const { value: wire } = await at.wireOf(order);
    const { total } = await at.orders.complete(document, wire, 'confirm', at.context);
    expect(total).toEqual({ minor: 110200, currency: 'TWD' });
    expect(lines()).toEqual([
      [1, 2, 441, [2]],
      [2, 1, 156.98, [2]],
      [3, 1, 63, [2]],
    ]);
  });

  it('does not mind sections that staff added, nor another order of the lines', async () => {
    await start();
    const { completed, wire } = await at.push(anOrder(), 'draft');
    const section = { order_id: 1, name: 'Thanks', display_type: 'line_section', product_uom_qty: 0 };
    at.fake.call('sale.order.line', 'create', [section]);
    at.fake.call('sale.order.line', 'write', [[1], { sequence: 99 }]);
    await at.orders.complete(completed, wire, 'confirm', at.context);
    expect(lines()).toHaveLength(4);
    expect(saved('sale.order.line', 1)).toMatchObject({ sequence: 99 });
  });

  it('books a difference within tolerance on one rounding line, once', async () => {
    await start(US, { rows: [] });
    const order = simple(1000, { total: usd(1001), rounding: usd(1) });
    const { completed, wire } = await at.push(order, 'draft');
    expect(completed).toMatchObject({ total: usd(1001), rounding: usd(1), warnings: [] });
    expect(lines()).toEqual([
      [1, 1, 10, []],
      [6, 1, 0.01, []],
    ]);
    await at.orders.complete(completed, wire, 'confirm', at.context);
    expect(lines()).toHaveLength(2);
    expect(await at.orders.complete(completed, wire, 'confirm', at.context)).toMatchObject({
      rounding: usd(1),
    });
  });

  it('corrects and removes its rounding line', async () => {
    await start(US, { rows: [] });
    const { completed, wire } = await at.push(simple(1000, { total: usd(1002), rounding: usd(2) }), 'draft');
    at.fake.call('sale.order.line', 'write', [[2], { price_unit: 0.01 }]);
    expect(await at.orders.complete(completed, wire, 'draft', at.context)).toMatchObject({
      total: usd(1002),
      rounding: usd(2),
    });
    const { value: exact } = await at.wireOf(simple(1000));
    expect(await at.orders.complete(completed, exact, 'draft', at.context)).toMatchObject({
      total: usd(1000),
      rounding: usd(0),
    });
    expect(lines()).toEqual([[1, 1, 10, []]]);
  });

  it('parks what rounding does not explain, names the line, and confirms nothing', async () => {
    await start(US, { rows: [['tax', '1', '19%']] });
    const tax = { key: '1', title: 'VAT', ratePercent: '7', compound: false, amount: usd(70) };
    const line = simple(1000).lines[0] as OrderChangedV1['lines'][number];
    const order = simple(1500, {
      lines: [
        { ...line, title: 'Mug', subtotal: usd(430), total: usd(430) },
        { ...line, title: 'Tea', taxes: [tax], subtotal: usd(1000), total: usd(1000) },
      ],
      tax: usd(70),
    });
    expect(await code(at.push(order))).toEqual([
      'TOTAL_MISMATCH',
      {
        line: { kind: 'line', number: 2, title: 'Tea' },
        shop: '15.00 USD',
        erp: '16.20 USD',
        difference: '1.20 USD',
        tolerance: '0.02 USD',
      },
    ]);
    expect(saved('sale.order')).toMatchObject({ state: 'draft' });
    // Mended in the mapping table: the draft is written anew, at once.
    at.rows.splice(0, 1, ['tax', '1', '7%']);
    expect((await at.push(order)).completed).toMatchObject({ total: usd(1500) });
    expect(at.fake.orders()).toHaveLength(1);
  });

  it('reads again what was mended in Odoo, at once', async () => {
    await start(US, { rows: [['tax', '1', '19%']] });
    const tax = { key: '1', title: 'VAT', ratePercent: '19', compound: false, amount: usd(190) };
    const line = { ...(simple(1000).lines[0] as OrderChangedV1['lines'][number]), taxes: [tax] };
    const order = simple(1190, { lines: [line], tax: usd(190) });
    await at.wireOf(order);
    at.fake.call('account.tax', 'write', [[3], { price_include: true }]);
    expect(await code(at.push(order))).toMatchObject([
      'TOTAL_MISMATCH',
      { shop: '11.90 USD', erp: '10.00 USD' },
    ]);
    expect((await at.push(order)).completed).toMatchObject({ total: usd(1190), rounding: usd(0) });
    expect(lines()).toEqual([[1, 1, 11.9, [3]]]);
  });

  it('confirms nothing whose rounding Odoo cannot hold: KWD with two decimals of unit prices', async () => {
    await start({ companies: [{ name: 'Kuwait', currency: 'KWD' }] }, { rows: [] });
    const kwd = { minor: 12349, currency: 'KWD' };
    const line = { ...(simple(1).lines[0] as OrderChangedV1['lines'][number]), subtotal: kwd, total: kwd };
    const nothing = { minor: 0, currency: 'KWD' };
    const order = simple(1, {
      currency: 'KWD',
      lines: [{ ...line, discount: nothing }],
      rounding: nothing,
      tax: nothing,
      total: kwd,
    });
    expect(await code(at.push(order))).toMatchObject([
      'TOTAL_MISMATCH',
      { shop: '12.349 KWD', erp: '12.350 KWD', difference: '0.001 KWD' },
    ]);
    expect(saved('sale.order')).toMatchObject({ state: 'draft' });
  });

  it('sees a rounding product as soon as it is there', async () => {
    await start(US, { rows: [] });
    at.fake.call('product.product', 'write', [[6], { active: false }]);
    await at.push(simple(1000));
    at.fake.call('product.product', 'write', [[6], { active: true }]);
    const order = simple(1000, { orderId: '1002', total: usd(1001), rounding: usd(1) });
    expect((await at.push(order)).completed).toMatchObject({ rounding: usd(1) });
  });

  it('has no tolerance when the route has none', async () => {
    await start(US, { rows: [], route: { roundingTolerance: 0 } });
    const order = simple(1000, { total: usd(1000) });
    const { completed, wire } = await at.push(order, 'draft');
    const off: OdooOrderWire = { ...wire, expected: { ...wire.expected, erpTotal: '10.01', total: '10.01' } };
    expect(await code(at.orders.complete(completed, off, 'confirm', at.context))).toMatchObject([
      'TOTAL_MISMATCH',
      { difference: '0.01 USD' },
    ]);
  });

  it('says which product is missing to book rounding on', async () => {
    const products = SHOP.products.filter(({ sku }) => sku !== 'ROUNDING');
    await start({ ...US, products }, { rows: [] });
    const order = simple(1000, { total: usd(1001), rounding: usd(1) });
    expect(await code(at.push(order))).toEqual([
      'MISSING_SERVICE_PRODUCT',
      { purpose: 'rounding', sku: 'ROUNDING', destination: 'acme-odoo' },
    ]);
  });

  it('only checks an order that is confirmed already, and restores its date', async () => {
    await start();
    const { completed, wire } = await at.push(anOrder(), 'draft');
    at.fake.call('sale.order', 'action_confirm', [[1]]);
    at.fake.call('sale.order.line', 'write', [[3], { price_unit: 61 }]);
    expect(await at.orders.complete(completed, wire, 'confirm', at.context)).toMatchObject({
      total: { minor: 110300, currency: 'TWD' },
      warnings: [
        "S00001 was confirmed by hand, 1 off the shop's total.",
        'The shop charged 1101.98 TWD, S00001 says 1103.00 TWD.',
      ],
    });
    expect(saved('sale.order')).toMatchObject({ date_order: '2026-11-21 22:55:57' });
    at.fake.call('sale.order.line', 'write', [[3], { price_unit: 90 }]);
    expect(await code(at.orders.complete(completed, wire, 'confirm', at.context))).toMatchObject([
      'TOTAL_MISMATCH',
      { line: { kind: 'shipping', title: '宅配' } },
    ]);
  });

  it('accepts that somebody else confirms in the same moment', async () => {
    await start();
    const { completed, wire } = await at.push(anOrder(), 'draft');
    at.fake.server.fault({
      when: (request) => {
        if (!(request.body as Buffer).includes('action_confirm')) return false;
        at.fake.call('sale.order', 'action_confirm', [[1]]);
        return true;
      },
      effect: { kind: 'slow', delayMs: 1 },
    });
    expect(await at.orders.complete(completed, wire, 'confirm', at.context)).toMatchObject({
      total: { minor: 110200, currency: 'TWD' },
    });
    expect(saved('sale.order')).toMatchObject({ state: 'sale', date_order: '2026-11-21 22:55:57' });
  });

  it('hands on why Odoo will not confirm', async () => {
    await start();
    const { completed, wire } = await at.push(anOrder(), 'draft');
    at.fake.server.fault({
      when: (request) => (request.body as Buffer).includes('action_confirm'),
      effect: {
        kind: 'answer',
        status: 200,
        body: JSON.stringify({
          jsonrpc: '2.0',
          error: { data: { name: 'odoo.exceptions.UserError', message: 'Credit limit of 王小明 exceeded' } },
        }),
      },
    });
    const error = await at.orders.complete(completed, wire, 'confirm', at.context).catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: 'ERP_REFUSED',
      message: 'acme-odoo refused to confirm S00001: UserError.',
      detail: 'Credit limit of 王小明 exceeded',
    });
  });

  it('does not take a wizard for a confirmation', async () => {
    await start();
    const { completed, wire } = await at.push(anOrder(), 'draft');
    at.fake.server.fault({
      when: (request) => (request.body as Buffer).includes('action_confirm'),
      effect: {
        kind: 'answer',
        status: 200,
        body: '{"jsonrpc":"2.0","result":{"type":"ir.actions.act_window"}}',
      },
    });
    expect(await code(at.orders.complete(completed, wire, 'confirm', at.context))).toMatchObject([
      'ERP_REFUSED',
      { operation: { what: 'confirm-order', document: 'S00001' } },
    ]);
  });

  it('takes an order that an approval module holds for handed over', async () => {
    await start();
    const { completed, wire } = await at.push(anOrder(), 'draft');
    at.fake.call('sale.order', 'write', [[1], { state: 'to approve' }]);
    expect((await at.orders.complete(completed, wire, 'confirm', at.context)).warnings[0]).toBe(
      'S00001 waits in state "to approve": Odoo has not confirmed it yet.',
    );
  });

  it('refuses to leave an order in the wrong currency', async () => {
    await start({
      pricelists: [
        { name: 'T', currency: 'TWD' },
        { name: 'E', currency: 'EUR' },
      ],
    });
    const { completed, wire } = await at.push(anOrder(), 'draft');
    at.fake.call('sale.order', 'write', [[1], { pricelist_id: 2 }]);
    await at.orders.complete(completed, wire, 'draft', at.context);
    expect(saved('sale.order')).toMatchObject({ pricelist_id: 1 });
  });
});

describe('what an order names', () => {
  const errorOf = async (
    order: OrderChangedV1,
    options: Partial<FakeOdooOptions> = {},
    settings: Parameters<typeof connect>[1] = {},
  ) => {
    await start(options, settings);
    const error = await code(at.wireOf(order));
    // What must be mended first leaves nothing behind.
    expect(at.fake.records('res.partner')).toHaveLength((options.companies ?? SHOP.companies ?? []).length);
    return error;
  };
  const firstLine = (override: object) =>
    anOrder({ lines: anOrder().lines.map((line, n) => (n === 0 ? { ...line, ...override } : line)) });
  const tea = { sku: 'TEA-OOL-150', name: 'Tea' };
  const rest = SHOP.products.slice(1);
  const destination = 'acme-odoo';
  const line = { kind: 'line', number: 1, title: '高山烏龍茶 Oolong 150g' };

  it.each<[string, OrderChangedV1, Partial<FakeOdooOptions>, Parameters<typeof connect>[1], unknown]>([
    [
      'a SKU that no product carries',
      firstLine({ sku: 'tea-ool-150' }),
      {},
      {},
      ['UNKNOWN_SKU', { line, sku: 'tea-ool-150', destination }],
    ],
    [
      'a SKU on two products',
      anOrder(),
      { products: [tea, tea, ...rest] },
      {},
      ['AMBIGUOUS_SKU', { line, sku: 'TEA-OOL-150', count: 2, destination }],
    ],
    [
      'a SKU of an archived product',
      anOrder(),
      { products: [{ ...tea, archived: true }, ...rest] },
      {},
      ['ARCHIVED_SKU', { line, sku: 'TEA-OOL-150', destination }],
    ],
    ['a line without SKU', firstLine({ sku: undefined, productId: '7' }), {}, {}, ['MISSING_SKU', { line }]],
    [
      'a tax without a row',
      anOrder(),
      {},
      { rows: [] },
      ['UNMAPPED_TAX', { line, tax: '1', source: 'acme-woo', destination }],
    ],
    [
      'a tax row that leads nowhere',
      anOrder(),
      {},
      { rows: [['tax', '1', '6%']] },
      ['UNKNOWN_TAX', { tax: '1', to: '6%', destination }],
    ],
    [
      'a purchase tax',
      anOrder(),
      { taxes: [{ name: '5%', amount: 5, use: 'purchase' }] },
      {},
      ['UNKNOWN_TAX', { tax: '1', to: '5%', destination }],
    ],
    [
      'a currency that is not active',
      simple(1),
      {},
      { rows: [] },
      ['UNMAPPED_CURRENCY', { currency: 'USD', destination }],
    ],
    [
      'a currency without pricelist',
      simple(1),
      { currencies: [{ name: 'USD' }] },
      { rows: [] },
      ['UNMAPPED_CURRENCY', { currency: 'USD', destination }],
    ],
    [
      'a company that is not there',
      anOrder(),
      {},
      { route: { company: 'Nobody' } },
      ['UNKNOWN_COMPANY', { company: 'Nobody', destination }],
    ],
    [
      'a company that is closed to us',
      anOrder(),
      { companies: [...(SHOP.companies ?? []), { name: 'B', currency: 'TWD', closed: true }] },
      { route: { company: 2 } },
      ['UNKNOWN_COMPANY', { company: '2', destination }],
    ],
    [
      'a warehouse that is not there',
      anOrder(),
      {},
      { route: { warehouse: 'X' } },
      ['UNKNOWN_WAREHOUSE', { warehouse: 'X', destination }],
    ],
    [
      'a payment term that is not there',
      anOrder(),
      {},
      {
        rows: [
          ['tax', '1', '5%'],
          ['payment', 'stripe', '30 Days'],
        ],
      },
      ['UNKNOWN_PAYMENT_TERM', { method: 'stripe', to: '30 Days', destination }],
    ],
    [
      'a country that is not there',
      anOrder({ billing: { country: 'ZZ', city: 'X' } }),
      {},
      {},
      ['UNKNOWN_COUNTRY', { country: 'ZZ', destination }],
    ],
    [
      'no shipping product',
      anOrder(),
      { products: SHOP.products.filter(({ sku }) => sku !== 'SHIP') },
      {},
      ['MISSING_SERVICE_PRODUCT', { purpose: 'shipping', sku: 'SHIP', destination }],
    ],
  ])('parks: %s', async (_case, order, options, settings, expected) => {
    expect(await errorOf(order, options, settings)).toEqual(expected);
  });

  it('asks again for what was not there a moment ago', async () => {
    await start();
    const order = firstLine({ sku: 'NEW' });
    expect(await code(at.wireOf(order))).toMatchObject(['UNKNOWN_SKU', { sku: 'NEW' }]);
    at.fake.call('product.product', 'create', [{ name: 'New', default_code: 'NEW' }]);
    expect((await at.wireOf(order)).value.vals.order_line[0]?.[2].product_id).toBe(7);
  });

  it('remembers what it found for ten minutes', async () => {
    await start();
    await at.wireOf(anOrder());
    const asked = async () => {
      const before = at.fake.server.requests.length;
      await at.wireOf(anOrder());
      return at.fake.server.requests.length - before;
    };
    const warm = await asked();
    at.clock.nowMs += 599_000;
    expect(await asked()).toBe(warm);
    at.clock.nowMs += 2_000;
    expect(await asked()).toBeGreaterThan(warm + 8);
  });

  it('takes id:<number> and rows for bundles, shipping methods, lines without SKU or tax', async () => {
    const rows: Row[] = [
      ['tax', '1', 'id:1'],
      ['tax', 'none', '0%'],
      ['payment', 'stripe', 'Immediate'],
      ['shipping', 'flat_rate', 'FEE'],
      [
        'sku',
        'TEA-OOL-150',
        [
          { value: 'TEA-OOL-150', quantity: 2, share: 3 },
          { value: 'MUG-TH-01', quantity: 1, share: 1 },
        ],
      ],
      ['sku', 'product:7:8', 'MUG-TH-01'],
    ];
    await start({ paymentTerms: [{ name: 'Immediate' }] }, { rows, route: { warehouse: 'WH' } });
    const [first, second] = anOrder().lines as [
      OrderChangedV1['lines'][number],
      OrderChangedV1['lines'][number],
    ];
    const order = anOrder({
      lines: [first, { ...second, sku: undefined, productId: '7', variantId: '8', taxes: [] }],
    });
    const { vals } = (await at.wireOf(order)).value;
    expect(
      vals.order_line.map(([, , l]) => [l.product_id, l.product_uom_qty, l.price_unit, l.tax_id]),
    ).toEqual([
      [1, 4, 157.5, [[6, 0, [1]]]],
      [2, 2, 105, [[6, 0, [1]]]],
      [2, 1, 149.5, [[6, 0, [6]]]],
      [4, 1, 60, [[6, 0, [1]]]],
    ]);
    expect(vals).toMatchObject({ payment_term_id: 1, warehouse_id: 1, pricelist_id: false });
  });

  it('books to the company of the route, with its taxes and warehouses', async () => {
    const companies = [
      { name: 'A', currency: 'TWD' },
      { name: 'B', currency: 'TWD' },
    ];
    const taxes = [
      { name: '5%', amount: 5 },
      { name: '5%', amount: 5, company: 'B' },
    ];
    await start({ companies, taxes }, { route: { company: 'B' } });
    const { vals } = (await at.wireOf(anOrder())).value;
    expect(vals.company_id).toBe(2);
    expect(vals.order_line[0]?.[2].tax_id).toEqual([[6, 0, [2]]]);
    await at.push(anOrder());
    expect(saved('sale.order')).toMatchObject({ company_id: 2, warehouse_id: 2, state: 'sale' });
  });

  it('never guesses between two taxes of one name', async () => {
    const taxes = [
      { name: '5%', amount: 5 },
      { name: '5%', amount: 5 },
    ];
    expect(await errorOf(anOrder(), { taxes })).toMatchObject(['UNKNOWN_TAX', { to: '5%' }]);
  });

  it('finds names that a merchant copied in another language', async () => {
    await start({}, { rows: [['tax', '1', '營業稅']] });
    at.fake.call('res.users', 'write', [[2], { lang: 'zh_TW' }]);
    at.fake.server.fault({
      when: (request) => {
        const body = String(request.body);
        return body.includes('account.tax') && body.includes('zh_TW');
      },
      effect: {
        kind: 'answer',
        status: 200,
        body: '{"jsonrpc":"2.0","result":[{"id":1,"name":"營業稅","company_id":[1,"A"],"amount_type":"percent","price_include":false,"children_tax_ids":[]}]}',
      },
    });
    const { vals } = (await at.wireOf(anOrder())).value;
    expect(vals.order_line[0]?.[2].tax_id).toEqual([[6, 0, [1]]]);
  });

  it('picks the first pricelist of the currency that is open to the company', async () => {
    const pricelists = [
      { name: 'late', currency: 'USD', sequence: 9 },
      { name: 'early', currency: 'USD', sequence: 2 },
      { name: 'other', currency: 'USD', sequence: 1, company: 'B' },
    ];
    const companies = [...(SHOP.companies ?? []), { name: 'B', currency: 'USD' }];
    await start({ pricelists, companies }, { rows: [] });
    expect((await at.wireOf(simple(1000))).value.vals.pricelist_id).toBe(2);
    expect((await at.push(simple(1000))).completed.total).toEqual(usd(1000));
  });
});
