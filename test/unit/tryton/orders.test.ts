import { afterEach, describe, expect, it } from 'vitest';
import type { TrytonOrderWire } from '../../../shared/connectors/tryton/wire.ts';
import { RetryableError } from '../../../shared/core/errors.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { anOrder } from '../../fakes/orders.ts';
import { FAKE, type FakeTryton, type FakeTrytonOptions, startFakeTryton } from '../../fakes/tryton.ts';
import { type ConnectOptions, connectTo } from './harness.ts';

let fake: FakeTryton;
afterEach(() => fake.stop());

/** What only a fake can be asked: see `test/tryton` for the real one. */
const connect = async (options: FakeTrytonOptions = {}, how: Partial<ConnectOptions> = {}) => {
  fake = await startFakeTryton(options);
  const secrets = [{ login: FAKE.login, password: FAKE.password }];
  return connectTo({ url: fake.url, database: FAKE.database, secrets, ...how });
};
const twd = (minor: number) => ({ minor, currency: 'TWD' });
const sale = () => fake.records('sale.sale')[0];
const parties = () => fake.records('party.party').slice(1);
const withBuyer = (buyer: Partial<OrderChangedV1['buyer']>, override: Partial<OrderChangedV1> = {}) =>
  anOrder({ buyer: { masked: false, ...buyer }, ...override });

describe('a task queue worker', () => {
  it('a confirmed order is tried again until it is processed', async () => {
    const shop = await connect({ worker: true });
    await expect(shop.push(anOrder())).rejects.toMatchObject({ code: 'PEER_BUSY' });
    expect(sale()?.['state']).toBe('confirmed');
    fake.work();
    expect((await shop.push(anOrder())).completed.warnings).toEqual([]);
    expect(sale()?.['state']).toBe('processing');
  });

  it('that failed silently is asked to, so that it says why', async () => {
    const shop = await connect({ worker: true });
    await expect(shop.push(anOrder())).rejects.toBeInstanceOf(RetryableError);
    await shop.push(anOrder());
    expect(sale()?.['state']).toBe('processing');
  });

  it('that is set to wait is waited for by nobody', async () => {
    const shop = await connect({ worker: true });
    fake.call('model.sale.configuration.write', [[1], { sale_process_after: { seconds: 86400 } }]);
    const { completed } = await shop.push(anOrder());
    expect(completed.warnings).toEqual(['1 is confirmed; Tryton is set to process it later.']);
    expect(sale()?.['state']).toBe('confirmed');
  });
});

describe('without the module sale_amendment', () => {
  it('a processed sale is not edited', async () => {
    const shop = await connect({ amendments: false });
    const order = anOrder();
    const { completed } = await shop.push(order);
    const [tea] = order.lines;
    if (!tea) throw new Error('the order has lines');
    const edited = { ...order, lines: [tea], tax: twd(4500), total: twd(94500) };
    await expect(shop.push(edited, 'confirm', completed.fingerprint)).rejects.toMatchObject({
      code: 'TOO_LATE_IN_ERP',
      params: { because: 'locked' },
    });
  });

  it('its note is', async () => {
    const shop = await connect({ amendments: false });
    const { completed } = await shop.push(anOrder());
    await shop.push(anOrder({ buyerNote: 'Ring twice' }), 'confirm', completed.fingerprint);
    expect(sale()?.['comment']).toMatch(/^Ring twice\n/);
  });
});

