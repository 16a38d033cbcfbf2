import Big from 'big.js';
import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import type { StockCount } from '../stock-contract.ts';
import type { TrytonCall, TrytonClient } from './client.ts';
import { Id } from './json.ts';

export interface TrytonAdjustment extends StockCount {
  readonly destination: string;
  readonly companyId: number;
  readonly warehouseId: number;
  readonly product: number;
  /** On hand in the whole warehouse, in pieces, as it was read just now. */
  readonly before: number;
  /** Of the product's default unit in one piece. */
  readonly perPiece: Big;
}

const operation = { what: 'adjust-stock' } as const;

/**
 * `ErpStock.adjust`: an inventory of what lies in the warehouse's storage zone, confirmed, which makes the movement (observed
 * on Tryton 6.0). Pieces in other zones stay where they are.
 */
export const adjustStock = async (
  client: TrytonClient,
  { destination, companyId, warehouseId, product, before, perPiece, onHand }: TrytonAdjustment,
  call: TrytonCall,
): Promise<void> => {
  const refused = (words: string) =>
    new PermanentError('ERP_REFUSED', { destination, operation, error: { why: 'words', words } });
  if (onHand === before) return;
  const [warehouse] = await client.searchRead(
    'stock.location',
    { domain: [['id', '=', warehouseId]], fields: ['storage_location'] },
    Warehouse,
    call,
  );
  const location = warehouse?.storage_location;
  if (!location) throw refused('the warehouse has no storage zone');
  const context = { ...call.context, locations: [location], with_childs: true };
  const [stored] = await client.searchRead(
    'product.product',
    { domain: [['id', '=', product]], fields: ['quantity'] },
    Stored,
    { ...call, context },
  );
  const counted = new Big(onHand)
    .minus(before)
    .times(perPiece)
    .plus(stored?.quantity ?? 0);
  if (counted.lt(0)) throw refused('fewer pieces lie in the storage zone than would have to be taken away');
  const inventory = await client.create(
    'stock.inventory',
    { location, company: companyId, lines: [['create', [{ product, quantity: counted.toNumber() }]]] },
    operation,
    call,
  );
  await client.press('stock.inventory', 'confirm', [inventory], operation, call);
  const [after] = await client.searchRead(
    'stock.inventory',
    { domain: [['id', '=', inventory]], fields: ['state'] },
    Inventory,
    call,
  );
  if (after?.state !== 'done') throw refused('the inventory was not confirmed');
};

const Warehouse = z.looseObject({ id: Id, storage_location: Id.nullable() });
const Stored = z.looseObject({ id: Id, quantity: z.number() });
const Inventory = z.looseObject({ id: Id, state: z.string() });
