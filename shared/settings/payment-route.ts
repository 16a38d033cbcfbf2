import * as z from 'zod';

/**
 * What a payment's word for its order means in the shop: `either` the order's id or its number, one of them, or nothing.
 */
export const OrderHint = z.enum(['either', 'id', 'number', 'none']);
export type OrderHint = z.infer<typeof OrderHint>;

/** Which shops a payment provider takes the money for. */
export const PaymentRoute = z.strictObject({
  from: z.string().min(1).meta({ description: 'Connection of the payment provider' }),
  orders: z
    .array(z.string().min(1))
    .min(1)
    .meta({ description: 'Storefront connections whose orders are paid there' }),
  hint: OrderHint.default('either').meta({
    description:
      "What the provider's word for the order (metadata order_id) is in the shop. Counts only where the route has one shop: two shops may use one number. An order's own reference always counts",
  }),
});
export type PaymentRoute = z.infer<typeof PaymentRoute>;
