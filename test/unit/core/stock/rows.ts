import { type Claim, claimId, type Demand, type StockRow } from '../../../../shared/core/stock/rows.ts';
import { StockRoute } from '../../../../shared/settings/stock-route.ts';

export const ERP = 'acme-odoo';

export const aRoute = (rest: Record<string, unknown> = {}): StockRoute =>
  StockRoute.parse({ from: ERP, to: ['north', 'south', 'east'], policy: 'shared', ...rest });

export const aRow = (rest: Partial<StockRow> = {}): StockRow => ({
  erp: ERP,
  sku: 'TEA',
  version: 1,
  levels: { WH: { onHand: 10, free: 10, asOfMs: 1_000 } },
  demand: {},
  claims: {},
  sold: {},
  ...rest,
});

export const aDemand = (quantity: number, rest: Partial<Demand> = {}): Demand => ({
  quantity,
  by: { TEA: quantity },
  sourceVersion: 1,
  placedAtMs: 2_000,
  ...rest,
});

export const aClaim = (shop: string, rest: Partial<Claim> = {}): Claim => ({
  shop,
  location: 'default',
  listing: 'TEA',
  per: 1,
  bound: 0,
  want: 0,
  setAtMs: 0,
  ...rest,
});

export const claimsOf = (...claims: readonly Claim[]): Record<string, Claim> =>
  Object.fromEntries(claims.map((claim) => [claimId(claim.shop, claim.location, claim.listing), claim]));
