import type * as z from 'zod';
import { secretsManager } from '../../shared/aws/clients.ts';
import { secretReader } from '../../shared/aws/secrets.ts';
import type {
  ErpConnector,
  OpenedErp,
  ReadableStorefront,
  StorefrontReads,
} from '../../shared/connectors/contract.ts';
import { customStore } from '../../shared/connectors/custom-store/index.ts';
import type { ErpManifest, Manifest, StorefrontManifest } from '../../shared/connectors/manifest.ts';
import { odoo } from '../../shared/connectors/odoo/index.ts';
import { shopify } from '../../shared/connectors/shopify/index.ts';
import { tryton } from '../../shared/connectors/tryton/index.ts';
import { woocommerce } from '../../shared/connectors/woocommerce/index.ts';
import { secretName } from '../constructs/credentials.ts';
import { connectionsOf, fieldsOf, type Settings } from '../settings.ts';

const STOREFRONTS = {
  'custom-store': openStorefront(customStore),
  shopify: openStorefront(shopify),
  woocommerce: openStorefront(woocommerce),
};
const ERPS = { odoo: openErp(odoo), tryton: openErp(tryton) };

/**
 * For commands that ask a storefront themselves, with the credentials of the connection.
 * @throws Error there is no such connection, or it cannot be read
 */
export const storefrontReads = (settings: Settings, id: string): StorefrontReads => {
  const connection = connectionOf(settings, id);
  const open = Object.entries(STOREFRONTS).find(([name]) => name === connection.name)?.[1];
  if (!open) throw new Error(`"${id}" is no storefront that can be read`);
  return open(connection);
};

/** The same of an ERP. `settleMs`: as in its manifest. */
export const openedErp = (settings: Settings, id: string): OpenedErp & { readonly settleMs: number } => {
  const connection = connectionOf(settings, id);
  const open = Object.entries(ERPS).find(([name]) => name === connection.name)?.[1];
  if (!open) throw new Error(`"${id}" is no ERP`);
  return open(connection);
};

interface Opening {
  readonly id: string;
  readonly name: string;
  readonly fields: Record<string, unknown>;
  readonly secretId: string;
}

const connectionOf = (settings: Settings, id: string): Opening => {
  const found = connectionsOf(settings).find((connection) => connection.id === id);
  if (!found) throw new Error(`there is no connection "${id}"`);
  return { id, name: found.manifest.name, fields: fieldsOf(found), secretId: secretName(settings.name, id) };
};

function optionsOf<S extends z.ZodObject, C extends z.ZodObject>(
  manifest: Manifest & { readonly settings: S; readonly credentials: C },
  { id, fields, secretId }: Opening,
) {
  return {
    connection: id,
    settings: manifest.settings.parse(fields),
    credentials: secretReader(secretsManager(), secretId, manifest.credentials, Date.now),
    nowMs: Date.now,
  };
}

function openStorefront<S extends z.ZodObject, C extends z.ZodObject>(
  connector: ReadableStorefront<z.output<S>, z.output<C>> & { readonly manifest: StorefrontManifest<S, C> },
) {
  return (opening: Opening): StorefrontReads => connector.open(optionsOf(connector.manifest, opening));
}

function openErp<S extends z.ZodObject, C extends z.ZodObject>(
  connector: ErpConnector<z.output<S>, z.output<C>> & { readonly manifest: ErpManifest<S, C> },
) {
  return (opening: Opening) => ({
    ...connector.open(optionsOf(connector.manifest, opening)),
    settleMs: connector.manifest.settleMs,
  });
}
