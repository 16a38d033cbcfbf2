import * as z from 'zod';
import { defineStorefront, PeerUrl } from '../manifest.ts';

/** Decoded length of what follows the prefix; undefined: no canonical base64. */
const keyBytes = (text: string, prefix: string): number | undefined => {
  const encoded = text.slice(prefix.length);
  const key = Buffer.from(encoded, 'base64');
  return text.startsWith(prefix) && key.toString('base64') === encoded ? key.length : undefined;
};

/** Standard Webhooks, "Secret and key format": 24 to 64 random bytes; an Ed25519 public key has 32. */
export const SigningKey = z.string().refine((text) => {
  const secret = keyBytes(text, 'whsec_');
  return (secret !== undefined && secret >= 24 && secret <= 64) || keyBytes(text, 'whpk_') === 32;
}, 'must be "whsec_" and the base64 of 24 to 64 bytes, or "whpk_" and the base64 of an Ed25519 public key');

export const manifest = defineStorefront({
  name: 'custom-store',
  title: 'Custom store',
  apiVersion: '1',
  // The contract is ours: order.schema.json.
  apiVersionSunset: undefined,
  // Standard Webhooks recommends 15 to 30 seconds to senders.
  answerWithinMs: 15_000,
  // A small site, perhaps: as gentle as the queue can be.
  reads: { maxConcurrentCalls: 2 },
  // stock.schema.json: the store compares, and takes a hundred at once.
  stock: { compare: 'atomic', batch: 100, maxConcurrentCalls: 2 },
  settings: z.strictObject({
    url: PeerUrl.meta({
      description:
        'Where the store offers its orders for reading, and takes stock and prices, e.g. https://www.acme.example/api/waybill',
    }),
  }),
  credentials: z.strictObject({
    webhookSecrets: z
      .array(SigningKey)
      .min(1)
      .max(2)
      .meta({ description: 'What webhooks are signed with; two while one replaces the other' }),
    apiToken: z
      .string()
      .regex(/^[\x21-\x7e]{16,}$/, 'must have 16 characters or more, without blanks')
      .optional()
      .meta({
        description:
          'Bearer token that the store asks for when its orders are read, and stock and prices written',
      }),
  }),
});

export type CustomStoreSettings = z.infer<typeof manifest.settings>;
export type CustomStoreCredentials = z.infer<typeof manifest.credentials>;
