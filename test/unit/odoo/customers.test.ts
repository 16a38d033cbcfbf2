import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { OrderChangedV1 } from '../../../shared/events/order-changed.ts';
import { anOrder } from '../../fakes/orders.ts';
import { type Connected, connect } from './harness.ts';

let at: Connected;
afterEach(() => at.fake.stop());
const start = async (...args: Parameters<typeof connect>) => {
  at = await connect(...args);
  return at;
};

/** Partner 1 is the company's own. */
const partners = () => at.fake.records('res.partner').filter(({ id }) => id > 1);
const make = (vals: object) => at.fake.call('res.partner', 'create', [vals]) as number;
const taiwan = () => at.fake.records('res.country').find(({ code }) => code === 'TW')?.id;
const home = () => ({
  name: '王小明',
  email: 'ming.wang@example.test',
  street: '測試路一段 1 號',
  city: '台北市',
  zip: '100',
  country_id: taiwan(),
});
const customerOf = async (order: OrderChangedV1) => {
  const { value, warnings } = await at.wireOf(order);
  const { partner_id, partner_invoice_id, partner_shipping_id } = value.vals;
  return { ids: [partner_id, partner_invoice_id, partner_shipping_id], warnings };
};
const buyer = (override: object) => anOrder({ buyer: { ...anOrder().buyer, ...override } });
const address = anOrder().billing as NonNullable<OrderChangedV1['billing']>;

describe('a new buyer', () => {
  it('becomes one partner with the billing address, our key and the mail', async () => {
    await start();
    expect((await customerOf(anOrder())).ids).toEqual([2, 2, 2]);
    expect(partners()).toMatchObject([
      {
        name: '王小明',
        email: 'ming.wang@example.test',
        ref: 'acme-woo:2',
        street: '測試路一段 1 號',
        city: '台北市',
        zip: '100',
        country_id: taiwan(),
        is_company: false,
        vat: false,
        parent_id: false,
        company_id: false,
      },
    ]);
  });

  it('is made once by two orders at the same time', async () => {
    await start();
    const orders = [anOrder(), anOrder({ orderId: '1002', orderNumber: '1002' })];
    const first = await Promise.allSettled(orders.map((order) => at.wireOf(order, at.open())));
    // One that comes while the other creates is told to wait; it finds the customer when it comes back.
    const outcomes = first.map((result) => (result.status === 'rejected' ? result.reason.code : 'done'));
    expect(outcomes).toContain('done');
    expect(['done', 'BUSY']).toEqual(expect.arrayContaining(outcomes));
    await Promise.all(orders.map((order) => at.wireOf(order, at.open())));
    expect(partners()).toHaveLength(1);
  });

  it('is named by a hash, never by mail or number', async () => {
    await start();
    await customerOf(anOrder({ shipping: { ...address, line1: '倉庫路 9 號' } }));
    expect(at.onces).toEqual([
      expect.stringMatching(/^customer:[0-9a-f]{32}$/),
      expect.stringMatching(/^address:delivery:2:[0-9a-f]{32}$/),
    ]);
  });

  it('without mail is found by our key; a guest without mail by the order', async () => {
    await start();
    await customerOf(buyer({ email: undefined }));
    await customerOf(buyer({ email: undefined }));
    await customerOf(buyer({ email: undefined, id: undefined }));
    await customerOf(buyer({ email: undefined, id: undefined }));
    expect(partners().map(({ ref }) => ref)).toEqual(['acme-woo:2', 'acme-woo:order:1001']);
  });

  it('gets a name even when the order has none', async () => {
    await start();
    await customerOf(
      anOrder({ buyer: { email: 'x@example.test', masked: true }, billing: undefined, shipping: undefined }),
    );
    expect(partners()).toMatchObject([
      { name: 'acme-woo #1001', email: 'x@example.test', country_id: false },
    ]);
  });

  it('that was deleted or archived in Odoo is made again', async () => {
    await start();
    await customerOf(anOrder());
    at.fake.call('res.partner', 'unlink', [[2]]);
    expect((await customerOf(anOrder())).ids).toEqual([3, 3, 3]);
    at.fake.call('res.partner', 'write', [[3], { active: false }]);
    expect((await customerOf(anOrder())).ids).toEqual([4, 4, 4]);
    expect(at.onces.map((subject) => subject.replace(/[0-9a-f]{32}/, '#'))).toEqual([
      'customer:#',
      'customer:#',
      'customer:#:after-2',
      'customer:#',
      'customer:#:after-2',
      'customer:#:after-2:after-3',
    ]);
  });
});

