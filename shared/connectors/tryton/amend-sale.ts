import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { BoundedCache } from '../../core/bounded-cache.ts';
import type { TrytonCall, TrytonClient } from './client.ts';
import { decimal } from './json.ts';
import { nameOf, type Sale, type SaleLine, taxesOf } from './sale.ts';
import type { SaleLineValues, SaleValues } from './wire.ts';

/** Whether this Tryton has the module `sale_amendment`. */
export const hasAmendments = async (
  client: TrytonClient,
  cache: BoundedCache,
  call: TrytonCall,
): Promise<boolean> =>
  (await cache.get('amendments', async () => {
    const fields = await client.ask(
      'sale.sale',
      'fields_get',
      [['amendments']],
      z.record(z.string(), z.unknown()),
      call,
    );
    return 'amendments' in fields;
  })) ?? false;

/** What a processed sale must become. */
export interface Amendment {
  readonly changed: readonly { readonly line: SaleLine; readonly values: SaleLineValues | undefined }[];
  readonly added: readonly SaleLineValues[];
  /** undefined: parties and addresses stay. */
  readonly header: Pick<SaleValues, 'party' | 'invoice_address' | 'shipment_address'> | undefined;
}

const OURS = 'Waybill ';

/** How our amendment that leads to these values is called: after a crash it is found by that. */
export const amendmentName = (values: SaleValues, step: 'lines' | 'rounding' = 'lines'): string => {
  const { lines, party, invoice_address, shipment_address } = values;
  const target = JSON.stringify([step, lines, party, invoice_address, shipment_address]);
  return `${OURS}${createHash('sha256').update(target).digest('hex').slice(0, 16)}`;
};

export const openAmendment = (sale: Sale, name: string): number | undefined =>
  sale['amendments.']?.find(({ state, description }) => state === 'draft' && description === name)?.id;

/**
 * Changes a processed sale as Tryton's module `sale_amendment` does: what was made of it and is untouched is made anew.
 * The amendment is written first and applied last, so that its name tells the next attempt what is under way.
 */
export const amendSale = async (
  client: TrytonClient,
  sale: Sale,
  { changed, added, header }: Amendment,
  name: string,
  call: TrytonCall,
): Promise<void> => {
  const operation = { what: 'change-order', document: nameOf(sale) } as const;
  let id = openAmendment(sale, name);
  if (id === undefined) {
    // Of edits that the shop took back before they were applied.
    const stale = (sale['amendments.'] ?? []).filter(
      ({ state, description }) => state === 'draft' && description.startsWith(OURS),
    );
    if (stale.length > 0) {
      const ids = stale.map((amendment) => amendment.id);
      await client.press('sale.amendment', 'delete', ids, operation, call);
    }
    const lines = [
      ...changed.map(({ line, values }) => ({
        action: 'line',
        line: line.id,
        product: line.product,
        unit: values?.unit ?? line.unit,
        quantity: values?.quantity ?? 0,
        unit_price: values?.unit_price ?? decimal(line.unit_price ?? '0'),
        description: values?.description ?? line.description,
      })),
      ...(header ? [{ action: 'party', ...header, shipment_party: null }] : []),
    ];
    const values = { sale: sale.id, description: name, lines: [['create', lines]] };
    id = await client.create('sale.amendment', values, operation, call);
  }
  // An amendment changes lines and adds none; the amounts are those of all lines when it is applied (observed on 6.0).
  if (added.length > 0) {
    await client.write('sale.sale', [sale.id], { lines: [['create', added]] }, operation, call);
  }
  await client.press('sale.amendment', 'validate_amendment', [id], operation, call);
};

/** The changes that lead from lines that are there to lines that are wanted; lines that are equal are in neither. */
export const lineChanges = (
  surplus: readonly SaleLine[],
  missing: readonly SaleLineValues[],
  zeroed: readonly SaleLine[],
): Pick<Amendment, 'changed' | 'added'> => {
  const added = [...missing];
  /** An amendment leaves the taxes of a line as they are. */
  const take = (line: SaleLine): SaleLineValues | undefined => {
    const index = added.findIndex((values) => values.product === line.product && sameTaxes(line, values));
    return index < 0 ? undefined : added.splice(index, 1)[0];
  };
  const kept = surplus.map((line) => ({ line, values: take(line) }));
  const revived = zeroed.map((line) => ({ line, values: take(line) })).filter(({ values }) => values);
  return { changed: [...kept, ...revived], added };
};

const sameTaxes = (line: SaleLine, values: SaleLineValues): boolean =>
  String([...line.taxes].sort((a, b) => a - b)) === String(taxesOf(values).sort((a, b) => a - b));
