import { startFakeOdoo } from '../../../test/fakes/odoo.ts';
import type { SandboxErp, SandboxTax } from './peer.ts';
import { PRODUCTS, STOCK } from './products.ts';

const SERVICE_SKUS = ['SHIP', 'FEE', 'DISCOUNT', 'ROUNDING'];

/** Journals of the ERP, by the payment methods of the shops that they stand for. */
export const JOURNALS = { stripe: 'STRP', omise: 'OMIS', cod: 'COD' } as const;

export interface SandboxOdooOptions {
  readonly id: string;
  readonly version: 18 | 19;
  readonly company: { readonly name: string; readonly currency: string };
  /** Besides the company's own. */
  readonly currencies: readonly string[];
  readonly taxes: readonly SandboxTax[];
}

/** An ERP with the sandbox's products, a tax for every percentage that its shops know, and pricelists. */
export const sandboxOdoo = async (options: SandboxOdooOptions): Promise<SandboxErp> => {
  const { id, version, company, currencies, taxes } = options;
  const credentials = { login: 'waybill@sandbox.example', apiKey: `${id}-api-key` };
  const taxName = (percent: number) => `${percent}% VAT`;
  const percentages = [...new Set(taxes.map(({ percent }) => percent))];
  const erp = await startFakeOdoo({
    version,
    database: 'sandbox',
    ...credentials,
    companies: [company],
    pricelists: currencies.map((currency) => ({ name: currency, currency })),
    products: [
      ...PRODUCTS.map(({ sku, name }) => ({ sku, name, stock: STOCK })),
      ...SERVICE_SKUS.map((sku) => ({ sku, name: sku, service: true })),
    ],
    taxes: percentages.map((percent) => ({ name: taxName(percent), amount: percent })),
    journals: Object.entries(JOURNALS).map(([method, code]) => ({ code, name: method })),
  });
  const currencyOf = (id: unknown): string =>
    String(erp.records('res.currency').find((one) => one.id === id)?.['name'] ?? '?');
  return {
    id,
    url: erp.url,
    secrets: credentials,
    taxName,
    dialects: () => {
      const asked = (path: string) => erp.server.requests.some((request) => request.includes(` ${path}`));
      return [...(asked('/jsonrpc') ? ['JSON-RPC'] : []), ...(asked('/json/2/') ? ['JSON-2'] : [])];
    },
    available: (sku) => {
      const [product] = erp.call('product.product', 'search_read', [[['default_code', '=', sku]]], {
        fields: ['free_qty'],
      }) as { id: number; free_qty: number }[];
      const drafts = new Set(
        erp.records('sale.order').flatMap(({ id: order, state }) => (state === 'draft' ? [order] : [])),
      );
      const drafted = erp
        .records('sale.order.line')
        .filter((line) => line['product_id'] === product?.id && drafts.has(Number(line['order_id'])))
        .reduce((sum, line) => sum + Number(line['product_uom_qty']), 0);
      return (product?.free_qty ?? 0) - drafted;
    },
    payments: () =>
      erp
        .records('account.payment')
        .filter(({ state }) => state !== 'draft')
        .map((payment) => ({
          direction: payment['payment_type'] === 'inbound' ? ('in' as const) : ('out' as const),
          amount: String(payment['amount']),
          currency: currencyOf(payment['currency_id']),
          reference: String(payment['payment_reference'] || ''),
        })),
    stop: () => erp.stop(),
  };
};
