import type { BoundedCache } from '../../core/bounded-cache.ts';
import type { PeerDocument } from '../contract.ts';
import type { OdooCall, OdooClient } from './client.ts';
import type { MasterData } from './master-data.ts';
import type { ResolvePorts } from './resolve.ts';
import type { OdooOrderWire } from './wire.ts';

/** One Odoo, as everything about orders uses it. */
export interface OdooOrdersOptions {
  readonly destination: string;
  readonly url: string;
  readonly client: OdooClient;
  readonly master: MasterData;
  readonly cache: BoundedCache;
  readonly resolve: ResolvePorts;
}

export const inCompany = (signal: AbortSignal, companyId: number | undefined): OdooCall => ({
  signal,
  ...(companyId !== undefined && { context: { allowed_company_ids: [companyId] } }),
});

export const callOf = (
  wire: Pick<OdooOrderWire, 'companyChosen' | 'companyId'>,
  signal: AbortSignal,
): OdooCall => inCompany(signal, wire.companyChosen ? wire.companyId : undefined);

/** 18 leads this address on to /odoo/sales/<id>. */
export const documentOf = (
  url: string,
  model: 'sale.order' | 'account.move' | 'account.payment',
  id: number,
  name: string | undefined,
): PeerDocument => ({ id: String(id), name, url: `${url}/web#id=${id}&model=${model}&view_type=form` });
