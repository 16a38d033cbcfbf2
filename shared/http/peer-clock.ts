import { RetryableError } from '../core/errors.ts';
import type { FetchJsonResponse } from './fetch-json.ts';

/**
 * What the peer's clock shows, to the second (RFC 9110, 6.6.1: the moment at which the answer was made). A proxy in
 * between may state its own.
 * @throws RetryableError ANSWER_NOT_UNDERSTOOD the answer has no date, or is none of the peer
 */
export const peerClock = (
  { status, headers }: Pick<FetchJsonResponse, 'status' | 'headers'>,
  peer: string,
): number => {
  const atMs = Date.parse(headers.get('date') ?? '');
  if (status === 200 && !Number.isNaN(atMs)) return atMs;
  throw new RetryableError('ANSWER_NOT_UNDERSTOOD', `${peer}: HTTP ${status}, or without its date`, {
    status,
  });
};