describe('an edit', () => {
  it('that only adds to what was shipped and invoiced is taken: the new lines of an exchange', async () => {
    const shop = await connect();
    const order = anOrder();
    const { completed } = await shop.push(order);
    const shipments = sale()?.['shipments'] as number[];
    for (const button of ['assign_try', 'pick', 'pack', 'done']) {
      fake.call(`model.stock.shipment.out.${button}`, [shipments]);
    }
    fake.call('model.account.invoice.post', [sale()?.['invoices']]);
    const [tea, mug] = order.lines;
    if (!tea || !mug) throw new Error('the order has two lines');
    const another = { ...mug, id: '9', subtotal: twd(20000), total: twd(20000) };
    const taxes = mug.taxes.map((tax) => ({ ...tax, amount: twd(1000) }));
    const lines = [tea, mug, { ...another, taxes }];
    const after = await shop.push(
      { ...order, lines, tax: twd(6248), total: twd(131198) },
      'confirm',
      completed.fingerprint,
    );
    expect(after.completed.total).toEqual(twd(131198));
    const states = (model: string) => fake.records(model).map(({ state }) => state);
    expect(states('stock.shipment.out')).toEqual(['done', 'waiting']);
    expect(states('account.invoice')).toEqual(['posted', 'draft']);
    // Fewer pieces of what was shipped are another matter.
    const fewer = { ...tea, quantity: 1, subtotal: twd(42000), total: twd(42000) };
    const edit = shop.push(
      { ...order, lines: [fewer, ...lines.slice(1)], tax: twd(4148), total: twd(87098) },
      'confirm',
      after.completed.fingerprint,
    );
    await expect(edit).rejects.toMatchObject({ code: 'TOO_LATE_IN_ERP', params: { because: 'delivered' } });
  });

  it('is not made when pieces are set apart already', async () => {
    const shop = await connect();
    const { completed } = await shop.push(anOrder());
    fake.call('model.stock.shipment.out.assign_try', [sale()?.['shipments']]);
    const moved = anOrder({ shipping: { line1: 'Rue 5', city: 'Namur', country: 'BE' } });
    await expect(shop.push(moved, 'confirm', completed.fingerprint)).rejects.toMatchObject({
      code: 'TOO_LATE_IN_ERP',
      params: { because: 'locked' },
    });
  });

  it('that the shop took back before it was applied leaves no amendment behind', async () => {
    const shop = await connect();
    const { completed } = await shop.push(anOrder());
    const moved = anOrder({ shipping: { line1: 'Rue 5', city: 'Namur', country: 'BE' } });
    const again = anOrder({ shipping: { line1: 'Rue 6', city: 'Namur', country: 'BE' } });
    fake.server.fault({
      when: ({ body }) => String(body).includes('validate_amendment'),
      effect: { kind: 'answer', status: 503 },
    });
    await expect(shop.push(moved, 'confirm', completed.fingerprint)).rejects.toBeInstanceOf(RetryableError);
    await shop.push(again, 'confirm', completed.fingerprint);
    expect(fake.records('sale.amendment')).toMatchObject([{ state: 'validated' }]);
  });

  /** Another product instead of the mug, and another note. */
  const exchanged = (): OrderChangedV1 => {
    const order = anOrder({ buyerNote: 'Ring twice' });
    const [tea, mug] = order.lines;
    if (!tea || !mug) throw new Error('the order has two lines');
    const shirt = { ...mug, id: '9', sku: 'TEE-BLUE-M' };
    return { ...order, lines: [tea, shirt] };
  };

  it.each([
    ['the note', 'model.sale.sale.write', 1],
    ['the amendment', 'model.sale.amendment.create', 1],
    ['the new line', 'model.sale.sale.write', 2],
    ['what is applied', 'model.sale.amendment.validate_amendment', 1],
  ])('that ended after it wrote %s is finished, not mistaken for staff', async (_what, method, nth) => {
    for (const kind of ['drop-before', 'drop-after'] as const) {
      const shop = await connect();
      const { completed } = await shop.push(anOrder());
      let seen = 0;
      fake.server.fault({
        when: ({ body }) => {
          seen += String(body).includes(`"${method}"`) ? 1 : 0;
          return seen === nth;
        },
        effect: { kind },
      });
      await expect(shop.push(exchanged(), 'confirm', completed.fingerprint)).rejects.toBeInstanceOf(
        RetryableError,
      );
      const after = await shop.push(exchanged(), 'confirm', completed.fingerprint);
      expect(after.completed.total).toEqual(twd(110198));
      expect(fake.records('sale.line').map(({ quantity }) => quantity)).toEqual([2, 0, 1, 1]);
      expect(fake.records('sale.amendment')).toMatchObject([{ state: 'validated' }]);
      if (kind === 'drop-before') await fake.stop();
    }
  });

  it('while the order is held keeps it held', async () => {
    const shop = await connect();
    const order = anOrder();
    const { completed } = await shop.push(order, 'reserve');
    const [tea] = order.lines;
    if (!tea) throw new Error('the order has lines');
    const edited = { ...order, lines: [tea], tax: twd(4500), total: twd(94500) };
    await shop.push(edited, 'reserve', completed.fingerprint);
    const ids = sale()?.['shipments'] as number[];
    const shipments = fake.records('stock.shipment.out').filter(({ id }) => ids.includes(id));
    expect(shipments).toMatchObject([{ state: 'draft' }]);
    expect(sale()?.['comment']).toMatch(/^Payment pending: do not ship\.\n/);
  });
});