describe('a known buyer', () => {
  it('is found by mail in any spelling, and never edited', async () => {
    await start();
    const id = make({ ...home(), email: 'Ming.Wang@Example.TEST', phone: '02 5550 0000', name: '王小明' });
    const before = structuredClone(partners());
    expect((await customerOf(anOrder())).ids).toEqual([id, id, id]);
    expect(partners()).toEqual(before);
  });

  it('is found by our key before the mail', async () => {
    await start();
    make(home());
    const known = make({ ...home(), email: 'old@example.test', ref: 'acme-woo:2' });
    expect((await customerOf(anOrder())).ids[0]).toBe(known);
  });

  it.each(['ming_wang@example.test', 'ming%@example.test', 'ming\\wang@example.test'])(
    'is not mistaken for another by the wildcards in %s',
    async (email) => {
      await start();
      make({ ...home(), email: 'mingXwang@example.test' });
      const own = make({ ...home(), email });
      expect((await customerOf(buyer({ email }))).ids[0]).toBe(own);
    },
  );

  it('is no child contact, no partner of another company, not archived', async () => {
    await start(
      {
        companies: [
          { name: 'A', currency: 'TWD' },
          { name: 'B', currency: 'TWD' },
        ],
      },
      { route: { company: 'A' } },
    );
    const parent = make({ name: 'Parent' });
    make({ ...home(), parent_id: parent });
    make({ ...home(), company_id: 2 });
    make({ ...home(), active: false });
    const before = partners().length;
    await customerOf(anOrder());
    expect(partners()).toHaveLength(before + 1);
  });

  it('with several partners is the oldest, and says so', async () => {
    await start();
    const oldest = make(home());
    make(home());
    const { ids, warnings } = await customerOf(anOrder());
    expect(ids[0]).toBe(oldest);
    expect(warnings).toContain('2 customers fit the buyer: the order is booked on number 2.');
  });

  it('with several partners is the one with the same tax number', async () => {
    await start();
    make({ ...home(), vat: 'DE111111111' });
    const same = make({ ...home(), vat: '222 222 222' });
    expect((await customerOf(buyer({ taxNumber: 'DE222222222' }))).ids[0]).toBe(same);
  });

  it('with another tax number is another customer: an invoice must not carry the wrong one', async () => {
    await start();
    const other = make({ ...home(), vat: 'DE111111111', ref: 'acme-woo:2' });
    const order = buyer({ taxNumber: 'DE222222222' });
    const [id] = (await customerOf(order)).ids;
    expect(id).not.toBe(other);
    expect((await customerOf(order)).ids[0]).toBe(id);
    expect(partners().map(({ vat, ref }) => [vat, ref])).toEqual([
      ['DE111111111', 'acme-woo:2'],
      ['DE222222222', false],
    ]);
  });

  it('without a tax number in Odoo keeps being the customer, with a warning', async () => {
    await start();
    const known = make(home());
    const { ids, warnings } = await customerOf(buyer({ taxNumber: 'DE222222222' }));
    expect(ids[0]).toBe(known);
    expect(warnings).toEqual([
      `The order carries a tax number, customer number ${known} has none: add it by hand.`,
      'acme-odoo rounds TWD to 1: 1101.98 TWD is booked as 1102.',
    ]);
  });
});

