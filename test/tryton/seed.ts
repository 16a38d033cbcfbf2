import { date, decimal, type TrytonRpc } from './rpc.ts';

/** What the tests' orders name. */
export const SEED = {
  login: 'waybill',
  password: 'bridge-Kw7',
  company: 'Acme Trading',
  taxes: { '5%': '0.05', '8%': '0.08', '10%': '0.10', '21%': '0.21' },
  paymentTerm: 'Paid in advance',
  paymentMethod: 'Stripe',
  warehouse: 'WH',
  goods: ['TEA-OOL-150', 'MUG-TH-01', 'TEE-BLUE-M'],
  services: ['SHIP', 'FEE', 'ROUNDING'],
  stock: 1000,
} as const;

/** Decimals by ISO 4217; Tryton ships neither currencies nor countries. */
const CURRENCIES = { TWD: '0.01', EUR: '0.01', JPY: '1', KWD: '0.001' } as const;
const COUNTRIES = { TW: 'Taiwan', BE: 'Belgium', JP: 'Japan', US: 'United States' } as const;

/**
 * What a company must have configured before it can take, ship and invoice an order: company and currencies, accounts,
 * fiscal year, taxes, products with stock, and a user for the integration with ordinary rights.
 */
export const seed = async (tryton: TrytonRpc, today: string): Promise<void> => {
  const year = today.slice(0, 4);
  const currencies = new Map<string, number>();
  for (const [code, rounding] of Object.entries(CURRENCIES)) {
    const digits = rounding.split('.')[1]?.length ?? 0;
    const rates = [['create', [{ date: date('2020-01-01'), rate: decimal('1') }]]];
    const values = { name: code, code, symbol: code, rounding: decimal(rounding), digits, rates };
    currencies.set(code, await tryton.create('currency.currency', values));
  }
  const countries = new Map<string, number>();
  for (const [code, name] of Object.entries(COUNTRIES)) {
    countries.set(code, await tryton.create('country.country', { code, name }));
  }
  await tryton.create('country.subdivision', {
    code: 'US-CA',
    name: 'California',
    type: 'state',
    country: countries.get('US'),
  });
  const company = await seedCompany(tryton, currencies.get('TWD'), countries.get('TW'));
  await seedAccounts(tryton, company, year);
  await seedProducts(tryton, company, today);
  const groups = await tryton.search('res.group', [
    [
      'name',
      'in',
      ['Sales', 'Sales Administrator', 'Sale Amendment', 'Stock', 'Account', 'Party Administration'],
    ],
  ]);
  await tryton.create('res.user', {
    name: 'Waybill',
    login: SEED.login,
    password: SEED.password,
    companies: [['add', [company]]],
    company,
    groups: [['add', groups]],
  });
};

const seedCompany = async (tryton: TrytonRpc, currency?: number, country?: number): Promise<number> => {
  const addresses = [
    ['create', [{ street: '測試路一段 1 號', city: '台北市', postal_code: '100', country }]],
  ];
  const party = await tryton.create('party.party', { name: SEED.company, addresses });
  const company = await tryton.create('company.company', { party, currency, timezone: 'Asia/Taipei' });
  await tryton.write('res.user', [tryton.userId], { companies: [['add', [company]]], company });
  await tryton.reload(); // from now on every call is of this company
  return company;
};

