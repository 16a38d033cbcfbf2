import type * as z from 'zod';
import { secretsManager } from '../../shared/aws/clients.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import type {
  ErpConnector,
  OpenedErp,
  ReadableStorefront,
  StockConnector,
  StorefrontReads,
} from '../../shared/connectors/contract.ts';
import { customStore } from '../../shared/connectors/custom-store/index.ts';
import { customStoreStock } from '../../shared/connectors/custom-store/stock.ts';
import type { ErpManifest, Manifest, StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { odoo } from '../../shared/connectors/odoo/index.ts';
import { shopify } from '../../shared/connectors/shopify/index.ts';
import { shopifyStock } from '../../shared/connectors/shopify/stock.ts';
import type { StorefrontStock } from '../../shared/connectors/stock-contract.ts';
import { tryton } from '../../shared/connectors/tryton/index.ts';
import { woocommerce } from '../../shared/connectors/woocommerce/index.ts';
import { woocommerceStock } from '../../shared/connectors/woocommerce/stock.ts';
import { secretName } from '../constructs/credentials.ts';
import type { Secrets } from '../secrets.ts';
import { connectionsOf, fieldsOf, type Settings } from '../settings.ts';

const STOREFRONTS = {
  'custom-store': openStorefront(customStore),
  shopify: openStorefront(shopify),
  woocommerce: openStorefront(woocommerce),
};
const STOCKS = {
  'custom-store': openStock(customStoreStock),
  shopify: openStock(shopifyStock),
  woocommerce: openStock(woocommerceStock),
};
const ERPS = { odoo: openErp(odoo), tryton: openErp(tryton) };

/**
 * For commands that ask a storefront themselves, with the credentials of the connection.
 * @param secrets from a file; undefined: Secrets Manager
 * @throws Error there is no such connection, or it cannot be read
 */
export const storefrontReads = (settings: Settings, id: string, secrets?: Secrets): StorefrontReads => {
  const connection = connectionOf(settings, id, secrets);
  const open = Object.entries(STOREFRONTS).find(([name]) => name === connection.name)?.[1];
  if (!open) throw new Error(`"${id}" is no storefront that can be read`);
  return open(connection);
};

/** The same of what it sells and shows. @param locations those that settings name */
export const storefrontStock = (
  settings: Settings,
  id: string,
  locations: readonly string[] | undefined,
  secrets?: Secrets,
): StorefrontStock => {
  const connection = connectionOf(settings, id, secrets);
  const open = Object.entries(STOCKS).find(([name]) => name === connection.name)?.[1];
  if (!open) throw new Error(`"${id}" is no storefront whose stock can be read`);
  return open(connection, locations);
};

/** The same of an ERP. `settleMs`: as in its manifest. */
export const openedErp = (
  settings: Settings,
  id: string,
  secrets?: Secrets,
): OpenedErp & { readonly settleMs: number } => {
  const connection = connectionOf(settings, id, secrets);
  const open = Object.entries(ERPS).find(([name]) => name === connection.name)?.[1];
  if (!open) throw new Error(`"${id}" is no ERP`);
  return open(connection);
};

interface Opening {
  readonly id: string;
  readonly name: string;
  readonly fields: Record<string, unknown>;
  readonly secretId: string;
  readonly secrets: Secrets | undefined;
}

const connectionOf = (settings: Settings, id: string, secrets?: Secrets): Opening => {
  const found = connectionsOf(settings).find((connection) => connection.id === id);
  if (!found) throw new Error(`there is no connection "${id}"`);
  const secretId = secretName(settings.name, id);
  return { id, name: found.manifest.name, fields: fieldsOf(found), secretId, secrets };
};

function optionsOf<S extends z.ZodObject, C extends z.ZodObject>(
  manifest: Manifest & { readonly settings: S; readonly credentials: C },
  { id, fields, secretId, secrets }: Opening,
) {
  return {
    connection: id,
    settings: manifest.settings.parse(fields),
    credentials: secrets
      ? async () => manifest.credentials.parse(secrets[id])
      : secretReader(secretsManager(), secretId, manifest.credentials, Date.now),
    nowMs: Date.now,
  };
}

function openStorefront<S extends z.ZodObject, C extends z.ZodObject>(
  connector: ReadableStorefront<z.output<S>, z.output<C>> & { readonly manifest: StorefrontManifest<S, C> },
) {
  return (opening: Opening): StorefrontReads => connector.open(optionsOf(connector.manifest, opening));
}

function openStock<S extends z.ZodObject, C extends z.ZodObject>(
  connector: StockConnector<z.output<S>, z.output<C>> & { readonly manifest: StorefrontManifest<S, C> },
) {
  return (opening: Opening, locations: readonly string[] | undefined): StorefrontStock =>
    connector.openStock({ ...optionsOf(connector.manifest, opening), ...(locations && { locations }) });
}

function openErp<S extends z.ZodObject, C extends z.ZodObject>(
  connector: ErpConnector<z.output<S>, z.output<C>> & { readonly manifest: ErpManifest<S, C> },
) {
  return (opening: Opening) => ({
    ...connector.open(optionsOf(connector.manifest, opening)),
    settleMs: connector.manifest.settleMs,
  });
}