describe('what is held', () => {
  it('stays held when it is told again, and is let go once', async () => {
    const shop = await connect();
    const held = () => fake.records('stock.shipment.out').map(({ state }) => state);
    await shop.push(anOrder(), 'reserve');
    await shop.push(anOrder(), 'reserve');
    expect(held()).toEqual(['draft']);
    await shop.push(anOrder(), 'confirm');
    expect(held()).toEqual(['waiting']);
    // Staff put it back on purpose: nobody asked us to change that.
    fake.call('model.stock.shipment.out.draft', [[1]]);
    await shop.push(anOrder(), 'confirm');
    expect(held()).toEqual(['draft']);
  });
});

describe('customers', () => {
  it('of the same mail and another tax number are two', async () => {
    const shop = await connect();
    const of = (orderId: string, taxNumber: string) =>
      withBuyer({ email: 'office@example.test', company: 'Siam BV', taxNumber }, { orderId });
    await shop.push(of('1', 'BE0897290877'));
    await shop.push(of('2', 'BE0403170701'));
    await shop.push(of('3', 'BE 0897.290.877'));
    expect(parties()).toHaveLength(2);
    expect(fake.records('party.identifier').map(({ type, code }) => `${type} ${code}`)).toEqual([
      'eu_vat BE0897290877',
      'eu_vat BE0403170701',
    ]);
  });

  it('are found by mail whatever its case, and never by one that only looks alike', async () => {
    const shop = await connect();
    await shop.push(withBuyer({ email: 'a_b@example.test' }, { orderId: '1' }));
    await shop.push(withBuyer({ email: 'A_B@Example.test' }, { orderId: '2' }));
    await shop.push(withBuyer({ email: 'axb@example.test' }, { orderId: '3' }));
    expect(parties()).toHaveLength(2);
  });

  it('a phone number that Tryton refuses is kept as another means of contact', async () => {
    const shop = await connect({ refusedPhones: ['0912'] });
    await shop.push(withBuyer({ id: '5', phone: '0912' }));
    expect(fake.records('party.contact_mechanism')).toMatchObject([{ type: 'other', value: '0912' }]);
    expect(parties()).toHaveLength(1);
  });

  it('a tax number that Tryton refuses parks, and is not in the reason', async () => {
    const shop = await connect({ refusedTaxNumbers: ['BE1'] });
    const error = await shop.push(withBuyer({ id: '5', taxNumber: 'BE1' })).catch((e: unknown) => e as Error);
    expect(error).toMatchObject({ code: 'ERP_REFUSED', params: { error: { why: 'tax-number-invalid' } } });
    expect(String((error as Error).message)).not.toContain('BE1');
  });

  it('a collective one gets the invoices, the buyer the goods', async () => {
    const shop = await connect({}, { route: { customers: { collective: 'WEB' } } });
    fake.call('model.party.party.create', [
      [{ name: 'Web', code: 'WEB', addresses: [['create', [{ street: 'Office 1' }]]] }],
    ]);
    await shop.push(anOrder());
    expect(sale()).toMatchObject({ party: 2, invoice_address: 1, shipment_address: 2 });
    expect(fake.records('party.address')[1]).toMatchObject({
      party: 2,
      party_name: '王小明',
      city: '台北市',
    });
  });

  it('one without any address can still be quoted', async () => {
    const shop = await connect();
    await shop.push(withBuyer({ id: '5' }, { billing: undefined, shipping: undefined }));
    expect(sale()).toMatchObject({ state: 'processing', invoice_address: 1, shipment_address: 1 });
  });

  it('in shadow mode nobody is created, and it is said', async () => {
    const shop = await connect({}, { shadow: true });
    const { warnings } = await shop.wireOf(anOrder());
    expect(warnings).toEqual(['The customer does not exist in acme-tryton yet; it would be created.']);
    expect(parties()).toEqual([]);
  });
});

