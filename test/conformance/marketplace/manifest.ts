import * as z from 'zod';
import { defineStorefront, PeerUrl, WebhookSecret } from '../../../shared/connectors/manifest.ts';

export const manifest = defineStorefront({
  name: 'marketplace',
  title: 'Marketplace',
  apiVersion: 'v2',
  apiVersionSunset: undefined,
  reads: { maxConcurrentCalls: 2 },
  settings: z.strictObject({
    url: PeerUrl,
    partnerId: z.int().positive(),
    shopId: z.int().positive(),
    /** Prices include it, and no answer of the platform states it. */
    includedTax: z.strictObject({ title: z.string().min(1), percent: z.string().regex(/^\d+(\.\d+)?$/) }),
    /** The address that is registered at the platform, where a proxy in front of us is called otherwise. */
    callbackUrl: z.url().optional(),
  }),
  credentials: z.strictObject({
    webhookSecrets: z.array(WebhookSecret).min(1).max(2),
    partnerKey: WebhookSecret.optional(),
    accessToken: z.string().min(1).optional(),
  }),
});

export type MarketplaceSettings = z.infer<typeof manifest.settings>;
export type MarketplaceCredentials = z.infer<typeof manifest.credentials>;
