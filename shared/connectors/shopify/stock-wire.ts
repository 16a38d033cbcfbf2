import * as z from 'zod';
import { Decimal, Text } from '../../core/wire-schema.ts';

/** What Shopify answers about stock and prices (GraphQL Admin API), as far as Waybill reads it. */

const Gid = z.string().min(1);
const WithId = z.object({ id: Gid });

export const UserErrors = z.array(
  z.object({
    /** Some mutations have none. */
    code: z.string().nullish(),
    /** Where in the input, e.g. ["input", "quantities", "3", "changeFromQuantity"]. */
    field: z.array(z.string()).nullish(),
    message: z.string(),
  }),
);
export type UserError = z.infer<typeof UserErrors>[number];

export const ShopAnswer = z.object({
  shop: z.object({ currencyCode: z.string(), taxesIncluded: z.boolean() }),
  /** The shop's main one: the query names none. */
  location: WithId.nullable(),
});

const Level = z.object({
  isActive: z.boolean(),
  quantities: z.array(z.object({ quantity: z.int() })).min(1),
});
export type Level = z.infer<typeof Level>;

const Variant = z.object({
  id: Gid,
  sku: Text,
  displayName: Text,
  price: Decimal,
  compareAtPrice: Decimal,
  product: WithId.extend({ status: z.string() }),
  /** And a level for each location, by the aliases l0, l1, ... */
  inventoryItem: z.looseObject({ id: Gid, tracked: z.boolean() }),
});
export type Variant = z.infer<typeof Variant>;

export const VariantsAnswer = z.object({
  productVariants: z.object({
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    nodes: z.array(Variant),
  }),
});

/** undefined: the item never was at that location. */
export const levelAt = (item: Variant['inventoryItem'], index: number): Level | undefined =>
  Level.nullable().parse(item[`l${index}`] ?? null) ?? undefined;

/** By the aliases i0, i1, ... */
export const LevelsAnswer = z.record(
  z.string(),
  z.object({ tracked: z.boolean(), inventoryLevel: Level.nullable() }).nullable(),
);

export const SetStockAnswer = z.object({
  inventorySetQuantities: z.object({
    /** null: nothing was changed. */
    inventoryAdjustmentGroup: WithId.nullable(),
    userErrors: UserErrors,
  }),
});

/** By the aliases of each. */
export const ChangesAnswer = z.record(z.string(), z.object({ userErrors: UserErrors }).nullable());

export const ProductStatesAnswer = z.record(
  z.string(),
  z.object({ status: z.string(), variantsCount: z.object({ count: z.int() }).nullable() }).nullable(),
);

export const DraftAnswer = z.object({
  productSet: z.object({
    product: z
      .object({
        variants: z.object({
          nodes: z.array(z.object({ id: Gid, product: WithId, inventoryItem: WithId })).min(1),
        }),
      })
      .nullable(),
    userErrors: UserErrors,
  }),
});

/** Kept with a listing. */
export const ShopifyRef = z.object({
  variant: Gid,
  product: Gid,
  item: Gid,
  /** The item is counted, and (at this location) can be sold: both as of when it was listed. */
  tracked: z.boolean(),
  active: z.boolean(),
});
export type ShopifyRef = z.infer<typeof ShopifyRef>;
