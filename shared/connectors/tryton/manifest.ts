import * as z from 'zod';
import { defineErp, PeerUrl } from '../manifest.ts';

export const manifest = defineErp({
  name: 'tryton',
  title: 'Tryton',
  apiVersion: 'jsonrpc 6.0',
  // Tryton announces no date. From 8.0 on the same calls are at /<database>/rpc/ (trytond documentation, RPC).
  apiVersionSunset: undefined,
  // Not limited by Tryton; every write locks rows, and confirming makes shipments and invoices.
  maxConcurrentCalls: 4,
  settleMs: 30_000,
  settings: z.strictObject({
    url: PeerUrl.meta({ description: 'Address of Tryton, e.g. https://erp.acme.example' }),
    database: z.string().min(1),
    products: z
      .strictObject({
        shipping: z.string().min(1).default('SHIP'),
        fee: z.string().min(1).default('FEE'),
        rounding: z.string().min(1).default('ROUNDING'),
      })
      .prefault({})
      .meta({ description: 'Codes of the service products that carry amounts without goods' }),
  }),
  credentials: z.strictObject({ login: z.string().min(1), password: z.string().min(1) }),
});