describe('what a merchant must mend', () => {
  it.each<[string, Partial<OrderChangedV1>, Partial<ConnectOptions>, string]>([
    ['a tax without row', {}, { rows: [] }, 'UNMAPPED_TAX'],
    ['a row to a tax that is for purchases', {}, { rows: [['tax', '1', 'Input 5%']] }, 'UNKNOWN_TAX'],
    ['a row to no tax', {}, { rows: [['tax', '1', 'id:99']] }, 'UNKNOWN_TAX'],
    ['a currency that Tryton has not', { currency: 'USD' }, {}, 'UNMAPPED_CURRENCY'],
    ['a warehouse that is a storage zone', {}, { route: { warehouse: 'STO' } }, 'UNKNOWN_WAREHOUSE'],
    ['a company that is none', {}, { route: { company: 'Nobody' } }, 'UNKNOWN_COMPANY'],
    [
      'a payment term that is none',
      {},
      {
        rows: [
          ['tax', '1', '5%'],
          ['payment', 'stripe', 'Never'],
        ],
      },
      'UNKNOWN_PAYMENT_TERM',
    ],
    ['a country that Tryton has not', { shipping: { line1: 'x', country: 'FR' } }, {}, 'UNKNOWN_COUNTRY'],
  ])('%s', async (_what, order, how, code) => {
    const shop = await connect({}, how);
    await expect(shop.push(anOrder(order))).rejects.toMatchObject({ code });
    expect(fake.records('sale.sale')).toEqual([]);
    expect(parties()).toEqual([]);
  });

  it('is looked for again after it was mended', async () => {
    const rows: ['tax' | 'sku', string, string][] = [['tax', '1', '6%']];
    const shop = await connect({}, { rows });
    await expect(shop.push(anOrder())).rejects.toMatchObject({ code: 'UNKNOWN_TAX' });
    fake.call('model.account.tax.create', [
      [{ name: '6%', rate: { decimal: '0.05' }, company: 1, parent: null, group: null }],
    ]);
    expect((await shop.push(anOrder())).completed.total).toEqual(twd(110198));
  });
});

it('what staff changed and cancelled is cancelled', async () => {
  const shop = await connect();
  const { completed, document } = await shop.push(anOrder(), 'draft');
  fake.call('model.sale.sale.write', [[Number(document.id)], { comment: 'The buyer rang.' }]);
  fake.call('model.sale.sale.cancel', [[Number(document.id)]]);
  await shop.changes().cancel(document, completed.fingerprint, shop.route, shop.context);
  expect(sale()).toMatchObject({ state: 'cancelled', comment: 'The buyer rang.' });
});

it('a sale of which Tryton makes nothing by itself is done, and not gone', async () => {
  const shop = await connect({ method: 'manual' });
  const { completed } = await shop.push(anOrder());
  expect(sale()?.['state']).toBe('done');
  expect((await shop.push(anOrder())).completed).toEqual(completed);
});

it('what is believed of Tryton is forgotten when it refuses', async () => {
  const shop = await connect();
  await shop.push(anOrder());
  const [tea] = fake.records('product.product');
  if (!tea) throw new Error('there are products');
  fake.call('model.product.product.delete', [[tea.id]]);
  const { id: _, ...same } = tea;
  fake.call('model.product.product.create', [[same]]);
  const next = anOrder({ orderId: '1002' });
  await expect(shop.push(next)).rejects.toMatchObject({ code: 'ERP_REFUSED' });
  expect((await shop.push(next)).completed.total).toEqual(twd(110198));
});

it('a draft that was written with an older mapping is written anew before it is confirmed', async () => {
  const shop = await connect();
  const order = anOrder();
  const { value: wire } = await shop.wireOf(order);
  const [[, lines]] = wire.values.lines;
  const older: TrytonOrderWire = {
    ...wire,
    values: { ...wire.values, lines: [['create', lines.slice(0, 1)]] },
  };
  await shop.orders.create(older, shop.context);
  expect((await shop.push(order)).completed.total).toEqual(twd(110198));
  expect(fake.records('sale.line')).toHaveLength(3);
});

it('a sale that staff confirmed with another total is left to people', async () => {
  const shop = await connect();
  const order = anOrder();
  const { document } = await shop.push(order, 'draft');
  const [line] = fake.records('sale.line');
  fake.call('model.sale.line.write', [[line?.id], { quantity: 9 }]);
  for (const button of ['quote', 'confirm']) fake.call(`model.sale.sale.${button}`, [[Number(document.id)]]);
  await expect(shop.push(order)).rejects.toMatchObject({
    code: 'TOTAL_MISMATCH',
    params: { line: { kind: 'line', number: 1 } },
  });
});

it('a return that staff made of a sale is not taken for the order', async () => {
  const shop = await connect();
  const order = anOrder();
  const { document } = await shop.push(order);
  const copy = {
    reference: shop.reference(order),
    party: 2,
    currency: 1,
    origin: `sale.sale,${document.id}`,
  };
  fake.call('model.sale.sale.create', [[copy]]);
  const found = await shop.orders.find(shop.reference(order), shop.route, shop.context);
  expect(found).toMatchObject({ id: document.id, url: `${fake.url}/#acme/model/sale.sale/${document.id}` });
});
