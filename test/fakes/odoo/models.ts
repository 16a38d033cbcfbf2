import Big from 'big.js';
import { accountingModels } from './accounting.ts';
import { lineAmounts, type TaxRule } from './amounts.ts';
import { char, computed, flag, many2many, many2one, number, one2many } from './fields.ts';
import { lockDateFields } from './lock-dates.ts';
import {
  type Env,
  type Model,
  OdooException,
  type Row,
  userError,
  type Vals,
  validationError,
} from './orm.ts';
import { pricelistModels } from './prices.ts';
import {
  cancelMove,
  changeDemand,
  confirmMove,
  customerLocation,
  quantityFields,
  stockModels,
} from './stock.ts';

export type OdooVersion = 16 | 17 | 18 | 19;

/** The taxes of an order line. */
const taxField = (version: OdooVersion) => (version >= 19 ? 'tax_ids' : 'tax_id');

/** The models that orders, customers and stock touch, as version `version` shows them. */
export const odooModels = (version: OdooVersion, mrp = false): Model[] => {
  const company = many2one('res.company', 'Company');
  return [
    {
      name: 'res.company',
      label: 'Companies',
      order: 'name',
      fields: {
        name: char('Company Name', { required: true }),
        currency_id: many2one('res.currency', 'Currency', { required: true }),
        country_id: many2one('res.country', 'Country'),
        partner_id: many2one('res.partner', 'Partner'),
        parent_id: many2one('res.company', 'Parent Company'),
        tax_calculation_rounding_method: char('Tax Calculation Rounding Method', {
          default: () => 'round_per_line',
        }),
        ...lockDateFields(version),
        ...(version >= 17 && {
          parent_ids: computed('many2many', 'Parents', (row, { db }) => ancestors(row, db), {
            relation: 'res.company',
          }),
        }),
      },
    },
    {
      name: 'res.users',
      label: 'User',
      fields: {
        name: char('Name'),
        login: char('Login'),
        lang: char('Language', { default: () => 'en_US' }),
        partner_id: many2one('res.partner', 'Related Partner'),
        company_id: many2one('res.company', 'Company'),
        company_ids: many2many('res.company', 'Companies'),
      },
      methods: {
        context_get: (_ids, _args, _kwargs, { db, uid }) => ({
          lang: db.get('res.users', uid)?.['lang'] ?? 'en_US',
          tz: false,
          uid,
        }),
      },
    },
    {
      name: 'res.country',
      label: 'Country',
      order: 'name',
      indexed: ['code'],
      fields: { name: char('Country Name'), code: char('Country Code') },
    },
    {
      name: 'res.country.state',
      label: 'Country state',
      order: 'code',
      indexed: ['country_id'],
      fields: {
        name: char('State Name'),
        code: char('State Code'),
        country_id: many2one('res.country', 'Country'),
      },
    },
    {
      name: 'res.currency',
      label: 'Currency',
      order: 'name',
      fields: {
        name: char('Currency'),
        symbol: char('Symbol'),
        rounding: number('Rounding Factor'),
        decimal_places: computed('integer', 'Decimal Places', (row) =>
          Math.max(0, Math.ceil(-Math.log10(Number(row['rounding'])))),
        ),
        active: flag('Active', true),
      },
    },
    partnerModel(version),
    {
      name: 'account.payment.term',
      label: 'Payment Terms',
      fields: { name: char('Payment Terms'), active: flag('Active', true), company_id: company },
    },
    {
      name: 'decimal.precision',
      label: 'Decimal Precision',
      fields: { name: char('Usage'), digits: { type: 'integer', string: 'Digits' } },
    },
    {
      name: 'account.tax',
      label: 'Tax',
      order: 'sequence, id',
      fields: {
        name: char('Tax Name', { required: true }),
        amount: number('Amount'),
        amount_type: char('Tax Computation', { default: () => 'percent' }),
        type_tax_use: char('Tax Type', { default: () => 'sale' }),
        price_include: flag('Included in Price'),
        ...(version >= 18 && { price_include_override: char('Included in Price Override') }),
        include_base_amount: flag('Affect Base of Subsequent Taxes'),
        children_tax_ids: many2many('account.tax', 'Children Taxes'),
        sequence: { type: 'integer', string: 'Sequence', default: () => 1 },
        active: flag('Active', true),
        company_id: { ...company, required: true },
      },
    },
    ...pricelistModels(version, company),
    ...stockModels(version),
    ...accountingModels(version, rulesOf),
    productModel(version, mrp),
    saleOrderModel(version),
    saleOrderLineModel(version),
    {
      name: 'ir.module.module',
      label: 'Module',
      fields: {
        name: char('Technical Name'),
        state: char('Status'),
        latest_version: char('Installed Version'),
      },
    },
  ];
};

