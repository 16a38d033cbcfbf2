import * as z from 'zod';

/**
 * Something happened to a payment at its provider, and only the provider can say what. A fact, not a command: who reads
 * the payment keeps what it says, and lets the order that it belongs to be looked at again.
 */
export const PaymentNotifiedV1 = z
  .object({
    source: z.string().min(1).meta({ description: 'Connection id of the payment provider' }),
    paymentId: z.string().min(1).meta({ description: "The provider's id of the payment, e.g. pi_..." }),
    why: z.enum(['push', 'dispute']).meta({
      description:
        'push: money moved, or may have. dispute: the buyer asks the bank for it back, or that went on',
    }),
  })
  .meta({ title: 'Payment notified' });
export type PaymentNotifiedV1 = z.infer<typeof PaymentNotifiedV1>;
