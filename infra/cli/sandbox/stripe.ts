import { moneyFromDecimal } from '../../../shared/core/money.ts';
import { startFakeStripe } from '../../../test/fakes/stripe.ts';
import type { PlacedOrder, SandboxProvider } from './peer.ts';

const SECRET = 'whsec_sandbox_signing_secret';
const API_KEY = 'rk_test_sandbox';

/** Takes the money of the shop in Taiwan, and keeps 2.9 % of it. */
export const sandboxStripe = async (): Promise<SandboxProvider> => {
  const account = await startFakeStripe({ apiKey: API_KEY });
  return {
    id: 'sandbox-stripe',
    url: account.url,
    secrets: { webhookSecrets: [SECRET], apiKey: API_KEY },
    connect: (deliveryUrl) => void account.registerWebhook({ deliveryUrl, secret: SECRET }),
    take: ({ paid }: PlacedOrder) => {
      if (!paid) return;
      const { reference, total, currency } = paid;
      // Of the currencies sold in here, Stripe's smallest unit is that of ISO 4217.
      const { minor } = moneyFromDecimal(total, currency);
      account.pay({ id: reference, amount: minor, currency: currency.toLowerCase() });
    },
    replay: async () => {
      await account.settled();
      const count = account.deliveries.length;
      for (let index = 0; index < count; index += 1) await account.redeliver(index);
      return count;
    },
    stop: () => account.stop(),
  };
};
