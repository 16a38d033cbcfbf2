import { PermanentError, RetryableError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import type { TrytonClient } from './client.ts';

/** Asks for the user's own settings: every user may, and Tryton looks at session and database first. */
export const testConnection = async (
  client: TrytonClient,
  connection: string,
  call: CallContext,
): Promise<string> => {
  try {
    const { company } = await client.preferences(call);
    return `Tryton ${await client.version(call)}, company ${company ?? 'none'}`;
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    throw new RetryableError(
      'PEER_FAILED',
      `${connection} refused its connection test`,
      {},
      { cause: error },
    );
  }
};
