import { PermanentError, RetryableError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import type { OdooClient } from './client.ts';

/**
 * Asks for the user's own settings: a method that every user may call, that names no record, and for which either
 * dialect checks key and database. The version and the user's id are known by then.
 */
export const testConnection = async (
  client: OdooClient,
  connection: string,
  call: CallContext,
): Promise<string> => {
  try {
    await client.userLanguage(call);
    return `Odoo ${await client.version(call)}, user ${await client.userId(call)}`;
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    // A module of the merchant's own that refuses it to this user: nothing else will work either.
    throw new RetryableError(
      'PEER_FAILED',
      `${connection} refused its connection test`,
      {},
      { cause: error },
    );
  }
};
