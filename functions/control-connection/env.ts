import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';

/** What infrastructure tells this function; `settings` is the connection's own slice, see its manifest. */
export const Env = z.object({
  [ENV.connection]: z.string().min(1),
  [ENV.settings]: z.string().transform((text): unknown => JSON.parse(text)),
  [ENV.secretId]: z.string().min(1),
  [ENV.connectionsTable]: z.string().min(1),
  [ENV.eventSource]: z.string().min(1),
  [ENV.timeScale]: z.coerce.number().positive(),
});
