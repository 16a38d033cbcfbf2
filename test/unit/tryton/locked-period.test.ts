import { afterEach, describe, expect, it } from 'vitest';
import { anOrder } from '../../fakes/orders.ts';
import { FAKE, type FakeTryton, startFakeTryton } from '../../fakes/tryton.ts';
import { connectTo } from './harness.ts';

let fake: FakeTryton;
afterEach(() => fake.stop());

/** An order, and a way to refund NT$10 of it on 2026-11-23. */
const sold = async (route: object) => {
  fake = await startFakeTryton({ today: '2026-11-23' });
  const secrets = [{ login: FAKE.login, password: FAKE.password }];
  const shop = connectTo({ url: fake.url, database: FAKE.database, secrets, route });
  const { document } = await shop.push(anOrder());
  return {
    shop,
    refund: () => shop.giveBack(anOrder(), document.id, { id: '7', total: { minor: 1000, currency: 'TWD' } }),
  };
};
const periods = (...months: string[]) =>
  fake
    .records('account.period')
    .filter(({ name }) => months.includes(String(name)))
    .map(({ id }) => id);
const close = (...months: string[]) => fake.call('model.account.period.close', [periods(...months)]);
const reopen = (...months: string[]) => fake.call('model.account.period.reopen', [periods(...months)]);
const creditNote = () => {
  const invoice = fake.records('account.invoice').at(-1);
  return {
    state: invoice?.['state'],
    invoice_date: invoice?.['invoice_date'],
    accounting_date: invoice?.['accounting_date'],
  };
};
const date = (month: number, day: number) => ({ __class__: 'date', year: 2026, month, day });
const NOT_POSTED = { state: 'draft', invoice_date: null, accounting_date: null };

describe('a refund on a day for which the books are closed', () => {
  it('is parked: what is open, and nothing is posted', async () => {
    const { refund } = await sold({});
    close('2026-11');
    await expect(refund()).rejects.toMatchObject({
      code: 'PERIOD_LOCKED',
      params: {
        what: 'credit-note',
        day: '2026-11-23',
        openFrom: '2026-12-01',
        destination: 'acme-tryton',
      },
    });
    expect(creditNote()).toEqual(NOT_POSTED);
    reopen('2026-11');
    expect((await refund()).completed.warnings).toEqual([]);
    expect(creditNote()).toEqual({ state: 'posted', invoice_date: date(11, 23), accounting_date: null });
  });

  it('is booked on the first open day where the route says so, and that is said, also after a crash', async () => {
    const { shop, refund } = await sold({ lockedPeriod: 'first-open-day' });
    close('2026-11', '2026-12');
    reopen('2026-12');
    // The day is written, and the worker dies before it posts.
    let posts = 0;
    fake.server.fault({
      when: ({ body }) => String(body).includes('account.invoice.post') && ++posts === 2,
      effect: { kind: 'drop-before' },
    });
    await expect(refund()).rejects.toThrow();
    expect(creditNote()).toEqual({ state: 'draft', invoice_date: null, accounting_date: date(12, 1) });
    const { completed } = await refund();
    expect(creditNote()).toEqual({
      state: 'posted',
      invoice_date: date(11, 23),
      accounting_date: date(12, 1),
    });
    expect(completed.warnings).toEqual([
      'The credit note of 2, dated 2026-11-23, is booked on 2026-12-01: the books were closed for its own day.',
    ]);
    expect(shop.route.lockedPeriod).toBe('first-open-day');
  });

  it('skips what only its own journal has closed', async () => {
    const { refund } = await sold({ lockedPeriod: 'first-open-day' });
    for (const period of periods('2026-11', '2026-12')) {
      // January is closed for another journal.
      const closed = { journal: 1, period, state: 'close' };
      fake.call('model.account.journal.period.create', [[closed, { ...closed, journal: 2, period: 3 }]]);
    }
    await refund();
    expect(creditNote()).toMatchObject({ state: 'posted', accounting_date: { month: 1, day: 1 } });
  });

  it('is parked when no day is open, whatever the route says', async () => {
    const { refund } = await sold({ lockedPeriod: 'first-open-day' });
    const all = fake.records('account.period').map(({ name }) => String(name));
    close(...all);
    await expect(refund()).rejects.toMatchObject({
      code: 'PERIOD_LOCKED',
      params: { day: '2026-11-23', openFrom: undefined },
    });
    expect(creditNote()).toEqual(NOT_POSTED);
  });

  it('is a draft like any other where an accountant posts', async () => {
    const { refund } = await sold({ refunds: 'draft-credit-note' });
    close('2026-11');
    expect((await refund()).completed.warnings).toEqual([]);
    expect(creditNote()).toEqual(NOT_POSTED);
  });
});

it('what Tryton refuses on an open day is told in its own words', async () => {
  const { refund } = await sold({ lockedPeriod: 'first-open-day' });
  fake.server.fault({
    when: ({ body }) => String(body).includes('account.invoice.post'),
    effect: {
      kind: 'answer',
      status: 200,
      body: JSON.stringify({ id: 1, error: ['UserError', ['A field is wrong.', '', null]] }),
    },
  });
  await expect(refund()).rejects.toMatchObject({ code: 'ERP_REFUSED', detail: 'A field is wrong.' });
});
