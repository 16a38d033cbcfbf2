import * as z from 'zod';

/**
 * What Waybill asks a custom store about stock and prices, and what it sends: our contract, published as
 * `stock.schema.json` (`npm run docs`). Null means absent; fields that are not named here are ignored.
 */

const id = z.string().min(1).max(128).meta({ description: 'Yours, and it never changes' });
const text = (description: string) => z.string().min(1).meta({ description });
const amount = (description: string) =>
  z
    .string()
    .regex(/^\d{1,15}(\.\d{1,8})?$/, 'must be a decimal string such as "12.30"')
    .meta({ title: 'amount', description });
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code in capitals')
  .meta({ title: 'currency', description: 'Of the prices' });
const time = (description: string) => z.iso.datetime({ offset: true }).meta({ description });
const location = text('Where its pieces lie, by the name that settings use');
const status = z.enum(['active', 'hidden']);
const sale = {
  salePrice: amount('A lower price for a time').nullish(),
  saleFrom: time('Absent: since ever').nullish(),
  saleUntil: time('Absent: until further notice').nullish(),
};

export const Listing = z.object({
  id,
  sku: text('What the ERP knows it by'),
  location: location.nullish().meta({
    description: 'Where its pieces lie; absent: the store has one place. One entry for each place',
  }),
  title: text('For people'),
  quantity: z
    .int()
    .nullable()
    .meta({ description: 'Pieces that can be bought now; null: the store does not count this one' }),
  status: status.nullish().meta({ description: 'hidden: buyers do not see it. Absent: active' }),
  currency: currency.nullish(),
  price: amount('The usual one').nullish(),
  ...sale,
  pricesIncludeTax: z.boolean().nullish().meta({ description: 'Absent: they do' }),
});
export type Listing = z.infer<typeof Listing>;

/** Answer to `GET /listings`. */
export const Listings = z.object({
  data: z.array(Listing).meta({ description: 'By id, ascending' }),
  nextCursor: z
    .string()
    .min(1)
    .nullable()
    .meta({ description: 'For the next page; null: this was the last' }),
});

/** Body of `POST /stock`. */
export const StockUpdates = z.object({
  updates: z
    .array(
      z.object({
        id,
        location: location.nullable().meta({ description: 'As it was listed; null: without one' }),
        expected: z.int().nullable().meta({
          description: 'Set it only if this many are there, in one step; null: whatever is there',
        }),
        quantity: z.int().min(0).meta({ description: 'Pieces to be shown' }),
      }),
    )
    .min(1)
    .max(100),
});
export type StockUpdates = z.infer<typeof StockUpdates>;

const code = z.enum(['not_found', 'unknown_location', 'not_counted', 'not_mutable', 'refused']).meta({
  description:
    'not_found: there is no such id. not_counted: its pieces are not counted. not_mutable: computed from its parts. refused: anything else',
});
const message = z.string().nullish().meta({ description: 'For people' });

/** Answer to `POST /stock`: one result for each update. */
export const StockResults = z.object({
  results: z.array(
    z.object({
      id,
      location: location.nullish(),
      result: z.enum(['written', 'stale', 'refused']),
      quantity: z.int().nullish().meta({ description: 'stale: what is there instead' }),
      code: code.nullish(),
      message,
    }),
  ),
});
export type StockResult = z.infer<typeof StockResults>['results'][number];

/** Body of `POST /prices`. */
export const PriceUpdates = z.object({
  updates: z
    .array(
      z.object({
        id,
        currency,
        price: amount('The usual one'),
        ...sale,
        status: status.nullish().meta({ description: 'Absent: it stays as it is' }),
      }),
    )
    .min(1)
    .max(100),
});
export type PriceUpdates = z.infer<typeof PriceUpdates>;

/** Answer to `POST /prices`. */
export const PriceResults = z.object({
  results: z.array(z.object({ id, result: z.enum(['written', 'refused']), code: code.nullish(), message })),
});
export type PriceResult = z.infer<typeof PriceResults>['results'][number];

/** Kept with a listing. */
export const CustomStoreRef = z.object({ id: z.string().min(1), location: z.string().optional() });
export type CustomStoreRef = z.infer<typeof CustomStoreRef>;

/** The file `stock.schema.json`: every body under its name. Draft 7, which every validator knows. */
export const stockSchema = (): string => {
  const bodies = { Listings, StockUpdates, StockResults, PriceUpdates, PriceResults };
  const definitions = Object.fromEntries(
    Object.entries(bodies).map(([name, body]) => {
      const { $schema, ...schema } = z.toJSONSchema(body, {
        io: 'input',
        target: 'draft-7',
        // "date-time" says the same as zod's pattern, readably.
        override: ({ jsonSchema }) => {
          if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
        },
      });
      return [name, schema];
    }),
  );
  const title = 'Stock and prices of a custom store';
  const description =
    'Contract version 1. Amounts are decimal strings with at most the decimals of their currency (ISO 4217). Null means absent; unknown fields are ignored.';
  const $schema = 'http://json-schema.org/draft-07/schema#';
  return `${JSON.stringify({ $schema, title, description, definitions }, undefined, 2)}\n`;
};
