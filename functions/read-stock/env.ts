import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';
import { StockRoute } from '../../shared/settings/stock-route.ts';

/** What infrastructure tells this function; `connection` is the ERP's own slice, see its manifest. */
export const Env = z.object({
  [ENV.connection]: z.string().min(1),
  [ENV.settings]: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.strictObject({ connection: z.looseObject({}), stock: StockRoute })),
  [ENV.secretId]: z.string().min(1),
  [ENV.eventBus]: z.string().min(1),
  [ENV.stockTable]: z.string().min(1),
  [ENV.mappingsTable]: z.string().min(1),
  [ENV.queueUrl]: z.string().min(1),
  [ENV.parkedQueueUrl]: z.string().min(1),
  [ENV.parkedTable]: z.string().min(1),
  [ENV.timeScale]: z.coerce.number().positive(),
});
