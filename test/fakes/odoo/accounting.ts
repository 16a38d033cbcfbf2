import Big from 'big.js';
import { lineAmounts, type TaxRule } from './amounts.ts';
import { type Env, type Field, type Model, type Row, userError } from './orm.ts';

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
      created: (row, env) => setAmounts(row.id, env),
      written: (row, vals, env) => {
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
            db.patch('account.move', move.id, {
              state: 'posted',
              invoice_date: date,
              name: `RINV/${date.slice(0, 4)}/${String(posted + 1).padStart(5, '0')}`,
            });
          }
          return false;
        },
      },
    },
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
