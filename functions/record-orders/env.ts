import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';

/** What infrastructure tells this function. */
export const Env = z.object({
  [ENV.settings]: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.strictObject({ routes: z.record(z.string(), z.array(z.string())) })),
  [ENV.journalTable]: z.string().min(1),
  [ENV.queueUrl]: z.string().min(1),
  [ENV.parkedQueueUrl]: z.string().min(1),
  [ENV.parkedTable]: z.string().min(1),
  [ENV.timeScale]: z.coerce.number().positive(),
});
