import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';

/** What infrastructure tells this function. */
export const Env = z.object({
  [ENV.settings]: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(
      z.strictObject({
        /** ERPs that orders are due at. */
        destinations: z.array(z.string()),
        /** From this age on, milliseconds. */
        keptMs: z.int().positive(),
      }),
    ),
  [ENV.eventBus]: z.string().min(1),
  [ENV.journalTable]: z.string().min(1),
  [ENV.parkedTable]: z.string().min(1),
});
