import type { FastifyRequest } from 'fastify';
import { type OdooCredentials, type OdooSettings, odoo } from '../../../shared/connectors/odoo/index.ts';
import { startFakeOdoo } from '../../fakes/odoo.ts';
import { mappingsOf, SHOP } from '../../unit/odoo/harness.ts';
import type { ErpTestbed } from '../erp.suite.ts';

const READS = ['search', 'search_read', 'search_count', 'read', 'fields_get', 'context_get'];

/** The method of a model that a request calls; undefined: none, it asks for the version or logs in. */
const methodIn = (request: FastifyRequest): string | undefined => {
  if (request.url.startsWith('/json/2/')) return request.url.split('/').at(-1);
  if (request.url !== '/jsonrpc') return undefined;
  const { params } = JSON.parse(String(request.body)) as { params: { service: string; args: unknown[] } };
  return params.service === 'object' ? String(params.args[4]) : undefined;
};

const EXCEPTION = {
  name: 'odoo.exceptions.ValidationError',
  message: 'A field is wrong.',
  arguments: ['A field is wrong.'],
  context: {},
  debug: '',
};

export const odooTestbed = (version: 16 | 17 | 18 | 19): ErpTestbed<OdooSettings, OdooCredentials> => ({
  title: String(version),
  connector: odoo,
  settings: (url) => ({ url, database: SHOP.database }),
  credentials: { login: SHOP.login, apiKey: SHOP.apiKey },
  changes: true,
  mappings: mappingsOf([
    ['tax', '1', '5%'],
    ['journal', 'stripe', 'STRP'],
    ['journal', 'gone', 'NOT-THERE'],
  ]),
  start: async () => {
    const fake = await startFakeOdoo({ ...SHOP, version });
    return {
      url: fake.url,
      server: fake.server,
      isWrite: (request) => {
        const method = methodIn(request);
        return method !== undefined && !READS.includes(method);
      },
      refusal:
        version >= 19
          ? { status: 422, body: JSON.stringify(EXCEPTION) }
          : {
              status: 200,
              body: JSON.stringify({
                jsonrpc: '2.0',
                id: 1,
                error: { code: 200, message: 'Odoo Server Error', data: EXCEPTION },
              }),
            },
      orders: () =>
        fake.orders().map(({ id, client_order_ref, state, amount_total, date_order }) => ({
          id: String(id),
          reference: client_order_ref || '',
          isConfirmed: state === 'sale' || state === 'done',
          isCancelled: state === 'cancel',
          total: String(amount_total),
          placedAt: `${date_order.replace(' ', 'T')}Z`,
          lines: fake
            .records('sale.order.line')
            .filter((line) => line['order_id'] === id)
            .map((line) =>
              ['product_id', 'product_uom_qty', 'price_unit', 'discount'].map((f) => line[f]).join(' '),
            ),
        })),
      customers: () => fake.records('res.partner').filter((partner) => !partner['parent_id']).length,
      enterByHand: (reference) => {
        const partner_id = fake.call('res.partner', 'create', [{ name: 'By hand' }]);
        fake.call('sale.order', 'create', [{ partner_id, client_order_ref: reference }]);
      },
      changes: {
        editByHand: (id) => {
          const line = fake.records('sale.order.line').find((each) => each['order_id'] === Number(id));
          fake.call('sale.order.line', 'write', [[line?.id], { product_uom_qty: 9 }]);
        },
        deliver: (id) => {
          for (const line of fake.records('sale.order.line')) {
            if (line['order_id'] !== Number(id)) continue;
            fake.call('sale.order.line', 'write', [[line.id], { qty_delivered: line['product_uom_qty'] }]);
          }
        },
        closeBooks: () => {
          const lock = (day: string | false) =>
            fake.call('res.company', 'write', [[1], { fiscalyear_lock_date: day }]);
          lock('2099-12-31');
          return () => void lock(false);
        },
        creditNotes: () =>
          fake.records('account.move').map(({ id, ref, amount_total, state }) => ({
            id: String(id),
            reference: String(ref),
            total: String(amount_total),
            isPosted: state === 'posted',
          })),
      },
      payments: () =>
        fake.records('account.payment').map((payment) => ({
          id: String(payment.id),
          text: [payment['ref'], payment['memo'], payment['payment_reference']].join(' '),
          direction: payment['payment_type'] === 'inbound' ? 'in' : 'out',
          amount: Number(payment['amount']),
          day: String(payment['date']),
          isPosted: ['posted', 'in_process', 'paid'].includes(String(payment['state'])),
        })),
      stop: () => fake.stop(),
    };
  },
});