const ancestors = (row: Row, db: Env['db']): number[] => {
  const found: number[] = [];
  for (let at: Row | undefined = row; at; at = db.get('res.company', at['parent_id'])) found.unshift(at.id);
  return found;
};

// --- customers -----------------------------------------------------------------------------------------------

const partnerModel = (version: OdooVersion): Model => ({
  name: 'res.partner',
  label: 'Contact',
  order: 'name, id',
  indexed: ['email', 'ref', 'parent_id'],
  fields: {
    name: char('Name'),
    email: char('Email'),
    phone: char('Phone'),
    ...(version < 19 && { mobile: char('Mobile') }),
    street: char('Street'),
    street2: char('Street2'),
    city: char('City'),
    zip: char('Zip'),
    state_id: many2one('res.country.state', 'State'),
    country_id: many2one('res.country', 'Country'),
    vat: char('Tax ID'),
    ref: char('Reference'),
    comment: { type: 'html', string: 'Notes' },
    lang: char('Language', { default: () => 'en_US' }),
    company_name: char('Company Name'),
    is_company: flag('Is a Company'),
    company_type: computed('selection', 'Company Type', (row) => (row['is_company'] ? 'company' : 'person')),
    type: { type: 'selection', string: 'Address Type', default: () => 'contact' },
    parent_id: many2one('res.partner', 'Related Company'),
    child_ids: one2many('res.partner', 'parent_id', 'Contact'),
    commercial_partner_id: computed(
      'many2one',
      'Commercial Entity',
      (row, { db }) => {
        let at = row;
        for (let up = db.get('res.partner', at['parent_id']); up && !at['is_company']; ) {
          at = up;
          up = db.get('res.partner', at['parent_id']);
        }
        return at.id;
      },
      { relation: 'res.partner' },
    ),
    property_product_pricelist: many2one('product.pricelist', 'Pricelist'),
    property_payment_term_id: many2one('account.payment.term', 'Customer Payment Terms'),
    company_id: many2one('res.company', 'Company'),
    active: flag('Active', true),
    ...(version >= 17 && { company_registry: char('Company ID') }),
  },
  displayName: (row, { db }) => {
    const parent = db.get('res.partner', row['parent_id']);
    const own = String(
      row['name'] || { invoice: 'Invoice Address', delivery: 'Delivery Address' }[String(row['type'])] || '',
    );
    return parent ? `${String(parent['name'])}, ${own}` : own;
  },
  created: checkPartner,
  written: (row, vals, env) => {
    if (['name', 'type', 'vat', 'country_id'].some((field) => field in vals)) checkPartner(row, {}, env);
  },
});

function checkPartner(row: Row, _vals: unknown, _env?: Env): void {
  if (!row['name'] && row['type'] === 'contact') {
    throw validationError('The operation cannot be completed: Contacts require a name');
  }
  const vat = String(row['vat'] || '');
  // base_vat checks by country; here every number needs six digits.
  if (vat && vat !== '/' && vat.replace(/\D/g, '').length < 6) {
    throw validationError(
      `The VAT number [${vat}] for ${String(row['name'])} does not seem to be valid. \nNote: the expected format is 12345678`,
    );
  }
}

// --- products and stock --------------------------------------------------------------------------------------

