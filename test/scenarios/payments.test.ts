import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { STRIPE_FAULTS, signature } from '../fakes/stripe.ts';
import { paidByStripe, SECRET } from './paid-by-stripe.ts';

let at: Awaited<ReturnType<typeof paidByStripe>>;
beforeEach(async () => {
  at = await paidByStripe();
});
afterEach(() => at.stop());

const eur = (minor: number) => ({ minor, currency: 'EUR' });
const DAY = 24 * 60 * 60_000;

describe('one payment is in the books once', () => {
  it('provider first: with its amount, day and fee', async () => {
    at.pay();
    await at.run();
    at.pass(DAY);
    await at.tell();
    await at.run();
    expect(at.booked()).toEqual([
      'inbound 80 2026-11-20 ch_fake000001 acme-site:ord-17/payment/paid | fee 2.57 EUR in_process',
    ]);
  });

  it('storefront first: as the storefront states it, and not again when the provider tells', async () => {
    await at.tell({
      payment: { state: 'paid', kind: 'online', method: 'stripe', paidAt: '2026-11-20T09:00:00Z' },
    });
    await at.run();
    const [before] = at.booked();
    at.pay();
    await at.run();
    expect(at.booked()).toEqual([before]);
    expect(before).toBe('inbound 80 2026-11-20 - acme-site:ord-17/payment/paid in_process');
    expect(at.timeline()).toContain('PAYMENT_READ: acme-stripe pi_fake000002: 80.00 EUR captured');
  });

  it('storefront first, unpaid: booked when the storefront says that it is paid, as the provider says', async () => {
    await at.tell({ payment: { state: 'pending', kind: 'online', method: 'stripe' } });
    await at.run();
    at.pay();
    await at.run();
    expect(at.booked()).toEqual([]);
    await at.tell();
    await at.run();
    expect(at.booked()).toEqual([
      'inbound 80 2026-11-20 ch_fake000001 acme-site:ord-17/payment/paid | fee 2.57 EUR in_process',
    ]);
  });

  it('everything told twice, and once more', async () => {
    at.pay();
    await at.tell();
    await at.tell();
    await at.run();
    for (const index of [...at.account.deliveries.keys()]) await at.account.redeliver(index);
    at.pass(DAY);
    for (const index of [0, 1, 2]) await at.account.redeliver(index);
    await at.tell();
    await at.run();
    expect(at.booked()).toHaveLength(1);
  });

  it('by the reference that the order states, whatever Stripe says of the order', async () => {
    const id = at.pay({ metadata: {} });
    await at.run();
    await at.tell({ payment: { state: 'paid', kind: 'online', method: 'stripe', reference: id } });
    await at.run();
    expect(at.booked()).toEqual([
      `inbound 80 2026-11-20 ${id} acme-site:ord-17/payment/paid | fee 2.57 EUR in_process`,
    ]);
  });

  it('of another order stays out of this one', async () => {
    at.pay({ metadata: { order_id: 'A-1002' }, amount: 100 });
    await at.tell();
    await at.run();
    expect(at.booked()).toEqual(['inbound 80 2026-11-20 - acme-site:ord-17/payment/paid in_process']);
  });

  it('a deposit and the rest are two', async () => {
    const deposit = at.pay({ amount: 3_000, fee: 100 });
    await at.run();
    const capture = (id: string, minor: number, reference: string) => ({
      id,
      amount: eur(minor),
      method: 'stripe',
      reference,
    });
    const payment = { kind: 'online', method: 'stripe' } as const;
    await at.tell({ payment: { ...payment, state: 'paid' }, payments: [capture('dep', 3_000, deposit)] });
    await at.run();
    at.pass(DAY);
    const rest = at.pay({ amount: 5_000, fee: 150 });
    await at.run();
    await at.tell({
      payment: { ...payment, state: 'paid' },
      payments: [capture('dep', 3_000, deposit), capture('rest', 5_000, rest)],
    });
    await at.run();
    expect(at.booked()).toEqual([
      `inbound 30 2026-11-20 ${deposit} acme-site:ord-17/payment/dep | fee 1.00 EUR in_process`,
      // Told by the provider before the shop knew: booked under the provider's id, and not again.
      'inbound 50 2026-11-21 ch_fake000007 acme-site:ord-17/payment/ch_fake000007 | fee 1.50 EUR in_process',
    ]);
  });

  it('captured late: booked as the shop states it, when the shop says paid', async () => {
    const id = at.pay({ capture: 'manual' });
    await at.run();
    await at.tell({ payment: { state: 'pending', kind: 'online', method: 'stripe' } });
    await at.run();
    at.pass(DAY);
    at.account.capture(id);
    await at.run();
    await at.tell();
    await at.run();
    expect(at.booked()).toEqual([
      'inbound 80 2026-11-21 ch_fake000001 acme-site:ord-17/payment/paid | fee 2.57 EUR in_process',
    ]);
  });
});

