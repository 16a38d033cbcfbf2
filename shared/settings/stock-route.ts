import * as z from 'zod';

/** How often an ERP is asked what changed in its stock: minutes. */
export const STOCK_MINUTES = {
  '1 minute': 1,
  '2 minutes': 2,
  '5 minutes': 5,
  '10 minutes': 10,
  '15 minutes': 15,
} as const;
type StockEvery = keyof typeof STOCK_MINUTES;

const share = z.number().min(0).max(1);

/**
 * Who gets how much of one stock. shared: every shop shows all of it, so two of them may sell the last piece in the
 * same second. partitioned: what the shops show together never exceeds what there is.
 */
export const StockPolicy = z.union([
  z.enum(['shared', 'partitioned']),
  z.strictObject({
    partitionedBelow: z.int().positive().meta({
      description: 'partitioned while fewer pieces than this are available, else shared',
    }),
  }),
]);
export type StockPolicy = z.infer<typeof StockPolicy>;

/** What may be said of some SKUs only. Of several rules that match, the last one that says something counts. */
export const StockRule = z.strictObject({
  skus: z.array(z.string().min(1)).optional().meta({
    description: 'SKUs of the ERP, "*" stands for any text: "TS-*". Default: all',
  }),
  categories: z.array(z.string().min(1)).optional().meta({
    description: "The ERP's product categories, by full name. Default: all",
  }),
  shops: z.array(z.string().min(1)).optional().meta({
    description: 'Storefront connections. Default: all. Only safetyStock, backorder and show may name some',
  }),
  safetyStock: z.int().min(0).optional().meta({ description: 'Pieces that are never offered' }),
  policy: StockPolicy.optional(),
  backorder: z.int().min(0).optional().meta({
    description: 'Pieces that may be sold beyond stock: backorders, or a pre-order allotment. Default 0',
  }),
  negativeStock: z.enum(['subtract', 'ignore']).optional().meta({
    description:
      'What the ERP has sold beyond its own stock takes from `backorder` (subtract, the default), or counts as zero',
  }),
  show: z.boolean().optional().meta({
    description: 'false: these shops always get 0 (a SKU that is sold on one channel only)',
  }),
  lowStock: z.int().min(0).optional().meta({
    description: 'One alert when fewer pieces than this are available, until it recovers. Default: none',
  }),
});
export type StockRule = z.infer<typeof StockRule>;

/** What a cycle may do without being asked; more is held until a person approves it. */
export const StockGuard = z
  .strictObject({
    changed: share.default(0.2).meta({ description: 'Share of all SKUs that one cycle may change' }),
    zeroed: share.default(0.2).meta({ description: 'Share of all SKUs that one cycle may bring to zero' }),
    shrunk: share.default(0.1).meta({
      description: 'Share of all SKUs that a complete listing may lack, compared with what is known',
    }),
    atLeast: z.int().min(1).default(20).meta({
      description: 'Fewer SKUs than this are never held: a shop of ten SKUs changes them all on a normal day',
    }),
    priceDrop: share.default(0.3).meta({
      description: 'A price that falls by more than this, or to zero, is held',
    }),
  })
  .prefault({});
export type StockGuard = z.infer<typeof StockGuard>;

export const StockPrices = z.strictObject({
  pricelist: z.string().min(1).optional().meta({
    description: "The ERP's price list, by exact name. Default: the product's own sales price",
  }),
  shops: z.array(z.string().min(1)).optional().meta({ description: 'Default: all of the route' }),
  unknownSkus: z.enum(['report', 'create']).default('report').meta({
    description: 'What the ERP sells and the shop does not know: reported, or made there as a hidden draft',
  }),
  status: z.enum(['follow', 'leave']).default('leave').meta({
    description: 'follow: archived in the ERP is hidden in the shop, active is shown again',
  }),
});
export type StockPrices = z.infer<typeof StockPrices>;

/** The stock of one ERP connection, and the storefronts that sell from it. */
export const StockRoute = z.strictObject({
  from: z.string().min(1).meta({ description: 'ERP connection; one route each' }),
  to: z.array(z.string().min(1)).min(1).meta({
    description: 'Storefront connections; each gets its stock from one ERP only',
  }),
  mode: z.enum(['off', 'shadow', 'live']).default('live').meta({
    description: 'shadow: everything is computed, nothing is written to the shops',
  }),
  every: z.enum(Object.keys(STOCK_MINUTES) as [StockEvery, ...StockEvery[]]).default('5 minutes'),
  company: z
    .union([z.int().positive(), z.string().min(1)])
    .optional()
    .meta({ description: "Company in the ERP: id or exact name. Default: the user's own company" }),
  warehouses: z
    .record(z.string().min(1), z.record(z.string().min(1), z.string().min(1)))
    .default({})
    .meta({
      description:
        "Warehouse code in the ERP -> storefront connection -> the shop's location. Several warehouses may feed one location. Default: all warehouses feed the default location of every shop",
    }),
  safetyStock: z.int().min(0).default(0).meta({ description: 'Pieces of every SKU that are never offered' }),
  policy: StockPolicy.default({ partitionedBelow: 5 }),
  rules: z.array(StockRule).default([]),
  guard: StockGuard,
  prices: StockPrices.optional().meta({ description: 'Default: prices and products are left alone' }),
  testSkus: z.array(z.string().min(1)).default([]).meta({
    description: 'SKUs that `waybill stock-test` may buy; nobody else may',
  }),
});
export type StockRoute = z.infer<typeof StockRoute>;

/** The name of a shop's location where settings name none. */
export const DEFAULT_LOCATION = 'default';

/** The locations of a shop that settings name; undefined: none, so its default location is meant. */
export const locationsOf = ({ warehouses }: StockRoute, shop: string): readonly string[] | undefined => {
  const named = Object.values(warehouses).flatMap((places) => places[shop] ?? []);
  return named.length === 0 ? undefined : [...new Set(named)];
};
