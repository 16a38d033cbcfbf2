import * as z from 'zod';
import type { OrderChangedV1 } from '../events/order-changed.ts';
import type { OrderHint } from '../settings/payment-route.ts';
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

/** A provider connection that takes payments for a shop. */
export interface PaymentProvider {
  readonly source: string;
  readonly hint: OrderHint;
}

/** An order on its way to one ERP, as the journal knows it. */
export interface PaidOrder {
  readonly destination: string;
  readonly source: string;
  readonly orderId: string;
}

/**
 * What providers told, and who asked for it. Facts are put before those who asked are looked up, and who asks is written
 * down before facts are read: whoever comes second sees the other, so no payment and its order miss each other.
 */
export interface PaymentFactsStore {
  /** Keeps them unless those that are held are as new (`asOfMs`). */
  put(facts: PaymentFacts): Promise<'kept' | 'older'>;
  /** Orders that asked for this payment, by whatever name. After `put`. */
  ordersOf(facts: PaymentFacts): Promise<readonly PaidOrder[]>;
  /**
   * Those of one order that is at `destination`: by a reference that the order states, or by the order's id or number that
   * the payment states.
   */
  of(
    providers: readonly PaymentProvider[],
    destination: string,
    order: OrderChangedV1,
  ): Promise<readonly PaymentFacts[]>;
}
