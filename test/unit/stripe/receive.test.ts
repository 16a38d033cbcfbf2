import { describe, expect, it } from 'vitest';
import type { Delivery, ReceivedPayment } from '../../../shared/connectors/contract.ts';
import { stripe } from '../../../shared/connectors/stripe/index.ts';
import { manifest } from '../../../shared/connectors/stripe/manifest.ts';
import { signature } from '../../fakes/stripe.ts';

const SECRET = 'whsec_test_0001';
/** 2026-01-01T00:00:00Z */
const SIGNED_S = 1767225600;
const BODY = '{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}';
const V1 = 'dc6ce708b789ad96b8f3b1c3188923da1dc19bcc49c40acde1c396f281a32f1e';

const delivery = (body: string | Uint8Array, header: string | undefined): Delivery => ({
  method: 'POST',
  headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': header },
  body: Buffer.from(body),
});

const receive = (
  told: Delivery,
  {
    secrets = [SECRET],
    atS = SIGNED_S,
    account,
  }: { secrets?: string[]; atS?: number; account?: string } = {},
): ReceivedPayment =>
  stripe.receive(told, {
    connection: 'acme-stripe',
    settings: manifest.settings.parse({ ...(account && { account }) }),
    credentials: { webhookSecrets: secrets, apiKey: 'rk_test_1' },
    nowMs: () => atS * 1000,
  });

const signed = (event: unknown, secrets = [SECRET]): Delivery => {
  const body = JSON.stringify(event);
  return delivery(body, signature(body, secrets, SIGNED_S * 1000));
};

const event = (type: string, object: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  id: 'evt_7',
  object: 'event',
  type,
  livemode: false,
  data: { object },
  ...more,
});

describe('signatures', () => {
  it('takes the vector that a second implementation made', () => {
    // Authentic; what it carries is no whole event.
    expect(receive(delivery(BODY, `t=${SIGNED_S},v1=${V1}`)).kind).toBe('unreadable');
  });

  it.each([
    ['none', undefined, 'SIGNATURE_MISSING'],
    ['empty', '', 'SIGNATURE_MISSING'],
    ['no time', `v1=${V1}`, 'SIGNATURE_MALFORMED'],
    ['only an old scheme', `t=${SIGNED_S},v0=${V1}`, 'SIGNATURE_MALFORMED'],
    ['cut short', `t=${SIGNED_S},v1=${V1.slice(0, 40)}`, 'SIGNATURE_MALFORMED'],
    ['another', `t=${SIGNED_S},v1=${V1.replace('d', 'e')}`, 'SIGNATURE_WRONG'],
    ['another time', `t=${SIGNED_S + 1},v1=${V1}`, 'SIGNATURE_WRONG'],
  ])('refuses a header with a signature: %s', (_, header, reason) => {
    expect(receive(delivery(BODY, header))).toEqual({ kind: 'rejected', reason });
  });

  it('refuses another body, and another secret', () => {
    const header = `t=${SIGNED_S},v1=${V1}`;
    const wrong = { kind: 'rejected', reason: 'SIGNATURE_WRONG' };
    expect(receive(delivery(`${BODY} `, header))).toEqual(wrong);
    expect(receive(delivery(BODY, header), { secrets: ['whsec_test_0002'] })).toEqual(wrong);
  });

  it('takes either secret while one replaces the other, and either of two signatures', () => {
    const once = signed(event('payment_intent.succeeded', { id: 'pi_1' }));
    expect(receive(once, { secrets: ['whsec_new', SECRET] }).kind).toBe('payment');
    const twice = signed(event('payment_intent.succeeded', { id: 'pi_1' }), ['whsec_old', SECRET]);
    expect(receive(twice).kind).toBe('payment');
  });

  it.each([
    [300, 'payment'],
    [301, 'rejected'],
    // The package looks back only: a clock of ours that is behind refuses nothing.
    [-300, 'payment'],
  ])('is %i s old: %s', (ageS, kind) => {
    const told = signed(event('payment_intent.succeeded', { id: 'pi_1' }));
    const received = receive(told, { atS: SIGNED_S + ageS });
    expect(received.kind).toBe(kind);
    if (received.kind === 'rejected') expect(received.reason).toBe('TIMESTAMP_OUT_OF_TOLERANCE');
  });

  it('accepts nothing without a secret', () => {
    expect(() => receive(delivery(BODY, `t=${SIGNED_S},v1=${V1}`), { secrets: [] })).toThrow(RangeError);
  });
});

