import * as z from 'zod';

/**
 * What became of one version of an order at one ERP. Published after the ERP answered: a reading of its stock that
 * begins later contains it.
 */
export const OrderSettledV1 = z
  .object({
    source: z.string().min(1).meta({ description: 'Connection id of the storefront' }),
    orderId: z.string().min(1),
    destination: z.string().min(1).meta({ description: 'Connection id of the ERP' }),
    sourceVersion: z.int(),
    state: z.enum(['promised', 'drafted', 'ended', 'dropped']).meta({
      description:
        'promised: the ERP holds stock for it. drafted: it is there and holds none. ended: cancelled there. dropped: it never gets there',
    }),
    skus: z
      .array(z.string())
      .meta({ description: "The storefront's SKUs in it: their stock may have changed" }),
    atMs: z.int().meta({ description: 'After the answer of the ERP, epoch milliseconds' }),
  })
  .meta({ title: 'Order settled' });
export type OrderSettledV1 = z.infer<typeof OrderSettledV1>;
