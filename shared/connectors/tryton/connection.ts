import type { BoundedCache } from '../../core/bounded-cache.ts';
import type { PeerDocument } from '../contract.ts';
import type { TrytonCall, TrytonClient } from './client.ts';
import type { MasterData } from './master-data.ts';
import type { ResolvePorts } from './resolve.ts';

/** One Tryton, as everything about orders uses it. */
export interface TrytonOrdersOptions {
  readonly destination: string;
  readonly url: string;
  readonly database: string;
  readonly client: TrytonClient;
  readonly master: MasterData;
  readonly cache: BoundedCache;
  readonly resolve: ResolvePorts;
}

export const inCompany = (signal: AbortSignal, company: number): TrytonCall => ({
  signal,
  context: { company },
});

/** Opens it in the web client (sao: `#<database>/model/<model>/<id>`). */
export const documentOf = (
  { url, database }: Pick<TrytonOrdersOptions, 'url' | 'database'>,
  id: number,
  number: string | undefined,
  model: 'sale.sale' | 'account.move' = 'sale.sale',
): PeerDocument => ({
  id: String(id),
  name: number || undefined,
  url: `${url}/#${encodeURIComponent(database)}/model/${model}/${id}`,
});
