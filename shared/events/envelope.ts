import * as z from 'zod';

/** What surrounds every event on the bus: EventBridge's `detail` is `{ meta, data }`. */
export const Meta = z.object({
  id: z
    .string()
    .min(1)
    .meta({ description: 'Unique per publication; the same for all copies a queue delivers' }),
  connection: z
    .string()
    .min(1)
    .meta({ description: 'Connection the event comes from; rules and fair queues use it' }),
  correlationId: z.string().min(1).meta({ description: 'Follows one order through every log line' }),
  receivedAtMs: z.int().meta({ description: 'When Waybill learned of it, epoch milliseconds' }),
  deliveryId: z
    .string()
    .optional()
    .meta({ description: "The storefront's own id of the delivery, if it has one" }),
  via: z
    .enum(['webhook', 'fetch', 'reconciliation', 'replay', 'poll', 'derived'])
    .meta({ description: 'How it was learned; derived: it follows from what Waybill itself did' }),
  fetchedAtMs: z.int().optional().meta({
    description:
      'Only of what was read at the storefront: when reading began, epoch milliseconds. Of one version, the copy read last is the truth',
  }),
});
export type Meta = z.infer<typeof Meta>;

export interface Envelope<D> {
  readonly meta: Meta;
  readonly data: D;
}
