import { CredentialsError } from '../core/errors.ts';

/**
 * Work with the cached credentials; when they are refused or missing, once more with the secret as it is now: it
 * may have been rotated, or mended, since it was read.
 * @throws what `work` throws, CredentialsError only the second time
 */
export const withFreshCredentials = async <C, T>(
  credentials: (fresh?: boolean) => Promise<C>,
  work: (credentials: C) => Promise<T>,
): Promise<T> => {
  try {
    return await work(await credentials());
  } catch (error) {
    if (!(error instanceof CredentialsError)) throw error;
    return work(await credentials(true));
  }
};