describe('money that goes back', () => {
  const refunded = [
    { id: 'r1', total: eur(2_000), refundedAt: '2026-11-20T12:00:00Z', payment: { method: 'stripe' } },
  ];

  it('at the provider alone is said, and booked when the shop states it', async () => {
    const id = at.pay();
    await at.run();
    await at.tell();
    await at.run();
    at.account.refund(id, 2_000);
    await at.run();
    expect(at.booked()).toHaveLength(1);
    expect(at.timeline().join('\n')).toContain('20.00 EUR to be given back: succeeded');
    await at.tell({ refunds: refunded });
    await at.run();
    expect(at.booked()).toEqual([
      'inbound 80 2026-11-20 ch_fake000001 acme-site:ord-17/payment/paid | fee 2.57 EUR in_process',
      expect.stringMatching(
        /^outbound 20 2026-11-20 re_fake\d+ acme-site:ord-17\/payment\/refund r1 in_process$/,
      ),
    ]);
  });

  it('at the shop first, and then at the provider, is booked once', async () => {
    const id = at.pay();
    await at.tell({ refunds: refunded });
    await at.run();
    at.account.refund(id, 2_000);
    await at.run();
    expect(at.booked().map((line) => line.split(' ', 2).join(' '))).toEqual(['inbound 80', 'outbound 20']);
  });

  it('disputed: told to people, and not booked', async () => {
    const id = at.pay();
    await at.tell();
    await at.run();
    at.account.dispute(id);
    await at.run();
    expect(at.booked()).toHaveLength(1);
    expect(at.timeline().filter((line) => line.startsWith('PAYMENT_DISPUTED'))).toEqual([
      `PAYMENT_DISPUTED: The buyer disputes 80.00 EUR of ${id} (fraudulent), needs_response: answer it at acme-stripe. Nothing is booked.`,
    ]);
  });
});

describe('webhooks', () => {
  const post = (body: string, header: string) =>
    fetch(at.webhookUrl, { method: 'POST', headers: { 'stripe-signature': header }, body }).then(
      ({ status }) => status,
    );
  const paid = (id: string) =>
    JSON.stringify({
      id: 'evt_x',
      object: 'event',
      type: 'payment_intent.succeeded',
      data: { object: { id, object: 'payment_intent' } },
    });

  it('of somebody else, and old ones, are refused', async () => {
    const body = paid('pi_x');
    expect(await post(body, signature(body, ['whsec_other'], at.nowMs()))).toBe(401);
    expect(await post(body, signature(body, [SECRET], at.nowMs() - 301_000))).toBe(401);
    expect(at.lines.map(({ code }) => code)).toEqual(['SIGNATURE_WRONG', 'TIMESTAMP_OUT_OF_TOLERANCE']);
  });

  it('are taken with either secret while one replaces the other', async () => {
    at.rotate('whsec_new', SECRET);
    const body = paid('pi_x');
    expect(await post(body, signature(body, ['whsec_new'], at.nowMs()))).toBe(200);
    expect(await post(body, signature(body, [SECRET], at.nowMs()))).toBe(200);
    at.rotate('whsec_new');
    expect(await post(body, signature(body, [SECRET], at.nowMs()))).toBe(401);
  });

  it('that are thin are kept; those of no concern are acknowledged', async () => {
    at.account.send('v1.charge.refunded', {
      id: 'evt_t',
      object: 'v2.core.event',
      type: 'v1.charge.refunded',
    });
    at.account.send('payout.paid', {
      id: 'evt_p',
      object: 'event',
      type: 'payout.paid',
      data: { object: { id: 'po_1' } },
    });
    await at.account.settled();
    expect(at.account.deliveries.map(({ status }) => status)).toEqual([200, 200]);
    expect(at.quarantined).toEqual([
      'object: a thin event (v2.core.event); let the endpoint send snapshot events',
    ]);
    expect(at.lines.map(({ outcome, code }) => `${outcome} ${code}`).sort()).toEqual([
      'ignored TYPE_PAYOUT',
      'quarantined NOT_UNDERSTOOD',
    ]);
  });

  it('lead to the payment, when Stripe answers again', async () => {
    at.account.server.fault({ effect: STRIPE_FAULTS.rateLimited, times: 2 });
    at.pay();
    await at.run();
    await at.tell();
    await at.run();
    expect(at.failures).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    expect(at.booked()).toEqual([
      'inbound 80 2026-11-20 ch_fake000001 acme-site:ord-17/payment/paid | fee 2.57 EUR in_process',
    ]);
  });
});
