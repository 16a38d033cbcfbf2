import * as z from 'zod';
import { Money } from '../core/money.ts';

/** A product as an ERP sells it. */
export const ErpProduct = z.object({
  sku: z.string().min(1),
  title: z.string(),
  category: z.string().optional().meta({ description: 'Full name; rules may name it' }),
  status: z.enum(['active', 'archived']),
  price: Money.optional().meta({ description: 'Absent: the price list has none' }),
  sale: z
    .object({
      price: Money,
      from: z.iso.datetime().optional().meta({ description: 'Absent: since ever' }),
      until: z.iso.datetime().optional().meta({ description: 'Absent: until further notice' }),
    })
    .optional()
    .meta({ description: 'A lower price for a time' }),
  priceIncludesTax: z.boolean(),
  taxPercent: z.string().optional().meta({ description: 'Decimal; absent: it cannot be said' }),
});
export type ErpProduct = z.infer<typeof ErpProduct>;

export const ProductChangedV1 = z
  .object({
    source: z.string().min(1).meta({ description: 'Connection id of the ERP' }),
    asOfMs: z.int().meta({
      description: 'When reading began, epoch milliseconds. Of one SKU the latest counts',
    }),
    products: z.array(ErpProduct).min(1).max(100),
  })
  .meta({ title: 'Product changed' });
export type ProductChangedV1 = z.infer<typeof ProductChangedV1>;
