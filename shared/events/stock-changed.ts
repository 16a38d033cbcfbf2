import * as z from 'zod';

/** Many levels per event: as many as fit, never more than 500. */
export const StockChangedV1 = z
  .object({
    source: z.string().min(1).meta({ description: 'Connection id of the ERP' }),
    asOfMs: z.int().meta({
      description: 'When reading began, epoch milliseconds. Of one SKU and warehouse the latest counts',
    }),
    levels: z
      .array(
        z.object({
          sku: z.string().min(1),
          warehouse: z.string().min(1),
          onHand: z.number(),
          free: z.number().meta({ description: 'On hand minus all that is promised; may be below zero' }),
          category: z.string().optional().meta({ description: 'Full name; rules may name it' }),
        }),
      )
      .max(500),
    missing: z.array(z.string().min(1)).default([]).meta({
      description: 'SKUs that the ERP does not have, or no longer: they count as zero',
    }),
  })
  .meta({ title: 'Stock changed' });
export type StockChangedV1 = z.infer<typeof StockChangedV1>;
