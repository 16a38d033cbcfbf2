import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';

/** What infrastructure tells this function; `settings` is the connection's own slice, see its manifest. */
export const Env = z.object({
  [ENV.connection]: z.string().min(1),
  [ENV.settings]: z.string().transform((text): unknown => JSON.parse(text)),
  [ENV.secretId]: z.string().min(1),
  [ENV.eventBus]: z.string().min(1),
  [ENV.journalTable]: z.string().min(1),
  [ENV.paymentsTable]: z.string().min(1),
  [ENV.queueUrl]: z.string().min(1),
  [ENV.parkedQueueUrl]: z.string().min(1),
  [ENV.parkedTable]: z.string().min(1),
  [ENV.timeScale]: z.coerce.number().positive(),
});
