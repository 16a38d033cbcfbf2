import { char, flag, many2one, number } from './fields.ts';
import type { Field, Model } from './orm.ts';

/**
 * Pricelists and their rules (odoo/odoo, addons/product/models/product_pricelist_item.py). No method computes a price over
 * RPC: those that do (`_get_product_price`, `_compute_price_rule`) are private from 16 on.
 */
export const pricelistModels = (version: number, company: Field): Model[] => [
  {
    name: 'product.pricelist',
    label: 'Pricelist',
    order: 'sequence, id',
    fields: {
      name: char('Pricelist Name'),
      currency_id: many2one('res.currency', 'Currency', { required: true }),
      sequence: { type: 'integer', string: 'Sequence', default: () => 16 },
      active: flag('Active', true),
      company_id: company,
    },
    displayName: (row, { db }) =>
      `${String(row['name'])} (${String(db.get('res.currency', row['currency_id'])?.['name'])})`,
  },
  {
    name: 'product.pricelist.item',
    label: 'Pricelist Rule',
    order: 'applied_on, min_quantity desc, categ_id desc, id desc',
    indexed: ['pricelist_id'],
    fields: {
      pricelist_id: many2one('product.pricelist', 'Pricelist', { required: true }),
      applied_on: char('Apply On', { default: () => '3_global' }),
      categ_id: many2one('product.category', 'Category'),
      product_tmpl_id: many2one('product.product', 'Product'),
      product_id: many2one('product.product', 'Variant'),
      min_quantity: number('Min. Quantity'),
      date_start: { type: 'datetime', string: 'Start Date' },
      date_end: { type: 'datetime', string: 'End Date' },
      base: char('Based on', { default: () => 'list_price' }),
      base_pricelist_id: many2one('product.pricelist', 'Other Pricelist'),
      compute_price: char('Compute Price', { default: () => 'fixed' }),
      fixed_price: number('Fixed Price'),
      percent_price: number('Percentage Price'),
      price_discount: number('Price Discount'),
      price_round: number('Price Rounding'),
      price_surcharge: number('Price Surcharge'),
      price_min_margin: number('Min. Price Margin'),
      price_max_margin: number('Max. Price Margin'),
      ...(version >= 18 && { price_markup: number('Markup') }),
    },
  },
];