describe('events', () => {
  const intent = { id: 'pi_1', object: 'payment_intent' };
  const charge = { id: 'ch_1', object: 'charge', payment_intent: 'pi_1' };
  const refund = { id: 're_1', object: 'refund', payment_intent: 'pi_1' };
  const session = { id: 'cs_1', object: 'checkout.session', payment_intent: 'pi_1' };
  it.each([
    ['payment_intent.succeeded', intent],
    ['payment_intent.canceled', intent],
    ['charge.succeeded', charge],
    ['charge.captured', charge],
    ['charge.updated', charge],
    ['charge.refunded', charge],
    ['refund.created', refund],
    ['refund.updated', refund],
    ['refund.failed', refund],
    ['charge.refund.updated', refund],
    ['checkout.session.completed', session],
    ['checkout.session.async_payment_succeeded', session],
    ['charge.succeeded', { ...charge, payment_intent: intent }],
  ])('%s names its payment', (type, object) => {
    expect(receive(signed(event(type, object)))).toEqual({
      kind: 'payment',
      paymentId: 'pi_1',
      why: 'push',
      deliveryId: 'evt_7',
    });
  });

  it.each(['created', 'updated', 'closed', 'funds_withdrawn', 'funds_reinstated'])(
    'charge.dispute.%s says that it is a dispute',
    (what) => {
      const dispute = { id: 'du_1', object: 'dispute', payment_intent: 'pi_1' };
      expect(receive(signed(event(`charge.dispute.${what}`, dispute)))).toMatchObject({
        kind: 'payment',
        paymentId: 'pi_1',
        why: 'dispute',
      });
    },
  );

  it.each([
    ['payment_intent.created', intent, 'TYPE_PAYMENT_INTENT'],
    ['payment_intent.payment_failed', intent, 'TYPE_PAYMENT_INTENT'],
    ['charge.failed', charge, 'TYPE_CHARGE'],
    ['checkout.session.expired', session, 'TYPE_CHECKOUT'],
    ['payout.paid', { id: 'po_1' }, 'TYPE_PAYOUT'],
    ['person.from.the.future', {}, 'TYPE_OTHER'],
    ['charge.succeeded', { ...charge, payment_intent: null }, 'WITHOUT_PAYMENT_INTENT'],
    ['checkout.session.completed', { ...session, payment_intent: null }, 'WITHOUT_PAYMENT_INTENT'],
  ])('%s is none of ours: acknowledged', (type, object, reason) => {
    expect(receive(signed(event(type, object)))).toEqual({ kind: 'ignored', reason, deliveryId: 'evt_7' });
  });

  it.each([
    ['acct_1', undefined],
    [undefined, 'acct_1'],
    ['acct_1', 'acct_2'],
  ])('of account %s is not for a connection of %s', (from, account) => {
    const told = signed(event('payment_intent.succeeded', intent, from ? { account: from } : {}));
    expect(receive(told, { ...(account && { account }) })).toMatchObject({
      kind: 'ignored',
      reason: 'OTHER_ACCOUNT',
    });
  });

  it.each([
    ['no JSON', '{"id":', 'body: is no JSON'],
    [
      'a thin event',
      '{"id":"evt_2","object":"v2.core.event","type":"v1.payment_intent.succeeded","related_object":{"id":"pi_1"}}',
      'object: a thin event (v2.core.event); let the endpoint send snapshot events',
    ],
    [
      'an object of another kind',
      '{"id":"x","object":"list","data":[]}',
      'object: Invalid input: expected "event"',
    ],
    [
      'a charge that does not say which payment',
      JSON.stringify(event('charge.refunded', { id: 'ch_1' })),
      'data.object: names no payment intent, though it is charge.refunded',
    ],
  ])('is kept when it is signed and not understood: %s', (_, body, reason) => {
    const told = delivery(body, signature(body, [SECRET], SIGNED_S * 1000));
    expect(receive(told)).toMatchObject({ kind: 'unreadable', reason });
  });
});
