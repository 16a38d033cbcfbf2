import { outboxRow, send } from '../../../shared/connectors/custom-store/example-sender.ts';
import { type FakeStoreOrderSpec, startFakeCustomStore } from '../../../test/fakes/custom-store.ts';
import type { PlacedOrder, SandboxStorefront } from './peer.ts';
import { PRODUCTS, STOCK } from './products.ts';

const SECRET = `whsec_${Buffer.from('sandbox-webhook-signing-key-0001').toString('base64')}`;
const API_TOKEN = 'sandbox-api-token';

/** A site of the merchant's own, prices in EUR with 19 % tax, that signs as Standard Webhooks asks. */
export const sandboxCustomStore = async (): Promise<SandboxStorefront> => {
  const store = await startFakeCustomStore({
    apiToken: API_TOKEN,
    currency: 'EUR',
    pricesIncludeTax: true,
    taxes: [{ key: 'de-19', title: 'MwSt. 19 %', percent: '19' }],
    products: PRODUCTS.map(({ sku, name, EUR }) => ({
      sku,
      title: name,
      price: EUR.toFixed(2),
      kind: 'goods',
      stock: STOCK,
    })),
  });
  // Taken before the webhook was there: it waits in the outbox, for the sender that merchants copy.
  const waiting = store.placeOrder(WAITING);
  const row = outboxRow('order.created', waiting);
  let webhookUrl = '';
  const sendWaiting = async () => {
    const { outcome, status, reason } = await send(webhookUrl, SECRET, row);
    if (outcome !== 'taken') throw new Error(`the example sender was not heard: ${reason ?? status}`);
  };
  return {
    id: 'sandbox-store',
    url: store.url,
    secrets: { webhookSecrets: [SECRET], apiToken: API_TOKEN },
    taxes: [{ key: 'de-19', percent: 19 }],
    connect: async (deliveryUrl) => {
      webhookUrl = deliveryUrl;
      store.registerWebhook({ deliveryUrl, secret: SECRET });
    },
    placeOrders: async () => {
      await sendWaiting();
      const orders = [waiting, ...ORDERS.map((spec) => store.placeOrder(spec))];
      return orders.map(({ id }): PlacedOrder => ({ orderId: id, expect: 'written' }));
    },
    shows: (sku) => store.listing(sku).quantity ?? undefined,
    replay: async () => {
      await store.settled();
      const count = store.deliveries.length;
      for (let index = 0; index < count; index += 1) await store.redeliver(index);
      await sendWaiting();
      return count + 1;
    },
    stop: () => store.stop(),
  };
};

const KOELN = { name: 'Käthe Beispiel', line1: 'Domplatz 1', city: 'Köln', postcode: '50667', country: 'DE' };

const WAITING: FakeStoreOrderSpec = {
  lines: [{ sku: 'MUG-TH-01', quantity: 2 }],
  shipping: { method: 'dhl', title: 'DHL Paket', total: '4.76' },
  payment: { state: 'paid', kind: 'online', method: 'stripe', reference: 'pi_sandbox_store_1' },
  buyer: { id: 'cus_1', email: 'kaethe@example.test', name: 'Käthe Beispiel', locale: 'de-DE' },
  address: KOELN,
};

/** A discount, a fee and a tip, a company with a tax number, a pre-order. */
const ORDERS: readonly FakeStoreOrderSpec[] = [
  {
    lines: [
      { sku: 'TEE-M-NAVY', quantity: 2, discount: '7.00' },
      { sku: 'TEA-OOL-150', quantity: 3 },
    ],
    shipping: { method: 'dhl', title: 'DHL Paket', total: '4.90' },
    charges: [{ kind: 'fee', title: 'Geschenkverpackung', total: '3.50' }],
    buyer: {
      id: 'cus_2',
      email: 'einkauf@example.test',
      name: 'Peter Muster',
      company: 'Muster AG',
      taxNumber: 'DE987654321',
    },
    address: { ...KOELN, name: 'Peter Muster', company: 'Muster AG' },
    more: { discounts: [{ code: 'SOMMER', amount: '7.00' }], buyerNote: 'Bitte zwei Kartons' },
  },
  {
    lines: [{ sku: 'CUP-JP-02', quantity: 7 }],
    shipping: { method: 'pickup', title: 'Abholung', total: '0.00' },
    buyer: { id: 'cus_1', email: 'kaethe@example.test', name: 'Käthe Beispiel', locale: 'de-DE' },
    address: KOELN,
  },
];
