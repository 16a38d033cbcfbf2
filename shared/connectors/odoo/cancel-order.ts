import { PermanentError } from '../../core/errors.ts';
import type { CallContext } from '../../core/ports.ts';
import type { OrderRoute } from '../../settings/order-route.ts';
import type { PeerDocument } from '../contract.ts';
import { inCompany, type OdooOrdersOptions } from './connection.ts';
import { editedInErp, fingerprintOf, isCancelled, readHeld, tooLate, tooLateToCancel } from './sale-order.ts';

/** `ErpOrderChanges.cancel`. Its open deliveries are cancelled with it, so its stock is free again (observed on 18). */
export const cancelOrder = async (
  { client, master, destination }: OdooOrdersOptions,
  doc: PeerDocument,
  asLeft: string | undefined,
  route: OrderRoute,
  { signal }: CallContext,
): Promise<void> => {
  const company = route.company === undefined ? undefined : await master.company(route.company, { signal });
  const call = inCompany(signal, company?.id);
  const id = Number(doc.id);
  const held = await readHeld(client, master, id, call);
  // Whoever deleted it has taken it back more thoroughly than we would.
  if (!held || isCancelled(held.order)) return;
  // Odoo would cancel these, too (observed on 16 to 19).
  const because = tooLateToCancel(held);
  if (because) throw tooLate(held, 'cancelled', because, destination);
  if (asLeft !== undefined && fingerprintOf(held) !== asLeft) throw editedInErp(held, destination);

  const operation = { what: 'cancel-order', document: held.order.name } as const;
  // Without it 16 to 18 answer with a wizard and cancel nothing (observed).
  const context = { ...call.context, disable_cancel_warning: true };
  await client.act('sale.order', 'action_cancel', [id], operation, { ...call, context });
  const after = await readHeld(client, master, id, call);
  if (after && !isCancelled(after.order)) {
    throw new PermanentError('ERP_REFUSED', { destination, operation, error: { why: 'asked-a-question' } });
  }
};
