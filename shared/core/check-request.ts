import * as z from 'zod';

/** One order that the ERP has not, as one call names it and the next takes it. */
export const MissingOrder = z.strictObject({
  source: z.string().min(1),
  orderId: z.string().min(1),
  state: z.enum(['finished', 'forgotten']),
  atMs: z.number(),
  attempt: z.number(),
  document: z
    .strictObject({ id: z.string(), name: z.string().optional(), url: z.string().optional() })
    .optional(),
  isCancelled: z.boolean(),
  refunds: z.array(z.string()).readonly(),
  payments: z.array(z.string()).readonly(),
});
export type MissingOrder = z.infer<typeof MissingOrder>;

/** What the function that checks an ERP is called with by hand. A schedule calls it with something else. */
export const CheckRequest = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('check'),
    sinceMs: z.number(),
    beforeMs: z.number().optional(),
    /** How long it may take, milliseconds; what is left is said. */
    budgetMs: z.number(),
  }),
  z.strictObject({
    action: z.literal('repair'),
    by: z.string().min(1),
    why: z.string().min(1),
    orders: z.array(MissingOrder).min(1).max(25),
  }),
]);
export type CheckRequest = z.infer<typeof CheckRequest>;

export const CheckAnswer = z.object({
  looked: z.number(),
  missing: z.array(MissingOrder),
  /** Of a function that was deployed before it told: none. */
  outdated: z.array(MissingOrder).default([]),
  leftBeforeMs: z.number().optional(),
});
export type CheckAnswer = z.infer<typeof CheckAnswer>;

/** As `repairOrder` says; failed: the ERP or the bus did not answer, and the order can be repaired later. */
export const RepairAnswer = z.object({
  deeds: z.array(
    z.object({
      source: z.string(),
      orderId: z.string(),
      deed: z.enum(['sent', 'there', 'busy', 'changed', 'no-snapshot', 'failed']),
      code: z.string().optional(),
    }),
  ),
});
export type RepairAnswer = z.infer<typeof RepairAnswer>;
