import * as z from 'zod';
import { defineErp, PeerUrl } from '../manifest.ts';

export const manifest = defineErp({
  name: 'odoo',
  title: 'Odoo',
  apiVersion: 'JSON-RPC of 16 to 18, JSON-2 of 19',
  // Odoo documentation, External API: JSON-RPC is announced to go with Odoo 22, autumn 2028. 16 to 18 keep it, without
  // support by then; no end is announced for JSON-2.
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
    // 19 needs no login, and a server says only later which version it is.
    login: z.string().min(1),
    apiKey: z
      .string()
      .min(1)
      .meta({ description: 'API key (Preferences, Account Security); up to 18 a password will do' }),
  }),
});
