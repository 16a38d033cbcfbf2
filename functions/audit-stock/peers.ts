import type * as z from 'zod';
import { secretsManager } from '../../shared/aws/clients.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import type {
  ErpConnector,
  OpenedErp,
  StockConnector,
  StockOptions,
} from '../../shared/connectors/contract.ts';
import { customStoreStock } from '../../shared/connectors/custom-store/stock.ts';
import type { ErpManifest, StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { odoo } from '../../shared/connectors/odoo/index.ts';
import { shopifyStock } from '../../shared/connectors/shopify/stock.ts';
import type { StorefrontStock } from '../../shared/connectors/stock-contract.ts';
import { tryton } from '../../shared/connectors/tryton/index.ts';
import { woocommerceStock } from '../../shared/connectors/woocommerce/stock.ts';
import type { Clock } from '../../shared/core/ports.ts';
import type { Peer } from './env.ts';

interface Opening extends Peer {
  readonly id: string;
  readonly nowMs: Clock;
}
type ShopOptions = Pick<StockOptions<unknown, unknown>, 'locations' | 'budget'>;

function erp<S extends z.ZodObject, C extends z.ZodObject>(
  connector: ErpConnector<z.output<S>, z.output<C>> & { readonly manifest: ErpManifest<S, C> },
) {
  return ({ id, connection, secretId, nowMs }: Opening): OpenedErp =>
    connector.open({
      connection: id,
      settings: connector.manifest.settings.parse(connection),
      credentials: secretReader(secretsManager(), secretId, connector.manifest.credentials, nowMs),
      nowMs,
    });
}

function shop<S extends z.ZodObject, C extends z.ZodObject>(
  connector: StockConnector<z.output<S>, z.output<C>> & { readonly manifest: StorefrontManifest<S, C> },
) {
  return ({ id, connection, secretId, nowMs }: Opening, options: ShopOptions): StorefrontStock =>
    connector.openStock({
      connection: id,
      settings: connector.manifest.settings.parse(connection),
      credentials: secretReader(secretsManager(), secretId, connector.manifest.credentials, nowMs),
      nowMs,
      ...options,
    });
}

const ERPS = new Map([
  ['odoo', erp(odoo)],
  ['tryton', erp(tryton)],
]);
const SHOPS = new Map([
  ['custom-store', shop(customStoreStock)],
  ['shopify', shop(shopifyStock)],
  ['woocommerce', shop(woocommerceStock)],
]);

/** Connectors that an audit can open: `test/infra/bundles.test.ts` compares them with those there are. */
export const AUDITED: readonly string[] = [...ERPS.keys(), ...SHOPS.keys()];

/** @throws TypeError no such connector is in this bundle */
export const openErp = (opening: Opening): OpenedErp => {
  const open = ERPS.get(opening.connector);
  if (!open) throw new TypeError(`${opening.connector} cannot be audited`);
  return open(opening);
};

/** @throws TypeError no such connector is in this bundle */
export const openShop = (opening: Opening, options: ShopOptions): StorefrontStock => {
  const open = SHOPS.get(opening.connector);
  if (!open) throw new TypeError(`${opening.connector} cannot be audited`);
  return open(opening, options);
};