describe('addresses', () => {
  it('delivers to a child contact when the goods go elsewhere, and reuses it', async () => {
    await start();
    const order = anOrder({
      shipping: { ...address, name: '陳大文', line1: '倉庫路 9 號', phone: '+886 2 1234 5678' },
    });
    expect((await customerOf(order)).ids).toEqual([2, 2, 3]);
    const spaced = anOrder({
      shipping: { ...order.shipping, line1: ' 倉庫路  9 號 ', phone: '02 1234 5678' },
    });
    expect((await customerOf(spaced)).ids).toEqual([2, 2, 3]);
    expect(partners()[1]).toMatchObject({
      parent_id: 2,
      type: 'delivery',
      name: '陳大文',
      street: '倉庫路 9 號',
      phone: '+886 2 1234 5678',
    });
    const moved = anOrder({ shipping: { ...order.shipping, postcode: '999' } });
    expect((await customerOf(moved)).ids).toEqual([2, 2, 4]);
  });

  it('sends the invoice to a child contact when a known customer pays from elsewhere', async () => {
    await start();
    const id = make({ ...home(), street: 'Old street' });
    expect((await customerOf(anOrder())).ids).toEqual([id, id + 1, id + 1]);
    expect(partners()).toMatchObject([
      { street: 'Old street' },
      { type: 'invoice', parent_id: id, street: '測試路一段 1 號', email: 'ming.wang@example.test' },
    ]);
  });

  it('makes a company the customer and the person its contact', async () => {
    await start();
    const order = anOrder({
      buyer: { ...anOrder().buyer, company: '測試股份有限公司', taxNumber: '12345675' },
      billing: { ...address, company: '測試股份有限公司' },
    });
    expect((await customerOf(order)).ids).toEqual([2, 3, 3]);
    expect(partners()).toMatchObject([
      {
        name: '測試股份有限公司',
        is_company: true,
        vat: '12345675',
        parent_id: false,
        street: '測試路一段 1 號',
      },
      { name: '王小明', type: 'invoice', parent_id: 2, street: '測試路一段 1 號' },
    ]);
    expect((await customerOf(order)).ids).toEqual([2, 3, 3]);
  });

  it('names the company on the address when the customer is a person', async () => {
    await start();
    const id = make(home());
    const billing = { ...address, company: '測試股份有限公司' };
    expect((await customerOf(anOrder({ billing, shipping: billing }))).ids).toEqual([id, id + 1, id + 1]);
    expect(partners()[1]).toMatchObject({ name: '測試股份有限公司, 王小明', type: 'invoice', parent_id: id });
  });

  it.each<[string, string, string, unknown]>([
    ['JP', 'JP13', 'Tokyo', '13'],
    ['JP', 'JP-13', 'Tokyo', '13'],
    ['JP', 'osaka', 'Osaka', '27'],
    ['US', 'CA', 'California', 'CA'],
    ['MY', '14', 'Kuala Lumpur', 'MY-14'],
    ['CA', 'Ontario', 'Ontario', 'ON'],
  ])('knows the state %s %s as %s', async (country, region, name, code) => {
    await start();
    await customerOf(anOrder({ billing: { ...address, country, region }, shipping: undefined }));
    const state = at.fake.records('res.country.state').find(({ id }) => id === partners()[0]?.['state_id']);
    expect([state?.['name'], state?.['code']]).toEqual([name, code]);
  });

  it('leaves a state empty that Odoo does not have, and says so', async () => {
    await start();
    const billing = { ...address, region: 'TPE' };
    const { warnings } = await customerOf(anOrder({ billing, shipping: billing }));
    expect(partners()).toMatchObject([{ state_id: false }]);
    expect(warnings[0]).toBe('acme-odoo knows no state "TPE" of TW: left empty.');
  });
});

describe('a collective customer', () => {
  const route = { customers: { collective: 'WEB' } };

  it('gets every order and invoice; goods go to the buyer', async () => {
    await start({}, { route });
    const web = make({ name: 'Web shop', ref: 'WEB' });
    expect((await customerOf(anOrder())).ids).toEqual([web, web, web + 1]);
    expect(partners()[1]).toMatchObject({ parent_id: web, type: 'delivery', name: '王小明', email: false });
  });

  it.each([
    [0, { why: 'reference-unknown' }],
    [2, { why: 'reference-shared', count: 2 }],
  ])('must be there exactly once, not %i times', async (count, error) => {
    await start({}, { route });
    for (let n = 0; n < count; n += 1) make({ name: 'Web shop', ref: 'WEB' });
    await expect(at.wireOf(anOrder())).rejects.toMatchObject({
      code: 'ERP_REFUSED',
      params: {
        destination: 'acme-odoo',
        operation: { what: 'use-collective-customer', reference: 'WEB' },
        error,
      },
    });
  });
});

describe('refusals', () => {
  it('names the tax number as the culprit, without saying it', async () => {
    await start();
    const error = await at.wireOf(buyer({ taxNumber: 'DE-12' })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({
      code: 'ERP_REFUSED',
      message:
        "acme-odoo refused to create the customer: the buyer's tax number is not valid for the country of the billing address.",
      detail: expect.stringContaining('DE-12'),
    });
    expect(partners()).toEqual([]);
  });

  it('writes nothing in shadow mode, and finds who is there', async () => {
    await start({}, { shadow: true });
    const id = make(home());
    expect((await customerOf(anOrder())).ids).toEqual([id, id, id]);
    const { ids, warnings } = await customerOf(anOrder({ shipping: { ...address, line1: 'elsewhere' } }));
    expect(ids).toEqual([id, id, undefined]);
    expect(warnings).toContain(
      'An address of the customer does not exist in acme-odoo yet; it would be created.',
    );
    expect(partners()).toHaveLength(1);
  });

  it('finds a customer whose creation was never answered', async () => {
    await start();
    at.fake.server.fault({
      when: (request) => String(request.body).includes('"create"'),
      effect: { kind: 'drop-after' },
    });
    await expect(at.wireOf(anOrder())).rejects.toMatchObject({ name: 'UnknownOutcomeError' });
    at.clock.nowMs += 61_000; // the lease of the ledger
    expect((await customerOf(anOrder())).ids).toEqual([2, 2, 2]);
    expect(partners()).toHaveLength(1);
  });
});
