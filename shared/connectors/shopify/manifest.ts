import * as z from 'zod';
import { defineStorefront, PeerUrl, WebhookSecret } from '../manifest.ts';

export const manifest = defineStorefront({
  name: 'shopify',
  title: 'Shopify',
  apiVersion: '2026-10',
  // Every version is supported for at least twelve months (shopify.dev, API versioning).
  apiVersionSunset: '2027-10-01',
  // shopify.dev, HTTPS webhooks: 5 seconds for the whole request, 1 of them to connect.
  answerWithinMs: 5_000,
  // An order costs some 60 to 200 points of a bucket that refills at 100 a second on the smallest plan.
  reads: { maxConcurrentCalls: 2 },
  // Arrays in input hold at most 250 (shopify.dev, API limits); the cost bucket is shared by all of them.
  stock: { compare: 'atomic', batch: 250, maxConcurrentCalls: 2 },
  settings: z.strictObject({
    shop: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*\.myshopify\.com$/, 'must look like acme.myshopify.com')
      .meta({
        description: "The shop's own domain, e.g. acme.myshopify.com; a custom domain is another thing",
      }),
    url: PeerUrl.optional().meta({
      description: 'Sandbox only: address of a stand-in that answers instead of https://<shop>',
    }),
    paymentKinds: z
      .record(z.string(), z.enum(['online', 'cash-on-delivery', 'bank-transfer', 'other']))
      .default({})
      .meta({
        description:
          'What manual payment methods mean, by the name they have in the shop, e.g. { "貨到付款": "cash-on-delivery" }',
      }),
    authorized: z.enum(['pending', 'paid']).default('pending').meta({
      description: 'What an authorised payment counts as; "paid" for shops that capture when they ship',
    }),
    taxNumberKeys: z
      .array(z.string().min(1))
      .default(['vat_number', 'VAT Number', 'vat_id', 'VAT ID', 'tax_id', 'Tax ID', 'tax_number'])
      .meta({ description: "Order attributes that hold the buyer's tax number; they differ by app" }),
    deliveryDateKeys: z
      .array(z.string().min(1))
      .default([
        'Delivery-Date',
        'Delivery Date',
        'delivery_date',
        'Pickup-Date',
        'Pickup Date',
        'pickup_date',
      ])
      .meta({ description: 'Order attributes that hold the day the buyer asked for; they differ by app' }),
  }),
  credentials: z.strictObject({
    webhookSecrets: z
      .array(WebhookSecret)
      .min(1)
      .max(2)
      .meta({ description: "The app's client secret; two while one replaces the other" }),
    accessToken: z.string().min(1).optional().meta({
      description:
        'Admin API access token, scopes read_orders and read_customers; with stock also read_products, write_products, read_inventory, write_inventory and read_locations',
    }),
  }),
});

export type ShopifySettings = z.infer<typeof manifest.settings>;
export type ShopifyCredentials = z.infer<typeof manifest.credentials>;
