import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';

/** What infrastructure tells this function; `connection` is the connection's own slice, see its manifest. */
export const Env = z.object({
  [ENV.connection]: z.string().min(1),
  [ENV.settings]: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(
      z.strictObject({
        connection: z.looseObject({}),
        /** ERPs that the orders are due at. */
        destinations: z.array(z.string().min(1)).min(1),
        /** The earliest cut-over among the routes there. */
        startAt: z.iso.datetime({ offset: true }),
      }),
    ),
  [ENV.secretId]: z.string().min(1),
  [ENV.eventBus]: z.string().min(1),
  [ENV.journalTable]: z.string().min(1),
  [ENV.cursorsTable]: z.string().min(1),
  [ENV.leaseMs]: z.coerce.number().int().positive(),
  [ENV.timeScale]: z.coerce.number().positive(),
});