const productModel = (version: OdooVersion, mrp: boolean): Model => ({
  name: 'product.product',
  label: 'Product Variant',
  order: 'default_code, name, id',
  indexed: ['default_code'],
  fields: {
    name: char('Name', { required: true }),
    default_code: char('Internal Reference'),
    barcode: char('Barcode'),
    list_price: number('Sales Price'),
    lst_price: computed('float', 'Sales Price', (row) => row['list_price']),
    standard_price: number('Cost'),
    type: {
      type: 'selection',
      string: 'Product Type',
      default: () => 'consu',
      selection: [
        ['consu', version >= 18 ? 'Goods' : 'Consumable'],
        ['service', 'Service'],
        version >= 18 ? ['combo', 'Combo'] : ['product', 'Storable Product'],
      ],
    },
    ...(version >= 18 ? { is_storable: flag('Track Inventory') } : { detailed_type: char('Product Type') }),
    // Of the module mrp: has a bill of materials of type kit.
    ...(mrp && { is_kits: flag('Is Kits') }),
    taxes_id: many2many('account.tax', 'Sales Taxes'),
    // Says "(= $ 483.00 Incl. Taxes)", or nothing.
    ...(version >= 19 && { tax_string: computed('char', 'Tax String', () => '') }),
    invoice_policy: {
      type: 'selection',
      string: 'Invoicing Policy',
      default: () => 'order',
      selection: [
        ['order', 'Ordered quantities'],
        ['delivery', 'Delivered quantities'],
      ],
    },
    uom_id: computed('many2one', 'Unit of Measure', () => 1, { relation: 'uom.uom' }),
    product_tmpl_id: computed('many2one', 'Product Template', (row) => row.id, {
      relation: 'product.product',
    }),
    categ_id: many2one('product.category', 'Product Category', { default: () => 1 }),
    currency_id: computed(
      'many2one',
      'Currency',
      (_row, { db, companyIds }) => db.get('res.company', companyIds[0])?.['currency_id'],
      { relation: 'res.currency' },
    ),
    sale_ok: flag('Sales', true),
    active: flag('Active', true),
    company_id: many2one('res.company', 'Company'),
    ...quantityFields,
  },
  displayName: (row, { context }) =>
    (row['default_code'] && context['display_default_code'] !== false
      ? `[${String(row['default_code'])}] `
      : '') + String(row['name']),
});

// --- orders --------------------------------------------------------------------------------------------------

