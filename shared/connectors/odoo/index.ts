import type * as z from 'zod';
import { boundedCache } from '../../core/bounded-cache.ts';
import type { ErpConnector } from '../contract.ts';
import { odooClient } from './client.ts';
import { customers } from './customers.ts';
import { manifest } from './manifest.ts';
import { masterData } from './master-data.ts';
import { odooOrders } from './orders.ts';
import { odooProducts } from './products.ts';
import type { OdooRefs } from './refs.ts';
import { odooStock } from './stock.ts';
import { testConnection } from './test-connection.ts';
import type { OdooOrderWire } from './wire.ts';

export type OdooSettings = z.infer<typeof manifest.settings>;
export type OdooCredentials = z.infer<typeof manifest.credentials>;

/** How long what merchants configure in Odoo is believed. */
const MAX_AGE_MS = 10 * 60_000;

/** Odoo 16 to 18 by JSON-RPC, 19 and later by JSON-2. */
export const odoo: ErpConnector<OdooSettings, OdooCredentials, OdooRefs, OdooOrderWire> = {
  manifest,
  open: ({ connection, settings, credentials, nowMs }) => {
    const { url, database } = settings;
    const client = odooClient({ connection, url, database, credentials, nowMs });
    const cache = boundedCache(nowMs, MAX_AGE_MS);
    const master = masterData(client, connection, cache);
    return {
      test: (call) => testConnection(client, connection, call),
      orders: odooOrders({
        destination: connection,
        url,
        client,
        master,
        cache,
        resolve: {
          destination: connection,
          master,
          customers: customers(client, master, connection),
          products: settings.products,
        },
      }),
      products: odooProducts({
        destination: connection,
        client,
        master,
        cache,
        nowMs,
        notSold: Object.values(settings.products),
      }),
      stock: odooStock({ destination: connection, client, master, cache, nowMs }),
    };
  },
};
