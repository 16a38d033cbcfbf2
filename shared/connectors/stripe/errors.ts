import Stripe from 'stripe';
import { CredentialsError, IntegrationError, RetryableError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import { retryAfterMs } from '../../http/fetch-json.ts';

const { StripeError, StripeConnectionError, StripeInvalidRequestError } = Stripe.errors;

/** There is no such object, or not for this key: a test key sees nothing of live payments. */
export const isMissing = (error: unknown): boolean =>
  error instanceof StripeInvalidRequestError && error.code === 'resource_missing';

/**
 * In our words. Stripe's own message is left out: it may quote a part of the key, or what was sent.
 * Meanings: docs.stripe.com/api/errors.
 */
export const failureOf = (error: unknown, { signal }: CallContext, nowMs: number): unknown => {
  if (error instanceof IntegrationError) return error;
  if (signal.aborted) {
    return new RetryableError(
      'PEER_TIMEOUT',
      'Stripe did not answer before time ran out',
      {},
      { cause: error },
    );
  }
  if (error instanceof StripeConnectionError) {
    return new RetryableError(
      'PEER_UNREACHABLE',
      'Stripe cannot be reached, or did not answer',
      {},
      { cause: error },
    );
  }
  if (!(error instanceof StripeError)) return error;
  const { statusCode: status = 0, code, type, headers } = error;
  const message = `Stripe answered HTTP ${status} (${code ?? type})`;
  if (status === 401 || status === 403)
    return new CredentialsError('CREDENTIALS_REFUSED', message, { status });
  const hintMs = retryAfterMs(headers?.['retry-after'], nowMs);
  const context = { status, ...(hintMs !== undefined && { retryAfterMs: hintMs }) };
  if (status === 429 || code === 'rate_limit') return new RetryableError('RATE_LIMITED', message, context);
  return new RetryableError(status >= 500 ? 'PEER_FAILED' : 'UNEXPECTED_ANSWER', message, context);
};
