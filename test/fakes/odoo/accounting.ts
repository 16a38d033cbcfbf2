import Big from 'big.js';
import { lineAmounts, type TaxRule } from './amounts.ts';
import { accountingDate } from './lock-dates.ts';
import { type Env, type Field, type Model, type Row, userError, validationError } from './orm.ts';

const char = (string: string, more: Partial<Field> = {}): Field => ({ type: 'char', string, ...more });
const number = (string: string, more: Partial<Field> = {}): Field => ({ type: 'float', string, ...more });
const many2one = (relation: string, string: string, more: Partial<Field> = {}): Field => ({
  type: 'many2one',
  relation,
  string,
  ...more,
});

/**
 * Invoices and credit notes, as far as an integration makes them: created directly, posted, read back (observed on 18:
 * a draft has no number, `action_post` answers false and numbers it RINV/<year>/<n>).
 */
export const accountingModels = (
  version: number,
  rulesOf: (ids: readonly number[], env: Env) => TaxRule[],
): Model[] => {
  const setAmounts = (moveId: number, env: Env): void => {
    const { db } = env;
    const move = db.get('account.move', moveId) as Row;
    const company = db.get('res.company', move['company_id']);
    const currency = db.get('res.currency', move['currency_id'] || company?.['currency_id']);
    const rounding = Number(currency?.['rounding'] ?? 0.01);
    let [untaxed, tax] = [new Big(0), new Big(0)];
    for (const id of (move['invoice_line_ids'] ?? []) as number[]) {
      const line = db.get('account.move.line', id) as Row;
      const amounts = lineAmounts(
        Number(line['quantity']),
        Number(line['price_unit']),
        Number(line['discount']),
        rulesOf((line['tax_ids'] ?? []) as number[], env),
        rounding,
      );
      untaxed = untaxed.plus(amounts.subtotal);
      tax = tax.plus(amounts.tax);
      db.patch('account.move.line', id, {
        price_subtotal: amounts.subtotal.toNumber(),
        price_total: amounts.total.toNumber(),
      });
    }
    db.patch('account.move', moveId, {
      amount_untaxed: untaxed.toNumber(),
      amount_tax: tax.toNumber(),
      amount_total: untaxed.plus(tax).toNumber(),
    });
  };

  return [
    {
      name: 'account.move',
      label: 'Journal Entry',
      order: 'id desc',
      indexed: ['ref'],
      fields: {
        // "/" until it is posted in 16, nothing from 17 on.
        name: char('Number', { default: () => (version >= 17 ? false : '/') }),
        move_type: char('Type', { default: () => 'entry' }),
        state: char('Status', { default: () => 'draft' }),
        ref: char('Reference'),
        invoice_origin: char('Origin'),
        invoice_date: { type: 'date', string: 'Invoice Date' },
        date: { type: 'date', string: 'Date' },
        partner_id: many2one('res.partner', 'Partner'),
        partner_shipping_id: many2one('res.partner', 'Delivery Address'),
        company_id: many2one('res.company', 'Company', { default: ({ companyIds }) => companyIds[0] }),
        currency_id: many2one('res.currency', 'Currency'),
        invoice_line_ids: {
          type: 'one2many',
          relation: 'account.move.line',
          inverse: 'move_id',
          string: 'Invoice lines',
        },
        amount_untaxed: number('Untaxed Amount', { readonly: true }),
        amount_tax: number('Tax', { readonly: true }),
        amount_total: number('Total', { readonly: true }),
      },
      created: (row, env) => {
        // The day of the books is that of the invoice, as long as nobody says otherwise.
        const date = row['date'] || row['invoice_date'] || env.db.now().slice(0, 10);
        env.db.patch('account.move', row.id, { date });
        setAmounts(row.id, env);
      },
      written: (row, vals, env) => {
        if (vals['invoice_date'] && !('date' in vals)) {
          env.db.patch('account.move', row.id, { date: vals['invoice_date'] });
        }
        if (!('invoice_line_ids' in vals)) return;
        if (row['state'] === 'posted') {
          throw userError('You cannot modify a posted entry of this journal.');
        }
        setAmounts(row.id, env);
      },
      methods: {
        action_post: (ids, _args, _kwargs, env) => {
          const { db } = env;
          for (const move of db.exists('account.move', ids, env)) {
            if (move['state'] !== 'draft') throw userError('The entry must be in draft.');
            const date = String(move['invoice_date'] || db.now().slice(0, 10));
            const posted = db.all('account.move').filter(({ state }) => state === 'posted').length;
            const lines = (move['invoice_line_ids'] ?? []) as number[];
            const isTaxed = lines.some((line) => {
              const taxes = db.get('account.move.line', line)?.['tax_ids'];
              return ((taxes ?? []) as number[]).length > 0;
            });
            const entry = { companyId: move['company_id'], isTaxed, isFirst: posted === 0 };
            db.patch('account.move', move.id, {
              state: 'posted',
              invoice_date: date,
              date: accountingDate(String(move['invoice_date'] ? move['date'] : date), entry, env),
              name: `RINV/${date.slice(0, 4)}/${String(posted + 1).padStart(5, '0')}`,
            });
          }
          return false;
        },
      },
    },
    {
      name: 'account.journal',
      label: 'Journal',
      fields: {
        name: char('Journal Name', { required: true }),
        code: char('Short Code', { required: true }),
        type: char('Type', { required: true }),
        company_id: many2one('res.company', 'Company', { default: ({ companyIds }) => companyIds[0] }),
      },
    },
    paymentModel(version),
    {
      name: 'account.move.line',
      label: 'Journal Item',
      indexed: ['move_id'],
      fields: {
        move_id: many2one('account.move', 'Journal Entry', { required: true }),
        product_id: many2one('product.product', 'Product'),
        name: char('Label'),
        quantity: number('Quantity', { default: () => 1 }),
        price_unit: number('Unit Price'),
        discount: number('Discount (%)'),
        tax_ids: { type: 'many2many', relation: 'account.tax', string: 'Taxes' },
        price_subtotal: number('Subtotal', { readonly: true }),
        price_total: number('Total', { readonly: true }),
      },
      created: (row, env) => {
        const move = env.db.get('account.move', row['move_id']);
        if (move) setAmounts(row['move_id'] as number, env);
      },
    },
  ];
};