const saleOrderModel = (version: OdooVersion): Model => ({
  name: 'sale.order',
  label: 'Sales Order',
  order: 'date_order desc, id desc',
  indexed: ['client_order_ref'],
  fields: {
    name: char('Order Reference'),
    state: char('Status', { default: () => 'draft' }),
    // Not unique: two concurrent creates with one reference make two orders (observed).
    client_order_ref: char('Customer Reference'),
    origin: char('Source Document'),
    partner_id: many2one('res.partner', 'Customer', { required: true }),
    partner_invoice_id: many2one('res.partner', 'Invoice Address', { required: true }),
    partner_shipping_id: many2one('res.partner', 'Delivery Address', { required: true }),
    date_order: { type: 'datetime', string: 'Order Date', required: true, default: ({ db }) => db.now() },
    commitment_date: { type: 'datetime', string: 'Delivery Date' },
    company_id: many2one('res.company', 'Company', { required: true }),
    pricelist_id: many2one('product.pricelist', 'Pricelist', { required: version === 16 }),
    currency_id: many2one('res.currency', 'Currency', { readonly: true }),
    warehouse_id: many2one('stock.warehouse', 'Warehouse', { required: true }),
    payment_term_id: many2one('account.payment.term', 'Payment Terms'),
    user_id: many2one('res.users', 'Salesperson', { default: ({ uid }) => uid }),
    note: { type: 'html', string: 'Terms and conditions' },
    order_line: one2many('sale.order.line', 'order_id', 'Order Lines'),
    amount_untaxed: number('Untaxed Amount', { readonly: true }),
    amount_tax: number('Taxes', { readonly: true }),
    amount_total: number('Total', { readonly: true }),
    invoice_status: computed('selection', 'Invoice Status', (row) =>
      row['state'] === 'sale' ? 'to invoice' : 'no',
    ),
    picking_ids: one2many('stock.picking', 'sale_id', 'Transfers'),
    invoice_ids: computed('many2many', 'Invoices', () => []),
    delivery_status: computed('selection', 'Delivery Status', (row) =>
      row['state'] === 'sale' ? 'pending' : false,
    ),
    ...(version >= 17 && { locked: flag('Locked') }),
  },
  prepare: (vals, env) => {
    const { db } = env;
    const [company] = env.companyIds;
    if (vals['company_id'] === undefined) vals['company_id'] = company;
    if (!env.companyIds.includes(vals['company_id'] as number)) {
      throw new OdooException('odoo.exceptions.AccessError', 'Access to unauthorized or invalid companies.');
    }
    const partner = db.get('res.partner', vals['partner_id']);
    const address = (type: string) =>
      (partner?.['child_ids'] as number[] | undefined)?.find(
        (id) => db.get('res.partner', id)?.['type'] === type,
      ) ?? partner?.id;
    if (vals['partner_invoice_id'] === undefined) vals['partner_invoice_id'] = address('invoice');
    if (vals['partner_shipping_id'] === undefined) vals['partner_shipping_id'] = address('delivery');
    if (vals['pricelist_id'] === undefined) {
      const open = (row: Row) => !row['company_id'] || row['company_id'] === vals['company_id'];
      vals['pricelist_id'] =
        partner?.['property_product_pricelist'] ||
        (version === 16 && db.search('product.pricelist', [], {}, env).find(open)?.id) ||
        false;
    }
    if (vals['warehouse_id'] === undefined) {
      vals['warehouse_id'] = db
        .all('stock.warehouse')
        .find((row) => row['company_id'] === vals['company_id'])?.id;
    }
    if (vals['payment_term_id'] === undefined) {
      vals['payment_term_id'] = partner?.['property_payment_term_id'] ?? false;
    }
  },
  created: (row, env) => {
    env.db.patch('sale.order', row.id, { name: `S${String(row.id).padStart(5, '0')}` });
    setCurrency(row.id, env);
  },
  written: (row, vals, env) => {
    if (!('pricelist_id' in vals)) return;
    if (row['state'] === 'sale') {
      throw userError('It is forbidden to modify the pricelist of a confirmed order');
    }
    setCurrency(row.id, env);
  },
  unlinking: (row) => {
    if (row['state'] === 'draft' || row['state'] === 'cancel') return;
    throw userError(
      'You can not delete a sent quotation or a confirmed sales order. You must first cancel it.',
    );
  },
  unlinked: () => undefined,
  methods: {
    action_confirm: (ids, _args, _kwargs, env) => {
      const { db } = env;
      const orders = db.exists('sale.order', ids, env);
      if (orders.some(({ state }) => state !== 'draft' && state !== 'sent')) {
        throw userError('Some orders are not in a state requiring confirmation.');
      }
      for (const order of orders) {
        // The date is overwritten with now (observed on 16 to 18).
        db.patch('sale.order', order.id, { state: 'sale', date_order: db.now(), write_date: db.now() });
        deliver(order, env);
      }
      return true;
    },
    action_cancel: (ids, _args, _kwargs, env) => {
      const { db } = env;
      const orders = db.exists('sale.order', ids, env);
      if (
        version < 19 &&
        !env.context['disable_cancel_warning'] &&
        orders.some(({ state }) => state !== 'draft')
      ) {
        // Asks, and cancels nothing (observed on 16 and 18; 19 cancels at once).
        return {
          name: 'Cancel Sales Order',
          view_mode: 'form',
          res_model: 'sale.order.cancel',
          view_id: 1126,
          type: 'ir.actions.act_window',
          context: {
            default_template_id: 14,
            default_order_id: orders[0]?.id,
            mark_so_as_canceled: true,
            default_email_layout_xmlid: 'mail.mail_notification_layout_with_responsible_signature',
            model_description: 'Sales Order',
          },
          target: 'new',
        };
      }
      for (const order of orders) {
        db.patch('sale.order', order.id, { state: 'cancel', write_date: db.now() });
        for (const id of order['picking_ids'] as number[]) {
          const picking = db.patch('stock.picking', id, { state: 'cancel', write_date: db.now() });
          for (const move of picking['move_ids'] as number[]) cancelMove(move, env);
        }
      }
      return true;
    },
    action_draft: (ids, _args, _kwargs, { db }) => {
      for (const id of ids) db.patch('sale.order', id, { state: 'draft' });
      return true;
    },
  },
});

const setCurrency = (orderId: number, env: Env): void => {
  const { db } = env;
  const order = db.get('sale.order', orderId) as Row;
  const pricelist = db.get('product.pricelist', order['pricelist_id']);
  const company = db.get('res.company', order['company_id']);
  db.patch('sale.order', orderId, { currency_id: pricelist?.['currency_id'] ?? company?.['currency_id'] });
  for (const id of (order['order_line'] ?? []) as number[]) setLineAmounts(id, env);
  setOrderAmounts(orderId, env);
};

