import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FetchedPayment } from '../../../shared/connectors/contract.ts';
import { fromStripe } from '../../../shared/connectors/stripe/amounts.ts';
import { stripe } from '../../../shared/connectors/stripe/index.ts';
import { manifest } from '../../../shared/connectors/stripe/manifest.ts';
import { type FakePaymentSpec, type FakeStripe, STRIPE_FAULTS, startFakeStripe } from '../../fakes/stripe.ts';

const KEY = 'rk_test_key';
const PAID_MS = Date.parse('2026-11-20T10:00:00Z');
let account: FakeStripe;
let nowMs = PAID_MS;
let keys: string[];
beforeEach(async () => {
  nowMs = PAID_MS;
  keys = [KEY];
  account = await startFakeStripe({ apiKey: KEY, nowMs: () => nowMs });
});
afterEach(() => account.stop());

const call = () => ({ signal: AbortSignal.timeout(5_000) });
const reads = (more: Record<string, unknown> = {}) =>
  stripe.open({
    connection: 'acme-stripe',
    settings: manifest.settings.parse({ url: account.url, ...more }),
    // Every reading of the secret takes the next one.
    credentials: async (fresh) => ({
      webhookSecrets: ['whsec_1'],
      apiKey: (fresh && keys.length > 1 ? keys.splice(0, 1) && keys[0] : keys[0]) ?? '',
    }),
    nowMs: () => nowMs,
  });
const payment = async (spec: FakePaymentSpec, more?: Record<string, unknown>) => {
  const { id } = account.pay(spec);
  return told(await reads(more).payment(id, call()));
};
const told = (fetched: FetchedPayment | undefined) => {
  if (fetched?.kind !== 'payment') throw new Error(`no payment: ${fetched?.reason}`);
  return fetched.payment;
};

describe('amounts', () => {
  it.each([
    [10_000, 'twd', 10_000, '100.00'],
    [100, 'jpy', 100, '100'],
    [500, 'ugx', 5, '5'],
    [12_300, 'isk', 123, '123'],
    [12_340, 'kwd', 12_340, '12.340'],
    [500, 'mga', 50_000, '500.00'],
    [100, 'huf', 100, '1.00'],
    [1_999, 'usd', 1_999, '19.99'],
  ])('%i %s', (amount, currency, minor) => {
    expect(fromStripe(amount, currency)).toEqual({ minor, currency: currency.toUpperCase() });
  });

  it.each([
    [501, 'ugx'],
    [100, 'xxx1'],
  ])('refuses what cannot be stated: %i %s', (amount, currency) => {
    expect(() => fromStripe(amount, currency)).toThrow(RangeError);
  });
});