const seedAccounts = async (tryton: TrytonRpc, company: number, year: string): Promise<void> => {
  const wizard = 'wizard.account.create_chart';
  const template = await tryton.one('account.account.template', [['parent', '=', null]]);
  const [session] = (await tryton.call(`${wizard}.create`, [])) as [number];
  const step = (data: object, state: string) => tryton.call(`${wizard}.execute`, [session, data, state]);
  await step({}, 'account');
  await step({ account: { company, account_template: template } }, 'create_account');
  const account = (flag: string) =>
    tryton.one('account.account', [
      [`type.${flag}`, '=', true],
      ['company', '=', company],
    ]);
  const payable = await account('payable');
  const receivable = await account('receivable');
  await step(
    { properties: { company, account_receivable: receivable, account_payable: payable } },
    'create_properties',
  );
  await tryton.call(`${wizard}.delete`, [session]);

  const sequenceType = (name: string) => tryton.one('ir.sequence.type', [['name', '=', name]]);
  const invoices = await sequenceType('Invoice');
  const strict = (name: string, prefix: string) =>
    tryton.create('ir.sequence.strict', { name, sequence_type: invoices, company, prefix, padding: 5 });
  const fiscalYear = await tryton.create('account.fiscalyear', {
    name: year,
    start_date: date(`${year}-01-01`),
    end_date: date(`${year}-12-31`),
    company,
    post_move_sequence: await tryton.create('ir.sequence', {
      name: 'Moves',
      sequence_type: await sequenceType('Account Move'),
      company,
    }),
    invoice_sequences: [
      [
        'create',
        [
          {
            company,
            out_invoice_sequence: await strict('Invoices', 'INV-'),
            out_credit_note_sequence: await strict('Credit notes', 'CN-'),
            in_invoice_sequence: await strict('Supplier invoices', 'SI-'),
            in_credit_note_sequence: await strict('Supplier credit notes', 'SC-'),
          },
        ],
      ],
    ],
  });
  await tryton.model('account.fiscalyear', 'create_period', [[fiscalYear]]);

  for (const [name, rate] of Object.entries(SEED.taxes)) {
    await tryton.create('account.tax', {
      name,
      description: name,
      type: 'percentage',
      rate: decimal(rate),
      company,
      invoice_account: payable,
      credit_note_account: payable,
    });
  }
  const cash = await tryton.one('account.journal', [['type', '=', 'cash']]);
  const bank = await tryton.one('account.account', [
    ['name', 'ilike', '%cash%'],
    ['type', '!=', null],
    ['company', '=', company],
  ]);
  await tryton.create('account.invoice.payment.method', {
    name: SEED.paymentMethod,
    company,
    journal: cash,
    debit_account: bank,
    credit_account: bank,
  });
  await tryton.create('account.invoice.payment_term', {
    name: SEED.paymentTerm,
    lines: [['create', [{ type: 'remainder', relativedeltas: [['create', [{ days: 0 }]]] }]]],
  });
};

const seedProducts = async (tryton: TrytonRpc, company: number, today: string): Promise<void> => {
  const account = (flag: string) => tryton.one('account.account', [[`type.${flag}`, '=', true]]);
  const category = await tryton.create('product.category', {
    name: 'Everything',
    accounting: true,
    account_expense: await account('expense'),
    account_revenue: await account('revenue'),
  });
  const unit = await tryton.one('product.uom', [['symbol', '=', 'u']]);
  const product = (sku: string, type: 'goods' | 'service', active = true) =>
    tryton.create('product.template', {
      name: sku,
      type,
      default_uom: unit,
      sale_uom: unit,
      salable: true,
      list_price: decimal('10'),
      cost_price_method: 'fixed',
      account_category: category,
      active,
      // Tryton makes `code` of the template's code and this.
      products: [['create', [{ suffix_code: sku, cost_price: decimal('5'), active }]]],
    });
  for (const sku of SEED.goods) await product(sku, 'goods');
  for (const sku of SEED.services) await product(sku, 'service');
  await product('OLD-TEA', 'goods', false);

  const stocked = await tryton.search('product.product', [['code', 'in', SEED.goods]]);
  const inventory = await tryton.create('stock.inventory', {
    location: await tryton.one('stock.location', [['code', '=', 'STO']]),
    date: date(today),
    company,
    lines: [['create', stocked.map((id) => ({ product: id, quantity: SEED.stock }))]],
  });
  await tryton.model('stock.inventory', 'confirm', [[inventory]]);
};
