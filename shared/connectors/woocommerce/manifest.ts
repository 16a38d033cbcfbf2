import * as z from 'zod';
import { defineStorefront, PeerUrl, WebhookSecret } from '../manifest.ts';

export const manifest = defineStorefront({
  name: 'woocommerce',
  title: 'WooCommerce',
  apiVersion: 'wc/v3',
  apiVersionSunset: undefined,
  // class-wc-webhook.php: the timeout of its HTTP request is a minute.
  answerWithinMs: 60_000,
  // Shared hosting runs a handful of PHP processes, which the buyers need, too.
  reads: { maxConcurrentCalls: 2 },
  // REST docs, Batch update products: up to 100 objects. There is no way to compare.
  stock: { compare: 'reads-first', batch: 100, maxConcurrentCalls: 2 },
  settings: z.strictObject({
    url: PeerUrl.meta({ description: 'Address of the shop, e.g. https://shop.acme.example' }),
    taxNumberKeys: z
      .array(z.string().min(1))
      .default([
        '_billing_vat_number',
        'billing_vat_number',
        '_billing_vat',
        'billing_vat',
        '_vat_number',
        'vat_number',
        '_billing_eu_vat_number',
      ])
      .meta({ description: "Order meta keys that hold the buyer's tax number; they differ by plug-in" }),
    statuses: z
      .record(z.string(), z.enum(['pending', 'on-hold', 'open', 'completed', 'cancelled']))
      .default({})
      .meta({ description: 'Meaning of order statuses that plug-ins add, without the "wc-" prefix' }),
  }),
  credentials: z.strictObject({
    webhookSecrets: z
      .array(WebhookSecret)
      .min(1)
      .max(2)
      .meta({ description: 'Secret of the webhooks; two while one replaces the other' }),
    consumerKey: z
      .string()
      .regex(/^ck_\w+$/, 'looks like ck_…')
      .optional()
      .meta({ description: 'REST key, read; with stock read and write' }),
    consumerSecret: z
      .string()
      .regex(/^cs_\w+$/, 'looks like cs_…')
      .optional(),
  }),
});

export type WooCommerceSettings = z.infer<typeof manifest.settings>;
export type WooCommerceCredentials = z.infer<typeof manifest.credentials>;
