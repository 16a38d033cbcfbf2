import { char, computed, flag, many2one, number, one2many } from './fields.ts';
import { type Env, type Field, type Model, OdooException, type Row, userError, type Vals } from './orm.ts';

/**
 * Odoo's stock as an integration meets it. Sources: odoo/odoo, addons/stock/models/product.py (what the quantities of a
 * product contain), stock_quant.py (quants at zero are deleted), stock_picking.py; quantities after confirming,
 * delivering and cancelling were compared with those observed on 18.
 */

/** States of moves that are still to be done: a draft is none (stock/models/product.py, `domain_move_out_todo`). */
const OPEN: ReadonlySet<unknown> = new Set(['waiting', 'confirmed', 'partially_available', 'assigned']);

const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0);

export const isStorable = (product: Row): boolean =>
  product['is_storable'] === true || product['type'] === 'product';

/**
 * Warehouses whose stock counts: that of the context (by the key of its version; and that of the location), else all of the
 * companies at hand.
 */
const warehousesIn = ({ db, context, companyIds }: Env): ReadonlySet<unknown> => {
  const isOld = !('is_storable' in db.model('product.product').fields);
  const warehouse = context[isOld ? 'warehouse' : 'warehouse_id'];
  const { location } = context;
  const named = warehouse !== undefined || location !== undefined;
  const found = db
    .all('stock.warehouse')
    .filter(({ id }) => warehouse === undefined || id === warehouse)
    .filter(({ view_location_id: view }) => location === undefined || view === location)
    .filter(({ company_id: company }) => named || companyIds.includes(company as number));
  // Record rules: no warehouse of a company that is not at hand.
  if (found.some(({ company_id: company }) => !companyIds.includes(company as number))) {
    throw new OdooException('odoo.exceptions.AccessError', 'Access to unauthorized or invalid companies.');
  }
  return new Set(found.map(({ id }) => id));
};

export const quantityFields: Readonly<Record<string, Field>> = {
  stock_move_ids: one2many('stock.move', 'product_id', 'Stock Moves'),
  qty_available: computed('float', 'Quantity On Hand', (row, env) => quantities(row, env).onHand),
  outgoing_qty: computed('float', 'Outgoing', (row, env) => quantities(row, env).outgoing),
  incoming_qty: computed('float', 'Incoming', (row, env) => quantities(row, env).incoming),
  // Overselling is allowed: the free quantity falls below zero (observed on 16 to 18).
  free_qty: computed('float', 'Free To Use Quantity ', (row, env) => {
    const { onHand, reserved } = quantities(row, env);
    return onHand - reserved;
  }),
  virtual_available: computed('float', 'Forecasted Quantity', (row, env) => {
    const { onHand, incoming, outgoing } = quantities(row, env);
    return onHand + incoming - outgoing;
  }),
};

const quantities = (product: Row, env: Env) => {
  const { db } = env;
  if (product['type'] === 'service') return { onHand: 0, reserved: 0, outgoing: 0, incoming: 0 };
  const warehouses = warehousesIn(env);
  const isInside = (location: unknown) => {
    const found = db.get('stock.location', location);
    return found?.['usage'] === 'internal' && warehouses.has(found['warehouse_id']);
  };
  const quants = db.table('stock.quant').having('product_id', product.id) ?? [];
  const moves = isStorable(product)
    ? (db.table('stock.move').having('product_id', product.id) ?? []).filter(({ state }) => OPEN.has(state))
    : [];
  const demand = (from: string, to: string) =>
    sum(
      moves
        .filter((move) => isInside(move[from]) && !isInside(move[to]))
        .map((move) => Number(move['product_uom_qty'])),
    );
  return {
    onHand: sum(
      quants.filter((quant) => isInside(quant['location_id'])).map((quant) => Number(quant['quantity'])),
    ),
    reserved: sum(
      moves.filter((move) => isInside(move['location_id'])).map((move) => reservedBy(move, env.db)),
    ),
    outgoing: demand('location_id', 'location_dest_id'),
    incoming: demand('location_dest_id', 'location_id'),
  };
};

const reservedBy = (move: Row, db: Env['db']): number =>
  sum(
    (move['move_line_ids'] as number[]).map((id) => Number(db.get('stock.move.line', id)?.['quantity'] ?? 0)),
  );

/** Pieces in a location; what is left at zero is deleted. */
const putInto = (product: unknown, location: unknown, quantity: number, env: Env): void => {
  const { db } = env;
  if (db.get('stock.location', location)?.['usage'] !== 'internal') return;
  const quant = (db.table('stock.quant').having('product_id', product) ?? []).find(
    (each) => each['location_id'] === location,
  );
  const left = Number(quant?.['quantity'] ?? 0) + quantity;
  if (!quant) db.create('stock.quant', { product_id: product, location_id: location, quantity }, env);
  else if (left === 0) db.unlink('stock.quant', [quant.id], env);
  else db.write('stock.quant', [quant.id], { quantity: left }, env);
};

const linesOf = (move: Row): number[] => [...(move['move_line_ids'] as number[])];

