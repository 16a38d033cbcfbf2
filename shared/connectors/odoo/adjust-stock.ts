import * as z from 'zod';
import { PermanentError } from '../../core/errors.ts';
import type { StockCount } from '../stock-contract.ts';
import type { OdooCall, OdooClient } from './client.ts';

export interface OdooAdjustment extends StockCount {
  readonly destination: string;
  readonly product: number;
  /** Its stock location. */
  readonly location: number;
  /** On hand in the whole warehouse, as it was read just now. */
  readonly before: number;
}

const operation = { what: 'adjust-stock' } as const;

/**
 * `ErpStock.adjust`: a count of what lies in the warehouse's stock location, without lot, package and owner, and the movement
 * that Odoo makes of it (odoo/odoo, addons/stock/models/stock_quant.py, action_apply_inventory; 15 and later). Pieces on
 * other shelves stay where they are.
 */
export const adjustStock = async (
  client: OdooClient,
  { destination, product, location, before, onHand, reason }: OdooAdjustment,
  call: OdooCall,
): Promise<void> => {
  const refused = (why: 'asked-a-question' | 'too-few') =>
    new PermanentError('ERP_REFUSED', {
      destination,
      operation,
      error:
        why === 'too-few'
          ? { why: 'words', words: 'fewer pieces lie in the stock location than would have to be taken away' }
          : { why },
    });
  if (onHand === before) return;
  const [quant] = await client.searchRead(
    'stock.quant',
    {
      domain: [
        ['product_id', '=', product],
        ['location_id', '=', location],
        ['lot_id', '=', false],
        ['package_id', '=', false],
        ['owner_id', '=', false],
      ],
      fields: ['quantity'],
      order: 'id asc',
      limit: 1,
    },
    Quant,
    call,
  );
  const counted = (quant?.quantity ?? 0) + onHand - before;
  if (counted < 0) throw refused('too-few');
  // Without it nobody may write quants, whatever their rights.
  const counting = { ...call, context: { ...call.context, inventory_mode: true, inventory_name: reason } };
  const values = { inventory_quantity: counted };
  if (quant) await client.write('stock.quant', [quant.id], values, operation, counting);
  const id =
    quant?.id ??
    (await client.create(
      'stock.quant',
      { product_id: product, location_id: location, ...values },
      operation,
      counting,
    ));
  // A wizard: somebody counts the same product, or it has lots.
  const answer = await client.act('stock.quant', 'action_apply_inventory', [id], operation, counting);
  if (answer !== undefined && answer !== null && typeof answer === 'object')
    throw refused('asked-a-question');
};

const Quant = z.looseObject({ id: z.int(), quantity: z.number() });
