import * as z from 'zod';
import { ENV } from '../../shared/observability/names.ts';
import { StockRoute } from '../../shared/settings/stock-route.ts';

/** One peer: its connector, its own slice of the settings, and where its credentials are. */
const Peer = z.strictObject({
  connector: z.string().min(1),
  connection: z.looseObject({}),
  secretId: z.string().min(1),
});
export type Peer = z.infer<typeof Peer>;

/** What infrastructure tells this function: an ERP and all the shops of its route. */
export const Env = z.object({
  [ENV.connection]: z.string().min(1),
  [ENV.settings]: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.strictObject({ erp: Peer, shops: z.record(z.string().min(1), Peer), stock: StockRoute })),
  [ENV.stockTable]: z.string().min(1),
  [ENV.mappingsTable]: z.string().min(1),
  [ENV.cursorsTable]: z.string().min(1),
  [ENV.reportsTable]: z.string().min(1),
});