/**
 * Payments, as addons/account defines them: up to 17 each inherits from its journal entry, with its `ref`, its states
 * and its name; from 18 on it has a `memo` and states of its own. Posting makes the entry, which has no lines here.
 */
const paymentModel = (version: number): Model => {
  const isEntry = version < 18;
  return {
    name: 'account.payment',
    label: 'Payments',
    order: 'date desc, name desc',
    fields: {
      name: char('Number', { default: () => (version === 16 ? '/' : false) }),
      state: char('Status', { default: () => 'draft' }),
      date: { type: 'date', string: 'Date', default: ({ db }) => db.now().slice(0, 10) },
      journal_id: many2one('account.journal', 'Journal', { required: true }),
      company_id: many2one('res.company', 'Company', { default: ({ companyIds }) => companyIds[0] }),
      amount: number('Amount'),
      payment_type: char('Payment Type', { default: () => 'inbound' }),
      partner_type: char('Partner Type', { default: () => 'customer' }),
      [isEntry ? 'ref' : 'memo']: char(isEntry ? 'Reference' : 'Memo'),
      payment_reference: char('Payment Reference'),
      currency_id: many2one('res.currency', 'Currency'),
      partner_id: many2one('res.partner', 'Customer/Vendor'),
    },
    created: (row, { db }) => {
      if (Number(row['amount']) < 0) throw validationError('The payment amount cannot be negative.');
      const currency = db.get('res.currency', row['currency_id']);
      const unit = Number(currency?.['rounding'] ?? 0.01);
      db.patch('account.payment', row.id, {
        amount: new Big(Number(row['amount'])).div(unit).round(0, Big.roundHalfUp).times(unit).toNumber(),
        company_id: db.get('account.journal', row['journal_id'])?.['company_id'] ?? false,
      });
    },
    methods: {
      action_post: (ids, _args, _kwargs, env) => {
        const { db } = env;
        for (const payment of db.exists('account.payment', ids, env)) {
          // A posted entry refuses, a payment of 18 and later only goes back no state.
          if (isEntry && payment['state'] !== 'draft') throw userError('The entry must be in draft.');
          if (payment['state'] !== 'draft') continue;
          const code = String(db.get('account.journal', payment['journal_id'])?.['code']);
          const posted = db.all('account.payment').filter(({ state }) => state !== 'draft').length;
          db.patch('account.payment', payment.id, {
            state: isEntry ? 'posted' : 'in_process',
            name: `P${code}/${String(payment['date']).slice(0, 4)}/${String(posted + 1).padStart(5, '0')}`,
          });
        }
        return undefined;
      },
    },
  };
};