describe('a payment', () => {
  it('is stated with its capture, fee, references and the order that it names', async () => {
    expect(
      await payment({ amount: 44_100, currency: 'twd', fee: 1_279, metadata: { order_id: '1001' } }),
    ).toEqual({
      paymentId: 'pi_fake000002',
      references: ['pi_fake000002', 'ch_fake000001'],
      orderHint: '1001',
      livemode: false,
      captured: [
        {
          id: 'ch_fake000001',
          amount: { minor: 44_100, currency: 'TWD' },
          fee: { minor: 1_279, currency: 'TWD' },
          paidAt: '2026-11-20T10:00:00.000Z',
          method: 'card',
        },
      ],
      refunds: [],
      disputes: [],
    });
  });

  it('captured later and in part has the amount and the day of the capture', async () => {
    const { id } = account.pay({ amount: 5_000, currency: 'eur', capture: 'manual', fee: 0 });
    expect(told(await reads().payment(id, call())).captured).toEqual([]);
    nowMs += 86_400_000;
    account.capture(id, 4_000);
    expect(told(await reads().payment(id, call())).captured).toEqual([
      {
        id: 'ch_fake000001',
        amount: { minor: 4_000, currency: 'EUR' },
        paidAt: '2026-11-21T10:00:00.000Z',
        method: 'card',
      },
    ]);
  });

  it('captured in parts is stated when the last part is taken', async () => {
    const { id } = account.pay({ amount: 5_000, currency: 'eur' });
    account.patch(id, { status: 'requires_capture', amount_capturable: 1_000 });
    const fetched = await reads().payment(id, call());
    expect(fetched).toMatchObject({
      payment: { captured: [] },
      warnings: ['ch_fake000001 is captured in parts: stated when the last one is'],
    });
  });

  it('that failed has no capture', async () => {
    const { id, latest_charge } = account.pay({ amount: 5_000, currency: 'eur' });
    account.patch(String(latest_charge), { status: 'failed', captured: false });
    account.patch(id, { status: 'requires_payment_method' });
    expect(told(await reads().payment(id, call())).captured).toEqual([]);
  });

  it('has no fee until Stripe has booked it, and the fee in the money of the pay-out', async () => {
    const spec = { amount: 5_000, currency: 'usd', settles: 'later', fee: 140, settlesIn: 'eur' } as const;
    const { id } = account.pay(spec);
    expect(told(await reads().payment(id, call())).captured[0]).not.toHaveProperty('fee');
    account.settle(id);
    expect(told(await reads().payment(id, call())).captured[0]?.fee).toEqual({ minor: 140, currency: 'EUR' });
  });

  it('lists refunds as they are', async () => {
    const { id } = account.pay({ amount: 5_000, currency: 'eur' });
    account.refund(id, 1_000);
    const failed = account.refund(id, 200, 'pending');
    account.finishRefund(failed.id, 'failed');
    account.refund(id, 300, 'requires_action');
    expect(told(await reads().payment(id, call())).refunds).toMatchObject([
      { amount: { minor: 300, currency: 'EUR' }, state: 'pending' },
      { amount: { minor: 200, currency: 'EUR' }, state: 'failed' },
      {
        amount: { minor: 1_000, currency: 'EUR' },
        state: 'succeeded',
        refundedAt: '2026-11-20T10:00:00.000Z',
      },
    ]);
  });

  it('lists all refunds, also those that no expansion holds', async () => {
    const { id } = account.pay({ amount: 50_000, currency: 'eur' });
    for (let count = 0; count < 130; count += 1) account.refund(id, 100);
    expect(told(await reads().payment(id, call())).refunds).toHaveLength(130);
    expect(account.server.requests.filter((line) => line.startsWith('GET /v1/refunds'))).toHaveLength(2);
  });

  it('says that it is disputed', async () => {
    const { id } = account.pay({ amount: 5_000, currency: 'eur' });
    const { id: disputeId } = account.dispute(id, 'product_not_received');
    account.closeDispute(disputeId, 'lost');
    expect(told(await reads().payment(id, call()))).toMatchObject({
      disputed: true,
      disputes: [
        { amount: { minor: 5_000, currency: 'EUR' }, reason: 'product_not_received', status: 'lost' },
      ],
    });
  });

  it.each<[string, FakePaymentSpec, Record<string, unknown>, string | undefined]>([
    ['nothing', { amount: 1, currency: 'eur' }, {}, undefined],
    [
      'a key of its own',
      { amount: 1, currency: 'eur', metadata: { order: '7', nr: '8' } },
      { orderKeys: ['nr'] },
      '8',
    ],
    [
      'the first key',
      { amount: 1, currency: 'eur', metadata: { a: '7', b: '8' } },
      { orderKeys: ['b', 'a'] },
      '8',
    ],
    ['an empty one', { amount: 1, currency: 'eur', metadata: { order_id: '' } }, {}, undefined],
    [
      'its checkout',
      { amount: 1, currency: 'eur', checkout: { clientReferenceId: 'A-9' } },
      { checkout: true },
      'A-9',
    ],
    [
      'its checkout, not asked',
      { amount: 1, currency: 'eur', checkout: { clientReferenceId: 'A-9' } },
      {},
      undefined,
    ],
  ])('names its order by %s', async (_, spec, more, hint) => {
    const { orderHint, references } = await payment(spec, more);
    expect(orderHint).toBe(hint);
    expect(references.some((id) => id.startsWith('cs_'))).toBe('checkout' in more);
  });

  it('is undefined when Stripe knows of none', async () => {
    expect(await reads().payment('pi_none', call())).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'a field',
      { currency: 'EUR' },
      'latest_charge.currency: Invalid string: must match pattern /^[a-z]{3}$/',
    ],
    ['a currency', { currency: 'abc' }, '"ABC" is no ISO 4217 currency'],
  ])('is unreadable when %s is strange', async (_, fields, reason) => {
    const { id, latest_charge } = account.pay({ amount: 5_000, currency: 'eur' });
    account.patch(String(latest_charge), fields);
    expect(await reads().payment(id, call())).toEqual({ kind: 'unreadable', reason });
  });
});

describe('failures', () => {
  it.each([
    ['rateLimited', 'RetryableError', 'RATE_LIMITED', 1],
    ['notPermitted', 'CredentialsError', 'CREDENTIALS_REFUSED', 2],
  ] as const)('%s: %s %s', async (fault, name, code, requests) => {
    const { id } = account.pay({ amount: 100, currency: 'eur' });
    account.server.fault({ effect: STRIPE_FAULTS[fault], times: Number.POSITIVE_INFINITY });
    await expect(reads().payment(id, call())).rejects.toMatchObject({ name, code });
    // Refused credentials are read afresh once; who is told to wait, waits in the queue.
    expect(account.server.requests).toHaveLength(requests);
  });

  it('says nothing of the key, and nothing that Stripe wrote', async () => {
    keys = ['rk_test_wrong'];
    await expect(reads().payment('pi_1', call())).rejects.toMatchObject({
      name: 'CredentialsError',
      message: 'Stripe answered HTTP 401 (StripeAuthenticationError)',
    });
  });

  it('reads a key that was replaced', async () => {
    keys = ['rk_test_old', KEY];
    const { id } = account.pay({ amount: 100, currency: 'eur' });
    expect(told(await reads().payment(id, call())).paymentId).toBe(id);
  });

  it('hands on how long Stripe asks to wait', async () => {
    const effect = {
      ...STRIPE_FAULTS.rateLimited,
      headers: { ...STRIPE_FAULTS.rateLimited.headers, 'retry-after': '7' },
    };
    account.server.fault({ effect });
    await expect(reads().payment('pi_1', call())).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  it('asks again what was not answered, by itself', async () => {
    const { id } = account.pay({ amount: 100, currency: 'eur' });
    account.server.fault({ effect: STRIPE_FAULTS.broken });
    expect(told(await reads().payment(id, call())).paymentId).toBe(id);
    expect(account.server.requests).toHaveLength(2);
  });

  it('gives up when time runs out', async () => {
    account.server.fault({ effect: { kind: 'hang', at: 'before', hung: () => undefined } });
    await expect(reads().payment('pi_1', { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      code: 'PEER_TIMEOUT',
    });
  });

  it('tests the key with all that is read', async () => {
    account.pay({ amount: 100, currency: 'eur' });
    await reads().test(call());
    expect(account.server.requests.map(decodeURIComponent)).toEqual([
      'GET /v1/payment_intents?limit=1&expand[0]=data.latest_charge.balance_transaction&expand[1]=data.latest_charge.refunds',
    ]);
    keys = ['rk_test_wrong'];
    await expect(reads().test(call())).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
  });
});
