import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { OrderHint } from '../../shared/settings/payment-route.ts';

/** What infrastructure tells this function. */
export const Env = z.object({
  [ENV.connection]: z.string().min(1),
  [ENV.settings]: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(
      z.strictObject({
        connection: z.looseObject({}),
        routes: z.array(OrderRoute),
        /** Storefronts whose orders can be read by id. */
        fetchable: z.array(z.string()).default([]),
        /** By storefront: the payment providers that take its money, where payments are booked. */
        providers: z
          .record(z.string(), z.array(z.strictObject({ source: z.string(), hint: OrderHint })))
          .default({}),
        /** Stock flows back from this ERP: what became of an order is published. */
        tellsStock: z.boolean().default(false),
      }),
    ),
  [ENV.secretId]: z.string().min(1),
  [ENV.eventBus]: z.string().min(1),
  [ENV.ledgerTable]: z.string().min(1),
  [ENV.bindingsTable]: z.string().min(1),
  [ENV.journalTable]: z.string().min(1),
  [ENV.mappingsTable]: z.string().min(1),
  [ENV.connectionsTable]: z.string().min(1),
  /** There when there are providers. */
  [ENV.paymentsTable]: z.string().min(1).optional(),
  [ENV.queueUrl]: z.string().min(1),
  [ENV.parkedQueueUrl]: z.string().min(1),
  [ENV.parkedTable]: z.string().min(1),
  [ENV.leaseMs]: z.coerce.number().int().positive(),
  [ENV.timeScale]: z.coerce.number().positive(),
});
