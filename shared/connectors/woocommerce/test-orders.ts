import * as z from 'zod';
import { RetryableError, UnknownOutcomeError } from '../../core/errors.ts';
import { RequiredId } from '../../core/wire-schema.ts';
import { jsonOf } from '../../http/json.ts';
import type { TestOrders } from '../stock-contract.ts';
import type { StockSession } from './listings.ts';
import { errorCode, isMissing } from './rest.ts';
import { WooCommerceRef } from './stock-wire.ts';
import { TEST_MARK } from './wire.ts';

/**
 * Orders over the REST API. `on-hold` takes the piece off the shop's stock and records no payment, as `processing` would;
 * `cancelled` puts it back (woocommerce/woocommerce, wc-stock-functions.php; class-wc-order.php, maybe_set_date_paid).
 * Without a billing address there is no buyer whom WooCommerce could send a mail.
 */
export const testOrders = (session: StockSession): TestOrders => ({
  place: async (listing, call) => {
    const ref = WooCommerceRef.parse(listing.ref);
    const product = ref.parent
      ? { product_id: Number(ref.parent), variation_id: Number(ref.id) }
      : { product_id: Number(ref.id) };
    const order = {
      status: 'on-hold',
      set_paid: false,
      payment_method_title: 'Waybill stock test',
      billing: { first_name: 'Waybill', last_name: 'Stock test' },
      line_items: [{ ...product, quantity: 1 }],
      meta_data: [{ key: TEST_MARK, value: 'yes' }],
    };
    return session.ask(async (rest) => {
      const response = await rest.post('/orders', order, call);
      if (response.status >= 400) throw refusal(session.peer, response.status, errorCode(response));
      const placed = Placed.safeParse(jsonOf(response.text));
      if (placed.success) return placed.data.id;
      const message = `${session.peer}: HTTP ${response.status}, and no order in the answer`;
      throw new UnknownOutcomeError('ANSWER_NOT_UNDERSTOOD', message, { status: response.status });
    });
  },
  cancel: (orderId, call) =>
    session.ask(async (rest) => {
      const path = `/orders/${encodeURIComponent(orderId)}`;
      const response = await rest.post(path, { status: 'cancelled' }, call);
      if (isMissing(response)) return;
      if (response.status >= 400) throw refusal(session.peer, response.status, errorCode(response));
    }),
});

const refusal = (peer: string, status: number, code = 'without an error of WooCommerce'): RetryableError =>
  new RetryableError('SHOP_REFUSED', `${peer}: HTTP ${status} ${code}`, { status });

const Placed = z.object({ id: RequiredId });
