import type { Money } from '../../core/money.ts';
import type { PaymentFacts } from '../../core/payment-facts.ts';
import type { Mapped, ProviderPayment } from '../contract.ts';
import { fromStripe } from './amounts.ts';
import type { StripeSettings } from './manifest.ts';
import type { StCharge, StDispute, StPaymentIntent, StRefund, StSession } from './wire.ts';

/** Everything that is read of one payment. */
export interface StripePayment {
  readonly intent: StPaymentIntent;
  /** All of them, also when there are more than an expansion holds. */
  readonly refunds: readonly StRefund[];
  readonly disputes: readonly StDispute[];
  /** Of Stripe Checkout, where the connection asks for them. */
  readonly sessions: readonly StSession[];
}

/** A PaymentIntent has one charge that can have succeeded: its latest (docs.stripe.com/api/payment_intents/object). */
type Charge = NonNullable<StPaymentIntent['latest_charge']>;
type Capture = PaymentFacts['captured'][number];
type Refund = PaymentFacts['refunds'][number];

/**
 * What happened to the money, in our words. Pure.
 * @throws RangeError an amount that cannot be stated exactly
 */
export const toPayment = (
  { intent, refunds, disputes, sessions }: StripePayment,
  settings: Pick<StripeSettings, 'orderKeys'>,
): Mapped<ProviderPayment> => {
  const warnings: string[] = [];
  const charge = intent.latest_charge;
  const hint = hintOf(intent, charge, sessions, settings.orderKeys);
  return {
    value: {
      paymentId: intent.id,
      references: [intent.id, ...(charge ? [charge.id] : []), ...sessions.map(({ id }) => id)],
      ...(hint !== undefined && { orderHint: hint }),
      livemode: intent.livemode,
      captured: charge ? capturedOf(intent, charge, warnings) : [],
      refunds: refunds.map(toRefund),
      ...(disputes.length > 0 && { disputed: true }),
      disputes: disputes.map(({ id, amount, currency, reason, status }) => ({
        id,
        amount: fromStripe(amount, currency),
        reason,
        status,
      })),
    },
    warnings,
  };
};

const capturedOf = (intent: StPaymentIntent, charge: Charge, warnings: string[]): Capture[] => {
  if (charge.status !== 'succeeded' || charge.amount_captured === 0) return [];
  if (intent.status === 'requires_capture') {
    // Its amount still grows, and what is booked never changes: it is stated when it is complete.
    warnings.push(`${charge.id} is captured in parts: stated when the last one is`);
    return [];
  }
  const { balance_transaction: entry, payment_method_details: details } = charge;
  const fee = entry ? feeOf(entry) : undefined;
  return [
    {
      id: charge.id,
      amount: fromStripe(charge.amount_captured, charge.currency),
      ...(fee && { fee }),
      // A charge is made when it is authorised, its balance entry when the money is taken.
      paidAt: momentOf(entry?.created ?? charge.created),
      method: details?.type ?? 'stripe',
    },
  ];
};

/** In the currency that Stripe settles in; undefined: there is none. */
const feeOf = ({ fee, currency }: NonNullable<StCharge['balance_transaction']>): Money | undefined =>
  fee === 0 ? undefined : fromStripe(fee, currency);

const toRefund = ({ id, amount, currency, created, status }: StRefund): Refund => ({
  id,
  amount: fromStripe(amount, currency),
  state: stateOf(status),
  refundedAt: momentOf(created),
});

/** Card refunds succeed at once; bank transfers stay pending, and may fail for weeks (docs.stripe.com/refunds). */
const stateOf = (status: string | null): Refund['state'] => {
  if (status === 'succeeded') return 'succeeded';
  return status === 'failed' || status === 'canceled' ? 'failed' : 'pending';
};

const hintOf = (
  intent: StPaymentIntent,
  charge: Charge | null,
  sessions: readonly StSession[],
  keys: readonly string[],
): string | undefined =>
  [
    ...keys.map((key) => intent.metadata[key]),
    ...keys.map((key) => charge?.metadata[key]),
    intent.payment_details?.order_reference,
    ...sessions.map(({ client_reference_id: id }) => id),
  ].find((text) => text !== undefined && text !== null && text !== '') ?? undefined;

const momentOf = (seconds: number): string => new Date(seconds * 1000).toISOString();