/** What a move reserves from now on. */
const reserve = (move: Row, quantity: number, env: Env): void => {
  const { db } = env;
  if (linesOf(move).length > 0) db.unlink('stock.move.line', linesOf(move), env);
  if (quantity > 0) {
    const { product_id, location_id, location_dest_id } = move;
    db.create(
      'stock.move.line',
      { move_id: move.id, product_id, location_id, location_dest_id, quantity },
      env,
    );
  }
};

/** Confirms moves of a delivery: reserved at once, or when somebody asks (operation type, "Reservation Method"). */
export const confirmMove = (id: number, env: Env): void => {
  const { db } = env;
  const move = db.get('stock.move', id) as Row;
  const manual = db.get('stock.warehouse', warehouseOf(move, env))?.['reservation_method'] === 'manual';
  const quantity = Number(move['product_uom_qty']);
  db.write('stock.move', [id], { state: manual ? 'confirmed' : 'assigned' }, env);
  reserve(move, manual ? 0 : quantity, env);
  follow(id, env);
};

/** `quantity` of a move is what its lines reserve (17 and later). */
const follow = (id: number, { db }: Env): void => {
  const move = db.get('stock.move', id) as Row;
  if ('quantity' in db.model('stock.move').fields) {
    db.patch('stock.move', id, { quantity: reservedBy(move, db) });
  }
};

const warehouseOf = (move: Row, { db }: Env): unknown =>
  db.get('stock.location', move['location_id'])?.['warehouse_id'];

/** The demand of a move that is not done yet. */
export const changeDemand = (id: number, quantity: number, env: Env): void => {
  env.db.write('stock.move', [id], { product_uom_qty: quantity }, env);
  const move = env.db.get('stock.move', id) as Row;
  if (linesOf(move).length > 0) reserve(move, quantity, env);
  follow(id, env);
};

export const cancelMove = (id: number, env: Env): void => {
  const move = env.db.get('stock.move', id) as Row;
  if (move['state'] === 'done') return;
  reserve(move, 0, env);
  env.db.write('stock.move', [id], { state: 'cancel' }, env);
};

export const customerLocation = ({ db }: Env): number | undefined =>
  db.all('stock.location').find(({ usage }) => usage === 'customer')?.id;

const ofPickings =
  (
    work: (move: Row, env: Env) => void,
    state: string,
  ): ((ids: number[], args: unknown[], kwargs: Vals, env: Env) => unknown) =>
  (ids, _args, _kwargs, env) => {
    for (const picking of env.db.exists('stock.picking', ids, env)) {
      for (const id of picking['move_ids'] as number[]) work(env.db.get('stock.move', id) as Row, env);
      env.db.write('stock.picking', [picking.id], { state }, env);
    }
    return true;
  };

