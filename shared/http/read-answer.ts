import type * as z from 'zod';
import { RetryableError } from '../core/errors.ts';
import type { FetchJsonResponse } from './fetch-json.ts';
import { firstProblem, jsonOf } from './json.ts';

/**
 * What a read was answered with, as the schema says.
 * @param peer host, for the message
 * @param errorCode the peer's own word for what went wrong, where it is known
 * @throws RetryableError ANSWER_NOT_UNDERSTOOD: a cache, a firewall, a proxy or a plug-in answered instead
 */
export const readAnswer = <T>(
  response: FetchJsonResponse,
  schema: z.ZodType<T>,
  { peer, errorCode }: { readonly peer: string; readonly errorCode?: string | undefined },
): T => {
  const { status, headers, text } = response;
  const parsed = schema.safeParse(status === 200 ? jsonOf(text) : undefined);
  if (parsed.success) return parsed.data;
  const what =
    status === 200
      ? firstProblem(parsed.error)
      : status >= 300 && status < 400
        ? `redirects to ${originOf(headers.get('location'))}: correct "url" of the connection`
        : `HTTP ${status} ${errorCode ?? 'without an error of the peer'}`;
  throw new RetryableError('ANSWER_NOT_UNDERSTOOD', `${peer}: ${what}`, { status });
};

const originOf = (location: string | null): string =>
  URL.canParse(location ?? '') ? new URL(location ?? '').origin : 'elsewhere';
