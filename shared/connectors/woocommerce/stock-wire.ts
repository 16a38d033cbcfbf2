import * as z from 'zod';
import { Anything, Decimal, Id, List, RequiredId, RequiredList, Text } from '../../core/wire-schema.ts';

/** Products and variations (REST API v3), as far as stock and prices need them. */
export const WcStocked = z.object({
  id: RequiredId,
  /** Of a variation. */
  parent_id: Id,
  /** simple, variable, variation, grouped, external, or a plug-in's. */
  type: Text,
  name: Text,
  status: Text,
  sku: Text,
  /** parent: the product counts for all of its variations. */
  manage_stock: Anything.transform((value) =>
    value === 'parent' ? ('parent' as const) : value === true || value === 'true' || value === 'yes',
  ),
  stock_quantity: Decimal,
  regular_price: Decimal,
  sale_price: Decimal,
  /** UTC without Z. */
  date_on_sale_from_gmt: Text,
  date_on_sale_to_gmt: Text,
  /** Ids, of a variable product. */
  variations: List(Anything),
});
export type WcStocked = z.infer<typeof WcStocked>;
export const WcStockedList = RequiredList(WcStocked);
/** What is asked for: a whole product has some 70 fields, and long texts. */
export const STOCKED_FIELDS = Object.keys(WcStocked.shape).join(',');

/** One setting of the shop. */
export const WcSetting = z.object({ value: Text });

/** HTTP 200, also when entries failed (observed on WooCommerce 10.2). */
export const WcBatchAnswer = z.object({
  update: RequiredList(
    z.object({
      id: RequiredId,
      error: z.object({ code: Text, message: Text }).optional(),
    }),
  ),
});
export type WcBatchAnswer = z.infer<typeof WcBatchAnswer>;

/** Kept with a listing. */
export const WooCommerceRef = z.object({ id: z.string().min(1), parent: z.string().min(1).optional() });
export type WooCommerceRef = z.infer<typeof WooCommerceRef>;
