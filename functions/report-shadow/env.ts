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
        /** Those in shadow mode. */
        routes: z.array(OrderRoute).min(1),
      }),
    ),
  [ENV.secretId]: z.string().min(1),
  [ENV.journalTable]: z.string().min(1),
  [ENV.reportsTable]: z.string().min(1),
  [ENV.timeScale]: z.coerce.number().positive(),
});
