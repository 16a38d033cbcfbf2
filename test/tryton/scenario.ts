import type { OrderTax } from '../../shared/events/order-changed.ts';
import { anOrder } from '../fakes/orders.ts';
import { type ConnectOptions, connectTo } from '../unit/tryton/harness.ts';
import { SEED } from './seed.ts';

const twd = (minor: number) => ({ minor, currency: 'TWD' });

/** Everything that the connector says to a Tryton, once: what is recorded, and what the fake is compared with. */
export const playScenario = async (
  at: Pick<ConnectOptions, 'url' | 'database' | 'secrets'>,
  begin: (step: string) => void,
): Promise<void> => {
  const shop = connectTo({
    ...at,
    rows: [
      ['tax', '1', '5%'],
      ['payment', 'stripe', SEED.paymentTerm],
    ],
  });
  begin('test');
  await shop.test(shop.context);
  begin('order');
  const order = anOrder();
  const { completed, document } = await shop.push(order);
  begin('again');
  await shop.push(order);
  begin('edit');
  const [tea] = order.lines;
  const [tax] = tea?.taxes ?? [];
  if (!tea || !tax) throw new Error('the order has taxed lines');
  const taxes: OrderTax[] = [{ ...tax, amount: twd(6300) }];
  const lines = [{ ...tea, quantity: 3, subtotal: twd(126000), total: twd(126000), taxes }];
  const edited = { ...order, lines, tax: twd(6600), total: twd(138600) };
  await shop.push(edited, 'confirm', completed.fingerprint);
  begin('refund');
  await shop.giveBack(order, document.id, { id: '7', total: twd(1000) });
  begin('cancel');
  const other = await shop.push(anOrder({ orderId: '1002', orderNumber: '1002' }));
  const { fingerprint } = other.completed;
  await shop.changes().cancel(other.document, fingerprint, shop.route, shop.context);
  begin('reserve');
  await shop.push(anOrder({ orderId: '1003', orderNumber: '1003' }), 'reserve');
};
