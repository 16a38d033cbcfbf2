import * as z from 'zod';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import { Money } from './money.ts';

/**
 * One payment as its provider tells it when it is asked: what was captured and what went back, whatever was announced in
 * which order.
 */
export const PaymentFacts = z.object({
  source: z.string().min(1).meta({ description: 'Connection id of the payment provider' }),
  paymentId: z.string().min(1).meta({ description: "The provider's id of the payment, e.g. pi_..." }),
  references: z
    .array(z.string().min(1))
    .meta({ description: 'Every id under which a storefront may know it: payment, charges, checkout' }),
  orderHint: z
    .string()
    .optional()
    .meta({ description: 'What the payment says of its order: id or number at the storefront' }),
  livemode: z.boolean(),
  captured: z.array(
    z.object({
      id: z.string().min(1).meta({ description: "The provider's id of the capture, e.g. ch_..." }),
      amount: Money,
      fee: Money.optional().meta({ description: 'May be in another currency: that of the pay-out' }),
      paidAt: z.iso.datetime(),
      method: z.string().meta({ description: "The provider's word, e.g. card" }),
    }),
  ),
  refunds: z.array(
    z.object({
      id: z.string().min(1).meta({ description: "The provider's id of the refund, e.g. re_..." }),
      amount: Money.meta({ description: 'Positive' }),
      state: z.enum(['pending', 'succeeded', 'failed']).meta({ description: 'failed: also cancelled' }),
      refundedAt: z.iso.datetime().optional(),
    }),
  ),
  disputed: z
    .boolean()
    .optional()
    .meta({ description: 'The buyer disputes it: said to people, never booked' }),
  asOfMs: z.int().meta({ description: 'When the provider said so, epoch milliseconds' }),
});
export type PaymentFacts = z.infer<typeof PaymentFacts>;

/** What providers told, by payment. */
export interface PaymentFactsStore {
  /** Keeps them unless those that are held are as new (`asOfMs`). */
  put(facts: PaymentFacts): Promise<'kept' | 'older'>;
  /**
   * Those of one order, at any of the provider connections `sources`: by a reference that the order states, or by the
   * order's id or number that the payment states.
   */
  of(sources: readonly string[], order: OrderChangedV1): Promise<readonly PaymentFacts[]>;
}
