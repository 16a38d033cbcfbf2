import * as z from 'zod';
import { defineErp, PeerUrl } from '../manifest.ts';

export const manifest = defineErp({
  name: 'odoo',
  title: 'Odoo',
  apiVersion: 'jsonrpc 16-18',
  // Odoo documentation, External API: JSON-RPC is announced to go with Odoo 22, autumn 2028.
  apiVersionSunset: '2028-10-01',
  // Own servers: bounded by their worker count. Odoo Online is said to take one call at a time (unverified).
  maxConcurrentCalls: 4,
  settleMs: 30_000,
  settings: z.strictObject({
    url: PeerUrl.meta({ description: 'Address of Odoo, e.g. https://erp.acme.example' }),
    database: z.string().min(1),
    products: z
      .strictObject({
        shipping: z.string().min(1).default('SHIP'),
        fee: z.string().min(1).default('FEE'),
        discount: z.string().min(1).default('DISCOUNT'),
        rounding: z.string().min(1).default('ROUNDING'),
      })
      .prefault({})
      .meta({
        description: 'SKUs (internal references) of the service products that carry amounts without goods',
      }),
  }),
  credentials: z.strictObject({
    login: z.string().min(1),
    apiKey: z.string().min(1).meta({ description: 'API key (Preferences, Account Security) or password' }),
  }),
});
