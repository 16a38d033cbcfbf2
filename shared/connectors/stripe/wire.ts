import * as z from 'zod';

// What is read of Stripe's objects; everything else is left out, above all cards, addresses and mails.
// Fields: docs.stripe.com/api, version of the manifest.

const Currency = z.string().regex(/^[a-z]{3}$/);
/** Epoch seconds. */
const Moment = z.int().nonnegative();
const Metadata = z.record(z.string(), z.string());

export const StRefund = z.object({
  id: z.string().min(1),
  amount: z.int().nonnegative(),
  currency: Currency,
  created: Moment,
  /** pending, requires_action, succeeded, failed or canceled (docs.stripe.com/api/refunds/object). */
  status: z.string().nullable(),
});
export type StRefund = z.infer<typeof StRefund>;

export const StDispute = z.object({
  id: z.string().min(1),
  amount: z.int(),
  currency: Currency,
  reason: z.string(),
  status: z.string(),
});
export type StDispute = z.infer<typeof StDispute>;

/** null until Stripe has written it: up to an hour after an asynchronous capture (docs.stripe.com/payments/payment-intents/asynchronous-capture). */
const StBalanceTransaction = z.object({ fee: z.int(), currency: Currency, created: Moment });

export const StCharge = z.object({
  id: z.string().min(1),
  amount_captured: z.int().nonnegative(),
  currency: Currency,
  created: Moment,
  disputed: z.boolean(),
  status: z.string(),
  metadata: Metadata.default({}),
  balance_transaction: StBalanceTransaction.nullable(),
  payment_method_details: z.object({ type: z.string().min(1) }).nullable(),
  refunds: z.object({ data: z.array(StRefund), has_more: z.boolean() }),
});
export type StCharge = z.infer<typeof StCharge>;

export const StPaymentIntent = z.object({
  id: z.string().min(1),
  object: z.literal('payment_intent'),
  status: z.string(),
  livemode: z.boolean(),
  metadata: Metadata.default({}),
  payment_details: z.object({ order_reference: z.string().nullish() }).nullish(),
  latest_charge: StCharge.nullable(),
});
export type StPaymentIntent = z.infer<typeof StPaymentIntent>;

export const StSession = z.object({ id: z.string().min(1), client_reference_id: z.string().nullable() });
export type StSession = z.infer<typeof StSession>;

/** A snapshot event; what its object means depends on `type`. */
export const StEvent = z.object({
  id: z.string().min(1),
  object: z.literal('event'),
  type: z.string().min(1),
  /** Only of events of connected accounts. */
  account: z.string().optional(),
  data: z.object({
    object: z.looseObject({ id: z.string().optional(), payment_intent: z.unknown().optional() }),
  }),
});
