import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type * as z from 'zod';
import { CredentialsError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';

/** A rotated secret is used after five minutes at the latest, or at once after a 401. */
const KEEP_MS = 5 * 60_000;

/**
 * The connection's credentials, read from Secrets Manager and checked against the connector's schema.
 * @throws CredentialsError missing or malformed; names the fields, never a value
 */
export const secretReader = <S extends z.ZodObject>(
  client: SecretsManagerClient,
  secretId: string,
  schema: S,
  nowMs: Clock,
): ((fresh?: boolean) => Promise<z.output<S>>) => {
  let cached: { value: z.output<S>; untilMs: number } | undefined;
  return async (fresh = false) => {
    if (cached && !fresh && cached.untilMs > nowMs()) return cached.value;
    const { SecretString } = await client
      .send(new GetSecretValueCommand({ SecretId: secretId }))
      .catch((error: unknown) => {
        // Also what a secret without a value answers, as every secret is until somebody sets it.
        if (!(error instanceof ResourceNotFoundException)) throw error;
        throw new CredentialsError('SECRET_MISSING', `secret ${secretId} has no value`, {}, { cause: error });
      });
    const parsed = schema.safeParse(parseJson(SecretString));
    if (!parsed.success) {
      const fields = parsed.error.issues.map((issue) => issue.path.join('.') || '(whole)').join(', ');
      throw new CredentialsError(
        'SECRET_MALFORMED',
        `secret ${secretId} does not fit its schema at: ${fields}`,
      );
    }
    cached = { value: parsed.data, untilMs: nowMs() + KEEP_MS };
    return parsed.data;
  };
};

const parseJson = (text: string | undefined): unknown => {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
};