const deliver = (order: Row, env: Env): void => {
  const { db } = env;
  const goods = (order['order_line'] as number[])
    .map((id) => db.get('sale.order.line', id) as Row)
    .filter((line) => {
      const product = db.get('product.product', line['product_id']);
      return product && product['type'] !== 'service';
    });
  if (goods.length === 0) return;
  const from = db.get('stock.warehouse', order['warehouse_id'])?.['lot_stock_id'];
  const to = customerLocation(env);
  const picking = db.create(
    'stock.picking',
    {
      state: 'assigned',
      origin: [order['name'], order['client_order_ref']].filter(Boolean).join(' - '),
      sale_id: order.id,
      partner_id: order['partner_shipping_id'],
      scheduled_date: order['commitment_date'] || db.now(),
      location_id: from,
      location_dest_id: to,
    },
    env,
  );
  db.patch('stock.picking', picking, { name: `WH/OUT/${String(picking).padStart(5, '0')}` });
  for (const line of goods) {
    const move = db.create(
      'stock.move',
      {
        product_id: line['product_id'],
        product_uom_qty: line['product_uom_qty'],
        picking_id: picking,
        sale_line_id: line.id,
        location_id: from,
        location_dest_id: to,
      },
      env,
    );
    confirmMove(move, env);
  }
};

const saleOrderLineModel = (version: OdooVersion): Model => ({
  name: 'sale.order.line',
  label: 'Sales Order Line',
  order: 'order_id, sequence, id',
  indexed: ['order_id'],
  fields: {
    order_id: many2one('sale.order', 'Order Reference', { required: true }),
    sequence: { type: 'integer', string: 'Sequence', default: () => 10 },
    name: { type: 'text', string: 'Description', required: true },
    display_type: { type: 'selection', string: 'Display Type' },
    product_id: many2one('product.product', 'Product'),
    product_uom_qty: number('Quantity', { digits: 2, default: () => 1 }),
    // Rounded to the precision "Product Price", two decimals unless changed (observed on 16 and 18).
    price_unit: number('Unit Price'),
    discount: number('Discount (%)', { digits: 2 }),
    [taxField(version)]: many2many('account.tax', 'Taxes'),
    price_subtotal: number('Subtotal', { readonly: true }),
    price_tax: number('Total Tax', { readonly: true }),
    price_total: number('Total', { readonly: true }),
    qty_delivered: number('Delivery Quantity'),
    qty_invoiced: number('Invoiced Quantity'),
    qty_to_invoice: number('Quantity To Invoice'),
    company_id: computed(
      'many2one',
      'Company',
      (row, { db }) => db.get('sale.order', row['order_id'])?.['company_id'],
      {
        relation: 'res.company',
      },
    ),
  },
  displayName: (row, { db }) =>
    `${String(db.get('sale.order', row['order_id'])?.['name'])} - ${String(row['name']).split('\n')[0]}`,
  prepare: (vals, env) => {
    const { db } = env;
    if (vals['display_type']) return;
    const [product] = db.exists('product.product', [vals['product_id'] as number], env) as [Row];
    const order = db.get('sale.order', vals['order_id']) as Row;
    if (product['company_id'] && product['company_id'] !== order['company_id']) {
      throw userError('Incompatible companies on records');
    }
    if (!vals['name']) vals['name'] = db.displayName('product.product', product, env);
    if (vals['price_unit'] === undefined) vals['price_unit'] = product['list_price'];
    vals[taxField(version)] ??= [
      [6, 0, version >= 19 ? taxesAbroad(product, order, db) : product['taxes_id']],
    ];
    roundPrice(vals, env);
  },
  created: (row, env) => {
    setLineAmounts(row.id, env);
    setOrderAmounts(row['order_id'] as number, env);
    followDemand(row.id, env);
  },
  written: (row, vals, env) => {
    followDemand(row.id, env);
    if ('price_unit' in vals) {
      const rounded: Vals = { price_unit: vals['price_unit'] };
      roundPrice(rounded, env);
      env.db.patch('sale.order.line', row.id, rounded);
    }
    setLineAmounts(row.id, env);
    setOrderAmounts(row['order_id'] as number, env);
  },
  unlinking: (row, { db }) => {
    if (db.get('sale.order', row['order_id'])?.['state'] !== 'sale') return;
    throw userError(
      version >= 17
        ? "Once a sales order is confirmed, you can't remove one of its lines (we need to track if something gets invoiced or delivered).\nSet the quantity to 0 instead."
        : 'You can not remove an order line once the sales order is confirmed.\nYou should rather set the quantity to 0.',
    );
  },
  unlinked: (row, env) => {
    const orderId = row['order_id'] as number;
    if (env.db.get('sale.order', orderId)) setOrderAmounts(orderId, env);
  },
});

