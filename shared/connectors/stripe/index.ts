import type { PaymentsConnector } from '../contract.ts';
import { manifest, type StripeCredentials, type StripeSettings } from './manifest.ts';
import { open } from './reads.ts';
import { receive } from './webhook.ts';

/** Any 2xx counts as delivered; anything else is sent again for up to three days (docs.stripe.com/webhooks). */
export const stripe: PaymentsConnector<StripeSettings, StripeCredentials> = {
  manifest,
  replies: { accepted: 200, ping: 200, ignored: 200, quarantined: 200 },
  receive,
  open,
};
