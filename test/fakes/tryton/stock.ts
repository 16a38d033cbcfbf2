import type { RecordStore, Values } from './records.ts';

/** Moves of a shipment by its state: out of the storage zone, and out of the warehouse (observed on Tryton 6.0.29). */
const STATES: Readonly<Record<string, readonly [inventory: string, outgoing: string]>> = {
  draft: ['draft', 'draft'],
  waiting: ['draft', 'draft'],
  assigned: ['assigned', 'draft'],
  picked: ['done', 'draft'],
  packed: ['done', 'assigned'],
  done: ['done', 'done'],
  cancelled: ['cancelled', 'cancelled'],
};

/**
 * What the module stock does: pieces are what moves have moved (trytond/modules/stock/move.py, compute_quantities_query), of
 * the company that the context names.
 */
export const stocks = (store: RecordStore) => {
  const zones = new Map<number, Readonly<Record<'IN' | 'OUT' | 'STO', number>>>();
  const outside: Record<string, number> = {};
  const location = (values: object): number =>
    store.create('stock.location', { code: null, warehouse: null, ...values }).id;

  const warehouse = (code: string): number => {
    const id = location({ type: 'warehouse', code, name: code });
    const suffix = code === 'WH' ? '' : `-${code}`;
    const zone = (name: string) => location({ type: 'storage', code: `${name}${suffix}`, warehouse: id });
    const storage_location = zone('STO');
    zones.set(id, { STO: storage_location, IN: zone('IN'), OUT: zone('OUT') });
    store.assign('stock.location', store.get('stock.location', id), { warehouse: id, storage_location });
    return id;
  };
  const zonesOf = (id: unknown) => {
    const found = zones.get(Number(id)) ?? [...zones.values()][0];
    if (!found) throw new Error('the fake Tryton has no warehouse');
    return found;
  };

  const makeMove = (values: object): Values =>
    store.create('stock.move', { company: 1, state: 'draft', line: null, ...values });
  const setState = (id: number, state: string): void => {
    const move = store.get('stock.move', id);
    if (move['state'] !== state) store.write('stock.move', id, { state });
  };

  store.compute('product.product', 'quantity', (product, context) => {
    const wanted = context['locations'] as number[] | undefined;
    const inside = new Set(
      store
        .all('stock.location')
        .filter(({ id, warehouse: of }) => wanted?.includes(id) || wanted?.includes(Number(of)))
        .map(({ id }) => id),
    );
    let pieces = 0;
    for (const move of store.all('stock.move')) {
      if (move['product'] !== product.id || move['state'] !== 'done') continue;
      if (move['company'] !== (context['company'] ?? 1)) continue;
      const quantity = Number(move['internal_quantity']);
      if (inside.has(Number(move['to_location']))) pieces += quantity;
      if (inside.has(Number(move['from_location']))) pieces -= quantity;
    }
    return pieces;
  });

  store.onCreate('stock.inventory', (values) => ({ company: 1, state: 'draft', ...values }));

  return {
    /** Locations: warehouses with their zones, and those outside. */
    seed: (codes: readonly string[]): void => {
      for (const code of codes) warehouse(code);
      outside['customer'] = location({ type: 'customer', code: 'CUS' });
      outside['supplier'] = location({ type: 'supplier', code: 'SUP' });
      outside['lost_found'] = location({ type: 'lost_found', name: 'Lost and Found' });
    },

    /** Somebody counts what lies in the storage zone, as an inventory does: a move makes up the difference. */
    count: (product: number, quantity: number, code: string, company: number): void => {
      const [found] = store
        .all('stock.location')
        .filter((each) => each['type'] === 'warehouse' && each['code'] === code);
      const { STO } = zonesOf(found?.id);
      const context = { locations: [found?.id], company };
      const [row] = [
        store.read('product.product', store.get('product.product', product), ['quantity'], context),
      ];
      const difference = quantity - Number(row?.['quantity']);
      const lost = outside['lost_found'];
      const [from, to] = difference > 0 ? [lost, STO] : [STO, lost];
      makeMove({
        product,
        company,
        internal_quantity: Math.abs(difference),
        from_location: from,
        to_location: to,
        state: 'done',
      });
    },

    /** An inventory: moves make up the differences of its lines, once. */
    confirm: (id: number): void => {
      const inventory = store.get('stock.inventory', id);
      if (inventory['state'] !== 'draft') return;
      const location = Number(inventory['location']);
      for (const line of store.all('stock.inventory.line').filter((each) => each['inventory'] === id)) {
        const product = store.get('product.product', line['product']);
        const { quantity } = store.read('product.product', product, ['quantity'], { locations: [location] });
        const difference = Number(line['quantity']) - Number(quantity);
        if (difference === 0) continue;
        const lost = outside['lost_found'];
        const [from_location, to_location] = difference > 0 ? [lost, location] : [location, lost];
        const internal_quantity = Math.abs(difference);
        makeMove({ product: product.id, internal_quantity, from_location, to_location, state: 'done' });
      }
      store.write('stock.inventory', id, { state: 'done' });
    },

    /** Pieces on their way from a supplier. @returns receives them */
    order: (product: number, quantity: number, code: string): (() => void) => {
      const [found] = store
        .all('stock.location')
        .filter((each) => each['type'] === 'warehouse' && each['code'] === code);
      const { IN } = zonesOf(found?.id);
      const links = { from_location: outside['supplier'], to_location: IN };
      const { id } = makeMove({ product, internal_quantity: quantity, ...links });
      return () => setState(id, 'done');
    },

    /** Moves of one line of a shipment: within the warehouse, and out of it. */
    ship: (line: Values, quantity: number, sale: Values) => {
      const { STO, OUT } = zonesOf(sale['warehouse']);
      const factor = (unit: unknown) =>
        Number(store.all('product.uom').find(({ id }) => id === unit)?.['factor'] ?? 1);
      const { default_uom } = store.get('product.product', line['product']);
      const internal_quantity = (quantity * factor(line['unit'])) / factor(default_uom);
      const moved = { product: line['product'], internal_quantity };
      return {
        inventory: makeMove({ ...moved, from_location: STO, to_location: OUT }).id,
        outgoing: makeMove({
          ...moved,
          line: line.id,
          from_location: OUT,
          to_location: outside['customer'],
        }).id,
      };
    },

    /** The moves of a shipment follow its state. */
    follow: (shipment: Values): void => {
      const [inventory = 'draft', outgoing = 'draft'] = STATES[String(shipment['state'])] ?? [];
      for (const id of shipment['inventory_moves'] as number[]) setState(id, inventory);
      for (const id of shipment['outgoing_moves'] as number[]) setState(id, outgoing);
    },

    /** A shipment that is made anew leaves none behind. */
    drop: (shipment: Values): void => {
      for (const field of ['inventory_moves', 'outgoing_moves']) {
        for (const id of shipment[field] as number[]) store.remove('stock.move', id);
      }
    },
  };
};
export type Stocks = ReturnType<typeof stocks>;
