import * as z from 'zod';

/**
 * Something about an order may have changed, and only the storefront can say what. A fact, not a command: who
 * fetches the order publishes `order.changed.v1`.
 */
export const OrderNotifiedV1 = z
  .object({
    source: z.string().min(1).meta({ description: 'Connection id of the storefront' }),
    orderId: z.string().min(1).meta({ description: "The storefront's immutable id" }),
    why: z.enum(['push', 'same-version', 'listed']).meta({
      description:
        'push: the storefront sends nothing but the id. same-version: two copies of one version differ in content. listed: reconciliation found it, and the list says nothing but the id',
    }),
  })
  .meta({ title: 'Order notified' });
export type OrderNotifiedV1 = z.infer<typeof OrderNotifiedV1>;
