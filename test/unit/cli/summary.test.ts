import { describe, expect, it } from 'vitest';
import type { Report, ReportedOrder } from '../../../infra/cli/report.ts';
import { introductionOf, summaryOf } from '../../../infra/cli/summary.ts';
import { sandbox } from '../../../infra/stages/sandbox.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
const plain = (text: string): string => text.replace(/\u001b\[\d+m/g, '');
const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

const usd = (minor: number) => ({ minor, currency: 'USD' });
const order = (over: Partial<ReportedOrder> = {}): ReportedOrder => ({
  storefront: 'sandbox-shopify',
  orderId: '820982911946154508',
  orderNumber: '1001',
  erp: 'sandbox-odoo-19',
  erpOrderId: '2',
  erpOrderName: 'S00002',
  total: usd(5306),
  erpTotal: usd(5306),
  webhookToErpMs: 1374,
  events: [],
  ...over,
});
const report = (over: Partial<Report> = {}): Report => ({
  ready_ms: 3_000,
  orders: [order()],
  ignored: [],
  duplicates: 0,
  failed: 0,
  connections: [],
  repeated: 0,
  payments: null,
  stock: null,
  ...over,
});

describe('the summary', () => {
  it('has a row for each order and ERP, amounts under each other, and counts orders once', () => {
    const both = { storefront: 'sandbox-store', total: usd(105306) };
    const text = summaryOf(
      report({
        orders: [
          order(),
          order({ ...both, erp: 'sandbox-odoo', erpTotal: usd(105306) }),
          order({ ...both, erpTotal: usd(105306), erpOrderName: 'S00003' }),
        ],
        repeated: 36,
        connections: [
          { id: 'sandbox-store', kind: 'storefront', connector: 'custom-store', dialects: null },
          { id: 'sandbox-odoo-19', kind: 'erp', connector: 'odoo', dialects: ['JSON-2'] },
        ],
        payments: {
          'sandbox-odoo': [
            { direction: 'in', amount: '1470', currency: 'TWD', reference: 'pi_1' },
            { direction: 'out', amount: '20', currency: 'TWD', reference: 're_1' },
          ],
          'sandbox-odoo-19': [],
        },
      }),
    );
    expect(plain(text).split('\n')).toEqual([
      '',
      'order                    shop says  ERP                         ERP says   after',
      'sandbox-shopify  1001    53.06 USD  sandbox-odoo-19  S00002    53.06 USD  1.37 s',
      'sandbox-store    1001  1053.06 USD  sandbox-odoo     S00002  1053.06 USD  1.37 s',
      'sandbox-store    1001  1053.06 USD  sandbox-odoo-19  S00003  1053.06 USD  1.37 s',
      'sandbox-odoo-19 was spoken to over JSON-2',
      'sandbox-odoo has booked 1470 TWD, 20 TWD back',
      '',
      '2 orders, 3 in 2 ERPs: 0 duplicates, 0 failed, after 36 deliveries were sent twice',
    ]);
    expect(widest(plain(text))).toBeLessThanOrEqual(100);
  });

  it('says what is not there, by the id where nobody told a number', () => {
    const missing = order({ orderNumber: null, erpOrderName: null, erpTotal: null, webhookToErpMs: null });
    const text = plain(summaryOf(report({ orders: [missing], failed: 1 })));
    expect(text).toContain('sandbox-shopify  820982911946154508  53.06 USD  sandbox-odoo-19    not there');
    expect(text).toContain('1 orders, 1 in 1 ERPs: 0 duplicates, 1 failed');
  });

  it.each([
    [null, 'sandbox-shopify 1005 is not in sandbox-odoo-19, and need not be: IGNORED_BY_POLICY'],
    ['7', 'sandbox-shopify 1005 is in sandbox-odoo-19 as number 7, and must not be'],
  ])('says of an order that the ERP shall not have whether it has it (%s)', (erpOrderId, line) => {
    const { storefront, orderId, erp } = order();
    const ignored = [
      { storefront, orderId, orderNumber: '1005', erp, erpOrderId, code: 'IGNORED_BY_POLICY' },
    ];
    expect(plain(summaryOf(report({ ignored })))).toContain(line);
  });
});

it('the introduction names every connection, its webhooks, and where AWS is', () => {
  const settings = sandbox({
    woocommerce: 'http://127.0.0.1:40001',
    shopify: 'http://127.0.0.1:40002',
    customStore: 'http://127.0.0.1:40003',
    odoo: 'http://127.0.0.1:40004',
    odoo19: 'http://127.0.0.1:40005',
  });
  const url = 'http://127.0.0.1:50001';
  const run = {
    webhookUrls: new Map([['sandbox-woo', `${url}/webhooks/sandbox-woo`]]),
    stack: { endpoints: { api: url, sqs: 'http://127.0.0.1:50002', events: url } },
  } as unknown as Parameters<typeof introductionOf>[0]['run'];
  const text = plain(introductionOf({ settings, run, readyMs: 3_210, curl: 'curl …' }));
  expect(text.split('\n')).toEqual([
    'ready after 3.2 s',
    '',
    'WooCommerce   sandbox-woo             http://127.0.0.1:40001',
    'Shopify       sandbox-shopify         http://127.0.0.1:40002',
    'Custom store  sandbox-store           http://127.0.0.1:40003',
    'Odoo          sandbox-odoo            http://127.0.0.1:40004 orders of sandbox-woo, sandbox-store',
    'Odoo          sandbox-odoo-19         http://127.0.0.1:40005 orders of sandbox-shopify, sandbox-store',
    'webhooks of   sandbox-woo             http://127.0.0.1:50001/webhooks/sandbox-woo',
    'AWS, here     http://127.0.0.1:50001  api, events',
    'AWS, here     http://127.0.0.1:50002  sqs',
    '',
    'Send a signed webhook yourself:',
    '',
    'curl …',
    '',
    'Ctrl-C stops everything.',
    '',
  ]);
});
