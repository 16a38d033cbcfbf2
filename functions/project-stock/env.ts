import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';
import { OrderRoute } from '../../shared/settings/order-route.ts';
import { StockRoute } from '../../shared/settings/stock-route.ts';

/** What infrastructure tells this function; the connection is the ERP whose stock it is. */
export const Env = z.object({
  [ENV.connection]: z.string().min(1),
  [ENV.settings]: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(
      z.strictObject({
        stock: StockRoute,
        /** Routes by which orders come to this ERP: what they sell is gone. */
        orders: z.array(OrderRoute),
      }),
    ),
  [ENV.eventBus]: z.string().min(1),
  [ENV.stockTable]: z.string().min(1),
  [ENV.cursorsTable]: z.string().min(1),
  [ENV.mappingsTable]: z.string().min(1),
  [ENV.queueUrl]: z.string().min(1),
  [ENV.parkedQueueUrl]: z.string().min(1),
  [ENV.parkedTable]: z.string().min(1),
  [ENV.timeScale]: z.coerce.number().positive(),
});
