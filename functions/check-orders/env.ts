import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';

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
      }),
    ),
  [ENV.secretId]: z.string().min(1),
  [ENV.eventBus]: z.string().min(1),
  [ENV.ledgerTable]: z.string().min(1),
  [ENV.journalTable]: z.string().min(1),
  [ENV.leaseMs]: z.coerce.number().int().positive(),
  [ENV.timeScale]: z.coerce.number().positive(),
});
