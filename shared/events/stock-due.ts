import * as z from 'zod';

/** What a shop shows of these SKUs is no longer what there is. Which value holds is looked up when it is written. */
export const StockDueV1 = z
  .object({
    source: z.string().min(1).meta({ description: 'Connection id of the ERP' }),
    destination: z.string().min(1).meta({ description: 'Connection id of the storefront' }),
    listings: z
      .array(z.object({ sku: z.string().min(1), location: z.string().min(1) }))
      .min(1)
      .max(500)
      .meta({ description: "The shop's own SKUs" }),
  })
  .meta({ title: 'Stock due' });
export type StockDueV1 = z.infer<typeof StockDueV1>;
