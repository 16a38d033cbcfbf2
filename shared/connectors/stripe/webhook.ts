import Stripe from 'stripe';
import { decodeUtf8, firstProblem, jsonOf } from '../../http/json.ts';
import type { Delivery, ReceiveContext, ReceivedPayment, SignatureProblem } from '../contract.ts';
import type { StripeCredentials, StripeSettings } from './manifest.ts';
import { StEvent } from './wire.ts';

type Context = ReceiveContext<StripeSettings, StripeCredentials>;

/** docs.stripe.com/webhooks/signature: the package's own default, too. */
const TOLERANCE_S = 300;

/**
 * Say what a delivery is. Effect-free. What it says of the payment is not used: deliveries overtake each other, so the
 * payment is read as it is now.
 * @throws RangeError no signing secret in the credentials
 */
export const receive = (delivery: Delivery, context: Context): ReceivedPayment => {
  const problem = signatureProblem(delivery, context);
  if (problem) return { kind: 'rejected', reason: problem };
  return understand(delivery.body, context.settings);
};

const signatureProblem = (
  { headers, body }: Delivery,
  { credentials, nowMs }: Context,
): SignatureProblem | undefined => {
  const secrets = credentials.webhookSecrets.map((secret) => secret.trim());
  if (secrets.length === 0 || secrets.includes('')) throw new RangeError('webhook secret missing');
  const header = headers['stripe-signature'];
  if (!header) return 'SIGNATURE_MISSING';
  if (!/(^|,)t=\d+(,|$)/.test(header) || !/(^|,)v1=[0-9a-f]{64}(,|$)/.test(header)) {
    return 'SIGNATURE_MALFORMED';
  }
  const isSigned = (toleranceS: number) =>
    secrets.some((secret) => verifies(body, header, secret, toleranceS, nowMs()));
  if (isSigned(TOLERANCE_S)) return undefined;
  // 0 asks for no look at the clock.
  return isSigned(0) ? 'TIMESTAMP_OUT_OF_TOLERANCE' : 'SIGNATURE_WRONG';
};

const verifies = (
  body: Uint8Array,
  header: string,
  secret: string,
  toleranceS: number,
  receivedAtMs: number,
): boolean => {
  try {
    Stripe.webhooks.constructEvent(Buffer.from(body), header, secret, toleranceS, undefined, receivedAtMs);
    return true;
  } catch (error) {
    // Whatever else it complains of (no JSON, a thin event) comes after the signature was found right.
    return !(error instanceof Stripe.errors.StripeSignatureVerificationError);
  }
};

/** Types that say that money moved, or may have; by the object that they carry. */
const PAYMENT_TYPES = /^payment_intent\.(succeeded|canceled|partially_funded)$/;
const CHARGE_TYPES = /^charge\.(succeeded|captured|updated|refunded|expired)$/;
const REFUND_TYPES = /^(refund\.(created|updated|failed)|charge\.refund\.updated)$/;
const DISPUTE_TYPES = /^charge\.dispute\.\w+$/;
const SESSION_TYPES = /^checkout\.session\.(completed|async_payment_succeeded)$/;

const understand = (bytes: Uint8Array, { account }: StripeSettings): ReceivedPayment => {
  const body = jsonOf(decodeUtf8(bytes) ?? '');
  if (body === undefined) return unreadable('body: is no JSON');
  if ((body as { object?: unknown } | null)?.object === 'v2.core.event') {
    return unreadable('object: a thin event (v2.core.event); let the endpoint send snapshot events');
  }
  const parsed = StEvent.safeParse(body);
  if (!parsed.success) return unreadable(firstProblem(parsed.error));
  const { id: deliveryId, type, data, account: from } = parsed.data;
  if (from !== account) return { kind: 'ignored', reason: 'OTHER_ACCOUNT', deliveryId };
  const isDispute = DISPUTE_TYPES.test(type);
  const carriesPayment = PAYMENT_TYPES.test(type);
  if (!carriesPayment && !isDispute && !NAMING_TYPES.some((types) => types.test(type))) {
    return { kind: 'ignored', reason: reasonOf(type), deliveryId };
  }
  const paymentId = carriesPayment ? data.object.id : idOf(data.object.payment_intent);
  if (paymentId === undefined) {
    // Charges made without a PaymentIntent, sessions that only save a card or subscribe.
    return data.object.payment_intent === null
      ? { kind: 'ignored', reason: 'WITHOUT_PAYMENT_INTENT', deliveryId }
      : unreadable(`data.object: names no payment intent, though it is ${type}`, deliveryId);
  }
  return { kind: 'payment', paymentId, why: isDispute ? 'dispute' : 'push', deliveryId };
};

const NAMING_TYPES = [CHARGE_TYPES, REFUND_TYPES, SESSION_TYPES];

const unreadable = (reason: string, deliveryId?: string): ReceivedPayment => ({
  kind: 'unreadable',
  reason,
  deliveryId,
});

/** An id, or the object itself where the endpoint expands it. */
const idOf = (reference: unknown): string | undefined => {
  const id =
    typeof reference === 'object' && reference !== null ? (reference as { id?: unknown }).id : reference;
  return typeof id === 'string' && id !== '' ? id : undefined;
};

/** Counted by resource: types are many, and new ones come. */
const RESOURCES = [
  'payment_intent',
  'charge',
  'refund',
  'checkout',
  'payout',
  'customer',
  'invoice',
  'balance',
];

const reasonOf = (type: string): string => {
  const resource = type.split('.')[0] ?? '';
  return RESOURCES.includes(resource) ? `TYPE_${resource.toUpperCase()}` : 'TYPE_OTHER';
};
