import { PermanentError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { PeerDocument } from '../contract.ts';
import { inCompany, type TrytonOrdersOptions } from './connection.ts';
import { editedInErp, fingerprintOf, isCancelled, nameOf, readSale, tooLate, tooLateFor } from './sale.ts';

/**
 * `ErpOrderChanges.cancel`. What is not processed is cancelled. Of what is, its shipments and draft invoices are
 * cancelled, and Tryton is told not to make them anew: the sale is then done, and its stock is free (observed on 6.0).
 */
export const cancelOrder = async (
  { client, master, destination }: TrytonOrdersOptions,
  doc: PeerDocument,
  asLeft: string | undefined,
  route: OrderRoute,
  { signal }: CallContext,
): Promise<void> => {
  const company = await master.company(route.company, { signal });
  const call = inCompany(signal, company.id);
  const id = Number(doc.id);
  const read = () => readSale(client, id, call);
  let sale = await read();
  // Whoever deleted it has taken it back more thoroughly than we would.
  if (!sale || isCancelled(sale)) return;
  const because = tooLateFor(sale);
  if (because) throw tooLate(sale, 'cancelled', because, destination);
  if (asLeft !== undefined && fingerprintOf(sale) !== asLeft) throw editedInErp(sale, destination);

  const operation = { what: 'cancel-order', document: nameOf(sale) } as const;
  const press = (model: string, button: string, ids: readonly number[]) =>
    ids.length === 0 ? Promise.resolve() : client.press(model, button, ids, operation, call);
  const live = (documents: readonly { readonly id: number; readonly state: string }[]) =>
    documents.filter(({ state }) => state !== 'cancelled').map((document) => document.id);
  const ignore = (name: string, ask: object) =>
    client.wizard(name, { state: 'handle', data: { ask }, model: 'sale.sale', id }, operation, call);

  if (sale.state === 'processing' || sale.state === 'done') {
    await press('stock.shipment.out', 'cancel', live(sale['shipments.']));
    await press('account.invoice', 'cancel', live(sale['invoices.']));
    sale = (await read()) ?? sale;
    if (sale.shipment_state === 'exception') {
      const moves = sale['shipments.'].flatMap(({ outgoing_moves }) => outgoing_moves);
      await ignore('sale.handle.shipment.exception', { domain_moves: moves, recreate_moves: [] });
    }
    if (sale.invoice_state === 'exception') {
      const invoices = sale['invoices.'].map((invoice) => invoice.id);
      await ignore('sale.handle.invoice.exception', { domain_invoices: invoices, recreate_invoices: [] });
    }
  } else {
    if (sale.state === 'confirmed') await press('sale.sale', 'draft', [id]);
    await press('sale.sale', 'cancel', [id]);
  }
  // What the state of a record does not allow is ignored silently.
  const after = await read();
  if (after && !isCancelled(after)) {
    throw new PermanentError('ERP_REFUSED', { destination, operation, error: { why: 'asked-a-question' } });
  }
};
