import type * as z from 'zod';
import { boundedCache } from '../../core/bounded-cache.ts';
import type { ErpConnector } from '../contract.ts';
import { trytonClient } from './client.ts';
import { customers } from './customers.ts';
import { manifest } from './manifest.ts';
import { masterData } from './master-data.ts';
import { trytonOrders } from './orders.ts';
import { trytonProducts } from './products.ts';
import type { TrytonRefs } from './refs.ts';
import { trytonStock } from './stock.ts';
import { testConnection } from './test-connection.ts';
import type { TrytonOrderWire } from './wire.ts';

export type TrytonSettings = z.infer<typeof manifest.settings>;
export type TrytonCredentials = z.infer<typeof manifest.credentials>;

/** How long what merchants configure in Tryton is believed. */
const MAX_AGE_MS = 10 * 60_000;

/** Tryton 6.0 by JSON-RPC. */
export const tryton: ErpConnector<TrytonSettings, TrytonCredentials, TrytonRefs, TrytonOrderWire> = {
  manifest,
  open: ({ connection, settings, credentials, nowMs }) => {
    const { url, database } = settings;
    const client = trytonClient({ connection, url, database, credentials, nowMs });
    const cache = boundedCache(nowMs, MAX_AGE_MS);
    const master = masterData(client, connection, cache);
    return {
      test: (call) => testConnection(client, connection, call),
      orders: trytonOrders({
        destination: connection,
        url,
        database,
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
      products: trytonProducts({
        destination: connection,
        client,
        master,
        cache,
        notSold: Object.values(settings.products),
      }),
      stock: trytonStock({ destination: connection, client, master, cache, nowMs }),
    };
  },
};
