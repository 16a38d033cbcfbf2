import * as z from 'zod';

/** How far an order is taken in the ERP. `reserve` means: stock is held, but nobody ships yet. */
export const AcceptLevel = z.enum(['ignore', 'draft', 'reserve', 'confirm']);
export type AcceptLevel = z.infer<typeof AcceptLevel>;

/** When an order counts, by the state of its payment. What is not listed here (unpaid, failed) never counts. */
export const AcceptPolicy = z
  .strictObject({
    paid: AcceptLevel.default('confirm').meta({ description: 'Paid, or free of charge' }),
    cashOnDelivery: AcceptLevel.default('confirm'),
    bankTransferPending: AcceptLevel.default('ignore').meta({
      description: 'Bank transfer announced, not arrived',
    }),
    onHold: AcceptLevel.default('ignore').meta({
      description: 'The shop holds the order for another reason',
    }),
    test: AcceptLevel.default('ignore').meta({ description: 'Marked as a test by the storefront' }),
  })
  .prefault({});
export type AcceptPolicy = z.infer<typeof AcceptPolicy>;

/** How often a storefront is asked for what changed: minutes, or `off`. */
export const RECONCILE_MINUTES = {
  '1 minute': 1,
  '5 minutes': 5,
  '15 minutes': 15,
  '30 minutes': 30,
  '60 minutes': 60,
  off: undefined,
} as const;
type ReconcileEvery = keyof typeof RECONCILE_MINUTES;

/** One route: orders of one storefront connection go to one ERP connection. */
export const OrderRoute = z.strictObject({
  from: z.string().min(1).meta({ description: 'Storefront connection' }),
  to: z.string().min(1).meta({ description: 'ERP connection' }),
  mode: z.enum(['off', 'shadow', 'live']).default('live').meta({
    description: 'shadow: everything runs, nothing is written to the ERP, what would have been is recorded',
  }),
  startAt: z.iso.datetime({ offset: true }).meta({
    description:
      'Cut-over, ISO 8601 with zone: an order placed earlier is never created by Waybill, however it is found',
  }),
  accept: AcceptPolicy,
  reconcile: z
    .enum(Object.keys(RECONCILE_MINUTES) as [ReconcileEvery, ...ReconcileEvery[]])
    .default('15 minutes')
    .meta({
      description:
        'How often the storefront is asked for orders whose webhook was lost; of several routes from one storefront the shortest counts. Needs a key for reading',
    }),
  company: z
    .union([z.int().positive(), z.string().min(1)])
    .optional()
    .meta({ description: "Company in the ERP: id or exact name. Default: the user's own company" }),
  warehouse: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Warehouse code in the ERP. Default: the company's default warehouse" }),
  customers: z
    .union([z.literal('per-buyer'), z.strictObject({ collective: z.string().min(1) })])
    .default('per-buyer')
    .meta({
      description:
        'per-buyer: found by our key or mail, else created. collective: reference of one customer for the channel',
    }),
  currency: z.enum(['shop', 'buyer']).default('shop').meta({
    description:
      "Amounts in the shop's currency, or in the one that the buyer paid in (as far as the storefront states both)",
  }),
  edits: z.enum(['apply', 'park']).default('apply').meta({
    description:
      'The shop changed lines, address or note of an order that the ERP holds. park: a person does it',
  }),
  cancellations: z.enum(['cancel', 'park']).default('cancel').meta({
    description: 'The shop cancelled an order that the ERP holds. park: a person does it',
  }),
  refunds: z.enum(['credit-note', 'draft-credit-note', 'park']).default('credit-note').meta({
    description:
      'Money went back to the buyer. draft-credit-note: an accountant posts it. park: a person does it all',
  }),
  payments: z.enum(['book', 'note']).default('note').meta({
    description:
      'Money that came in or went back. book: each capture and payback once, in the journal of its method (mapping rows of kind journal). note: method and reference stand in the note of the order',
  }),
  lockedPeriod: z.enum(['park', 'first-open-day']).default('park').meta({
    description:
      'The books are closed for the day on which a refund would be booked. first-open-day: it is booked on the first day after it that is open. park: a person decides',
  }),
  roundingTolerance: z.number().min(0).max(10).default(1).meta({
    description: "Rounding units of the ERP's currency per order line that may be booked on a rounding line",
  }),
});
export type OrderRoute = z.infer<typeof OrderRoute>;