export const stockModels = (version: number): Model[] => [
  { name: 'uom.uom', label: 'Product Unit of Measure', fields: { name: char('Unit of Measure') } },
  {
    name: 'product.category',
    label: 'Product Category',
    fields: {
      name: char('Name'),
      parent_id: many2one('product.category', 'Parent Category'),
      complete_name: computed('char', 'Complete Name', (row, { db }) => completeName(row, db)),
    },
    displayName: (row, { db }) => completeName(row, db),
  },
  {
    name: 'stock.warehouse',
    label: 'Warehouse',
    fields: {
      name: char('Warehouse'),
      code: char('Short Name'),
      company_id: many2one('res.company', 'Company', { required: true }),
      lot_stock_id: many2one('stock.location', 'Location Stock'),
      view_location_id: many2one('stock.location', 'View Location'),
      delivery_steps: char('Outgoing Shipments', { default: () => 'ship_only' }),
      partner_id: many2one('res.partner', 'Address'),
      // Odoo keeps it on the operation type of deliveries.
      reservation_method: char('Reservation Method', { default: () => 'at_confirm' }),
    },
  },
  {
    name: 'stock.location',
    label: 'Inventory Locations',
    order: 'complete_name, id',
    fields: {
      complete_name: char('Full Location Name'),
      usage: char('Location Type', { default: () => 'internal' }),
      warehouse_id: many2one('stock.warehouse', 'Warehouse'),
      location_id: many2one('stock.location', 'Parent Location'),
    },
    displayName: (row) => String(row['complete_name']),
  },
  {
    name: 'stock.quant',
    label: 'Quants',
    indexed: ['product_id'],
    fields: {
      product_id: many2one('product.product', 'Product'),
      location_id: many2one('stock.location', 'Location'),
      quantity: number('Quantity'),
      reserved_quantity: number('Reserved Quantity'),
      available_quantity: computed('float', 'Available Quantity', (row) => row['quantity']),
      inventory_quantity: number('Counted Quantity'),
      lot_id: computed('many2one', 'Lot', () => false),
      package_id: computed('many2one', 'Package', () => false),
      owner_id: computed('many2one', 'Owner', () => false),
      company_id: computed(
        'many2one',
        'Company',
        (row, { db }) => {
          const location = db.get('stock.location', row['location_id']);
          return db.get('stock.warehouse', location?.['warehouse_id'])?.['company_id'] ?? false;
        },
        { relation: 'res.company' },
      ),
    },
    methods: {
      // Makes a move of the difference. Returns None: the answer has no `result` (observed on 18).
      action_apply_inventory: (ids, _args, _kwargs, env) => {
        for (const id of ids) {
          const quant = env.db.get('stock.quant', id) as Row;
          const counted = Number(quant['inventory_quantity']);
          const difference = counted - Number(quant['quantity']);
          const { product_id, location_id } = quant;
          const elsewhere = inventoryLocation(env);
          const [from, to] = difference > 0 ? [elsewhere, location_id] : [location_id, elsewhere];
          const links = { product_id, location_id: from, location_dest_id: to };
          const moved = Math.abs(difference);
          const move = env.db.create(
            'stock.move',
            { ...links, product_uom_qty: moved, state: 'done', ...(version >= 17 && { quantity: moved }) },
            env,
          );
          env.db.create('stock.move.line', { ...links, move_id: move, quantity: moved }, env);
          if (counted === 0) env.db.unlink('stock.quant', [id], env);
          else env.db.write('stock.quant', [id], { quantity: counted, inventory_quantity: 0 }, env);
        }
        return undefined;
      },
    },
  },
  {
    name: 'stock.picking',
    label: 'Transfer',
    indexed: ['sale_id'],
    fields: {
      name: char('Reference'),
      state: char('Status', { default: () => 'draft' }),
      origin: char('Source Document'),
      sale_id: many2one('sale.order', 'Sales Order'),
      partner_id: many2one('res.partner', 'Contact'),
      scheduled_date: { type: 'datetime', string: 'Scheduled Date' },
      date_done: { type: 'datetime', string: 'Date of Transfer' },
      carrier_id: computed('many2one', 'Carrier', () => false),
      carrier_tracking_ref: char('Tracking Reference'),
      backorder_id: many2one('stock.picking', 'Back Order of'),
      backorder_ids: one2many('stock.picking', 'backorder_id', 'Back Orders'),
      picking_type_code: char('Type of Operation', { default: () => 'outgoing' }),
      location_id: many2one('stock.location', 'Source Location'),
      location_dest_id: many2one('stock.location', 'Destination Location'),
      move_ids: one2many('stock.move', 'picking_id', 'Stock Moves'),
    },
    methods: {
      action_confirm: ofPickings((move, env) => {
        if (move['state'] === 'draft') env.db.write('stock.move', [move.id], { state: 'confirmed' }, env);
      }, 'confirmed'),
      action_assign: ofPickings((move, env) => {
        reserve(move, Number(move['product_uom_qty']), env);
        env.db.write('stock.move', [move.id], { state: 'assigned' }, env);
        follow(move.id, env);
      }, 'assigned'),
      do_unreserve: ofPickings((move, env) => {
        reserve(move, 0, env);
        env.db.write('stock.move', [move.id], { state: 'confirmed' }, env);
        follow(move.id, env);
      }, 'confirmed'),
      action_cancel: ofPickings((move, env) => cancelMove(move.id, env), 'cancel'),
      button_validate: ofPickings((move, env) => {
        if (!OPEN.has(move['state'])) throw userError('You cannot validate a transfer that is not ready.');
        const quantity = Number(move['product_uom_qty']);
        putInto(move['product_id'], move['location_id'], 0 - quantity, env);
        putInto(move['product_id'], move['location_dest_id'], quantity, env);
        env.db.write('stock.move', [move.id], { state: 'done' }, env);
      }, 'done'),
    },
  },
  {
    name: 'stock.move',
    label: 'Stock Move',
    indexed: ['product_id', 'picking_id'],
    fields: {
      product_id: many2one('product.product', 'Product'),
      product_uom_qty: number('Demand'),
      state: char('Status', { default: () => 'draft' }),
      picking_id: many2one('stock.picking', 'Transfer'),
      sale_line_id: many2one('sale.order.line', 'Sale Line'),
      location_id: many2one('stock.location', 'Source Location'),
      location_dest_id: many2one('stock.location', 'Destination Location'),
      move_line_ids: one2many('stock.move.line', 'move_id', 'Move Lines'),
      ...(version >= 17
        ? { quantity: number('Quantity'), picked: flag('Picked') }
        : { quantity_done: number('Done') }),
    },
    unlinked: () => undefined,
  },
  {
    name: 'stock.move.line',
    label: 'Product Moves (Stock Move Line)',
    fields: {
      move_id: many2one('stock.move', 'Stock Operation'),
      product_id: many2one('product.product', 'Product'),
      location_id: many2one('stock.location', 'From'),
      location_dest_id: many2one('stock.location', 'To'),
      quantity: number('Quantity'),
    },
  },
];

const completeName = (row: Row, db: Env['db']): string => {
  const parent = db.get('product.category', row['parent_id']);
  return parent ? `${completeName(parent, db)} / ${String(row['name'])}` : String(row['name']);
};

const inventoryLocation = ({ db, ...env }: Env): number =>
  db.all('stock.location').find(({ usage }) => usage === 'inventory')?.id ??
  db.create(
    'stock.location',
    { complete_name: 'Virtual Locations/Inventory adjustment', usage: 'inventory' },
    { db, ...env },
  );