/** A confirmed order's open delivery follows its lines. */
const followDemand = (lineId: number, env: Env): void => {
  const { db } = env;
  const line = db.get('sale.order.line', lineId) as Row;
  const order = db.get('sale.order', line['order_id']) as Row;
  const product = db.get('product.product', line['product_id']);
  if (order['state'] !== 'sale' || !product || product['type'] === 'service') return;
  const quantity = Number(line['product_uom_qty']);
  const move = db.all('stock.move').find((each) => each['sale_line_id'] === lineId);
  if (move) {
    changeDemand(move.id, quantity, env);
    return;
  }
  const [picking] = (order['picking_ids'] ?? []) as number[];
  if (picking === undefined) return;
  const { location_id, location_dest_id } = db.get('stock.picking', picking) as Row;
  const links = { product_id: product.id, picking_id: picking, sale_line_id: lineId };
  const made = { ...links, location_id, location_dest_id, product_uom_qty: quantity };
  confirmMove(db.create('stock.move', made, env), env);
};

const roundPrice = (vals: Vals, { db }: Env): void => {
  const precision = db.all('decimal.precision').find(({ name }) => name === 'Product Price');
  const digits = Number(precision?.['digits'] ?? 2);
  vals['price_unit'] = new Big(Number(vals['price_unit'])).round(digits, Big.roundHalfUp).toNumber();
};

const rulesOf = (ids: readonly number[], { db }: Env): TaxRule[] =>
  ids.flatMap((id): TaxRule[] => {
    const tax = db.get('account.tax', id) as Row;
    if (tax['amount_type'] === 'group') return rulesOf(tax['children_tax_ids'] as number[], { db } as Env);
    return [
      {
        id,
        sequence: Number(tax['sequence']),
        amountType: tax['amount_type'] as TaxRule['amountType'],
        amount: Number(tax['amount']),
        included: tax['price_include'] === true,
        includeBaseAmount: tax['include_base_amount'] === true,
      },
    ];
  });

const taxIds = (line: Row): number[] => (line['tax_ids'] ?? line['tax_id']) as number[];

/** In 19 the default taxes follow the customer's country (observed); here: those of the company's own, or none. */
const taxesAbroad = (product: Row, order: Row, db: Env['db']): unknown => {
  const country = db.get('res.partner', order['partner_id'])?.['country_id'];
  const home = db.get('res.company', order['company_id'])?.['country_id'];
  return !country || country === home ? product['taxes_id'] : [];
};

const amountsOf = (line: Row, env: Env) => {
  const { db } = env;
  const order = db.get('sale.order', line['order_id']) as Row;
  const company = db.get('res.company', order['company_id']);
  for (const id of taxIds(line)) {
    if (db.get('account.tax', id)?.['company_id'] !== company?.id) {
      throw userError('Incompatible companies on records');
    }
  }
  const currency = db.get('res.currency', order['currency_id'] || company?.['currency_id']);
  return lineAmounts(
    Number(line['product_uom_qty']),
    Number(line['price_unit']),
    Number(line['discount']),
    rulesOf(taxIds(line), env),
    Number(currency?.['rounding'] ?? 0.01),
  );
};

const setLineAmounts = (lineId: number, env: Env): void => {
  const line = env.db.get('sale.order.line', lineId);
  if (!line || line['display_type']) return;
  const { subtotal, tax, total } = amountsOf(line, env);
  env.db.patch('sale.order.line', lineId, {
    price_subtotal: subtotal.toNumber(),
    price_tax: tax.toNumber(),
    price_total: total.toNumber(),
  });
};

const setOrderAmounts = (orderId: number, env: Env): void => {
  const { db } = env;
  const order = db.get('sale.order', orderId) as Row;
  const company = db.get('res.company', order['company_id']);
  const currency = db.get('res.currency', order['currency_id'] || company?.['currency_id']);
  const unit = new Big(Number(currency?.['rounding'] ?? 0.01));
  const globally = company?.['tax_calculation_rounding_method'] === 'round_globally';
  let untaxed = new Big(0);
  let tax = new Big(0);
  for (const id of order['order_line'] as number[]) {
    const line = db.get('sale.order.line', id);
    if (!line || line['display_type']) continue;
    const amounts = amountsOf(line, env);
    untaxed = untaxed.plus(amounts.subtotal);
    tax = tax.plus(globally ? amounts.rawTax : amounts.tax);
  }
  tax = tax.div(unit).round(0, Big.roundHalfUp).times(unit);
  db.patch('sale.order', orderId, {
    amount_untaxed: untaxed.toNumber(),
    amount_tax: tax.toNumber(),
    amount_total: untaxed.plus(tax).toNumber(),
    write_date: db.now(),
  });
};
