import * as z from 'zod';
import { definePayments, PeerUrl } from '../manifest.ts';

export const manifest = definePayments({
  name: 'stripe',
  title: 'Stripe',
  // The package pins it: its types and answers belong together.
  apiVersion: '2026-10-28.endive',
  // Stripe supports versions for years and announces no date (docs.stripe.com/api/versioning).
  apiVersionSunset: undefined,
  // docs.stripe.com/webhooks: "quickly return a successful status code", without a figure; (unverified) 10 s.
  answerWithinMs: 10_000,
  // Of some hundred a second in live mode and 25 in test mode (docs.stripe.com/rate-limits), which the shop needs, too.
  maxConcurrentCalls: 2,
  settings: z.strictObject({
    url: PeerUrl.optional().meta({
      description: 'Sandbox only: address of a stand-in that answers instead of https://api.stripe.com',
    }),
    account: z
      .string()
      .regex(/^acct_\w+$/, 'looks like acct_…')
      .optional()
      .meta({ description: 'Connect only: the connected account whose payments are meant' }),
    orderKeys: z.array(z.string().min(1)).default(['order_id']).meta({
      description: "Metadata keys that hold the shop's id or number of the order; the first one counts",
    }),
    checkout: z.boolean().default(false).meta({
      description:
        'Buyers pay at Stripe Checkout: its session (cs_…, client_reference_id) is read, too. The key must be allowed to',
    }),
  }),
  credentials: z.strictObject({
    webhookSecrets: z
      .array(z.string().regex(/^whsec_\w+$/, 'looks like whsec_…'))
      .min(1)
      .max(2)
      .meta({ description: 'Signing secret of the webhook endpoint; two while one replaces the other' }),
    apiKey: z
      .string()
      .regex(/^(rk|sk)_(live|test)_\w+$/, 'looks like rk_live_…')
      .meta({ description: 'Restricted key (rk_…) that may read charges, refunds, disputes and balance' }),
  }),
});

export type StripeSettings = z.infer<typeof manifest.settings>;
export type StripeCredentials = z.infer<typeof manifest.credentials>;
