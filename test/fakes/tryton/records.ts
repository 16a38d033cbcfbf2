/** One record; references are ids, x2many fields lists of ids. */
export type Values = Record<string, unknown> & { id: number };

/** Where a field leads. `one`: an id of that model. `many`: the records whose `by` is this one. `ids`: a list of ids. */
type Relation =
  | { readonly kind: 'one' | 'ids'; readonly model: string }
  | { readonly kind: 'many'; readonly model: string; readonly by: string };

/** As in Tryton's modules of 6.0, as far as the connector reads or writes them. */
const RELATIONS: Readonly<Record<string, Readonly<Record<string, Relation>>>> = {
  'company.company': {
    party: { kind: 'one', model: 'party.party' },
    currency: { kind: 'one', model: 'currency.currency' },
  },
  'product.template': {
    categories: { kind: 'ids', model: 'product.category' },
    account_category: { kind: 'one', model: 'product.category' },
  },
  'product.price_list.line': { price_list: { kind: 'one', model: 'product.price_list' } },
  'product.product': {
    template: { kind: 'one', model: 'product.template' },
    default_uom: { kind: 'one', model: 'product.uom' },
    sale_uom: { kind: 'one', model: 'product.uom' },
  },
  'stock.move': {
    product: { kind: 'one', model: 'product.product' },
    from_location: { kind: 'one', model: 'stock.location' },
    to_location: { kind: 'one', model: 'stock.location' },
  },
  'stock.inventory': { lines: { kind: 'many', model: 'stock.inventory.line', by: 'inventory' } },
  'sale.line': {
    product: { kind: 'one', model: 'product.product' },
    unit: { kind: 'one', model: 'product.uom' },
    sale: { kind: 'one', model: 'sale.sale' },
    moves: { kind: 'many', model: 'stock.move', by: 'line' },
  },
  'account.period': { fiscalyear: { kind: 'one', model: 'account.fiscalyear' } },
  'account.move': { lines: { kind: 'many', model: 'account.move.line', by: 'move' } },
  'account.tax': { group: { kind: 'one', model: 'account.tax.group' } },
  'party.party': {
    addresses: { kind: 'many', model: 'party.address', by: 'party' },
    identifiers: { kind: 'many', model: 'party.identifier', by: 'party' },
    contact_mechanisms: { kind: 'many', model: 'party.contact_mechanism', by: 'party' },
  },
  'sale.sale': {
    currency: { kind: 'one', model: 'currency.currency' },
    invoice_address: { kind: 'one', model: 'party.address' },
    shipment_address: { kind: 'one', model: 'party.address' },
    lines: { kind: 'many', model: 'sale.line', by: 'sale' },
    amendments: { kind: 'many', model: 'sale.amendment', by: 'sale' },
    shipments: { kind: 'ids', model: 'stock.shipment.out' },
    invoices: { kind: 'ids', model: 'account.invoice' },
  },
  'sale.amendment': { lines: { kind: 'many', model: 'sale.amendment.line', by: 'amendment' } },
};

type Clause = readonly unknown[];

/** trytond/exceptions.py: `error` of an answer. */
export class TrytonFault extends Error {
  readonly fault: readonly unknown[];

  constructor(...fault: readonly unknown[]) {
    super(String(fault[0]));
    this.fault = fault;
  }
}
export const userError = (message: string): TrytonFault => new TrytonFault('UserError', [message, '', null]);

/** @example dateOf('2026-11-23') */
export const dateOf = (iso: string) => {
  const [year, month, day] = iso.split('-').map(Number);
  return { __class__: 'date', year, month, day };
};

/** Tables of records with Tryton's domains, dotted fields and x2many commands. */
export const recordStore = (nowMs: () => number = Date.now) => {
  const tables = new Map<string, Map<number, Values>>();
  const table = (model: string): Map<number, Values> => {
    const found = tables.get(model) ?? new Map<number, Values>();
    tables.set(model, found);
    return found;
  };
  const relation = (model: string, field: string): Relation | undefined => RELATIONS[model]?.[field];

  const all = (model: string): Values[] => [...table(model).values()];
  const get = (model: string, id: unknown): Values => {
    const found = table(model).get(Number(id));
    if (!found) throw userError(`You are not allowed to read records "${id}" of "${model}".`);
    return found;
  };
  const isActive = (record: Values): boolean => record['active'] !== false;

  /** The records that a field leads to. */
  const related = (model: string, record: Values, field: string): readonly [string, Values[]] => {
    const to = relation(model, field);
    // A KeyError of Python's, without its class (observed).
    if (!to) throw new TrytonFault(`'${field}'`, '');
    if (to.kind === 'many') {
      return [to.model, all(to.model).filter((other) => other[to.by] === record.id && isActive(other))];
    }
    const ids = to.kind === 'one' ? [record[field]] : (record[field] as number[]);
    return [to.model, ids.flatMap((id) => table(to.model).get(Number(id)) ?? [])];
  };

  const valuesAt = (model: string, record: Values, path: readonly string[]): unknown[] => {
    const [field = '', ...rest] = path;
    if (rest.length === 0) {
      if (relation(model, field)?.kind !== 'many') return [record[field] ?? null];
      const ids = related(model, record, field)[1].map(({ id }) => id);
      return ids.length > 0 ? ids : [null];
    }
    const [next, records] = related(model, record, field);
    return records.length === 0 ? [null] : records.flatMap((each) => valuesAt(next, each, rest));
  };

  const holds = (model: string, record: Values, clause: Clause): boolean => {
    if (clause[0] === 'OR') return clause.slice(1).some((each) => holds(model, record, each as Clause));
    if (Array.isArray(clause[0])) return clause.every((each) => holds(model, record, each as Clause));
    const [field, operator, wanted] = clause as [string, string, unknown];
    return valuesAt(model, record, field.split('.')).some((value) => compare(value, operator, wanted));
  };

  const search = (model: string, domain: readonly Clause[], context: Record<string, unknown>): Values[] => {
    const asksActive = context['active_test'] === false || domain.some(([field]) => field === 'active');
    return all(model).filter(
      (record) => (asksActive || isActive(record)) && domain.every((clause) => holds(model, record, clause)),
    );
  };

  /** `party.name` comes as `party.`, with the id (observed). */
  const read = (
    model: string,
    record: Values,
    fields: readonly string[],
    context: Record<string, unknown> = {},
  ): Values => {
    const row: Values = { id: record.id };
    const nested = new Map<string, string[]>();
    for (const name of fields) {
      const [field = '', ...rest] = name.split('.');
      if (rest.length > 0) {
        nested.set(field, [...(nested.get(field) ?? []), rest.join('.')]);
        continue;
      }
      const to = relation(model, field);
      const compute = computed.get(`${model} ${field}`);
      row[field] = compute
        ? compute(record, context)
        : to?.kind === 'many'
          ? related(model, record, field)[1].map(({ id }) => id)
          : (record[field] ?? null);
    }
    for (const [field, names] of nested) {
      const [next, records] = related(model, record, field);
      const rows = records.map((each) => read(next, each, names, context));
      row[`${field}.`] = relation(model, field)?.kind === 'one' ? (rows[0] ?? null) : rows;
    }
    return row;
  };

  /** `[['create', [...]], ['delete', ids], ['add', ids]]`; everything else is the value itself. */
  const assign = (model: string, record: Values, values: Record<string, unknown>): void => {
    for (const [field, value] of Object.entries(values)) {
      const to = relation(model, field);
      if (to?.kind === 'many') {
        for (const [command, given] of value as [string, unknown[]][]) {
          if (command === 'delete') for (const id of given) table(to.model).delete(Number(id));
          if (command === 'create') {
            for (const each of given) create(to.model, { ...(each as object), [to.by]: record.id });
          }
        }
      } else if (field === 'taxes') {
        record[field] = (value as [string, number[]][]).flatMap(([, ids]) => ids);
      } else {
        record[field] = value;
      }
    }
  };

  const hooks = new Map<string, (values: Record<string, unknown>) => Record<string, unknown>>();
  const create = (model: string, given: Record<string, unknown>): Values => {
    const values = hooks.get(model)?.(given) ?? given;
    const rows = table(model);
    // `write_date` is null until the first write (observed).
    const created = { create_date: datetimeOf(nowMs()), write_date: null };
    const record: Values = { id: (lastId.get(model) ?? 0) + 1, ...created };
    lastId.set(model, record.id);
    rows.set(record.id, record);
    assign(model, record, values);
    return record;
  };
  const lastId = new Map<string, number>();
  const computed = new Map<string, (record: Values, context: Record<string, unknown>) => unknown>();
  const touch = (record: Values): void => {
    record['write_date'] = datetimeOf(nowMs());
  };

  return {
    all,
    get,
    search,
    read,
    create,
    assign,
    /** As a user or another module does. */
    write: (model: string, id: number, values: Record<string, unknown>): void => {
      const record = get(model, id);
      assign(model, record, values);
      touch(record);
    },
    touch,
    /** A field that is worked out when it is read. */
    compute: (
      model: string,
      field: string,
      work: (record: Values, context: Record<string, unknown>) => unknown,
    ) => void computed.set(`${model} ${field}`, work),
    remove: (model: string, id: number) => table(model).delete(id),
    /** Defaults and checks of a model, before it is created. */
    onCreate: (model: string, hook: (values: Record<string, unknown>) => Record<string, unknown>) =>
      hooks.set(model, hook),
  };
};
export type RecordStore = ReturnType<typeof recordStore>;

const compare = (value: unknown, operator: string, wanted: unknown): boolean => {
  switch (operator) {
    case '=':
      return value === wanted || (wanted === null && value === undefined);
    case '!=':
      return (value ?? null) !== wanted;
    case 'in':
      return (wanted as unknown[]).includes(value);
    case '>':
      return typeof wanted === 'object'
        ? value !== null && sortable(value) > sortable(wanted)
        : Number(value) > Number(wanted);
    case '>=':
      return value !== null && sortable(value) >= sortable(wanted);
    case '<=':
      return value !== null && sortable(value) <= sortable(wanted);
    case 'ilike':
      return typeof value === 'string' && like(String(wanted)).test(value);
    default:
      throw new TrytonFault(`'${operator}'`, '');
  }
};

/** Dates come as year, month and day, moments with a time as well. */
const sortable = (value: unknown): number => {
  const { year = 0, month = 1, day, ...time } = value as Partial<Record<string, number>>;
  const { hour = 0, minute = 0, second = 0, microsecond = 0 } = time;
  return Date.UTC(year, month - 1, day, hour, minute, second) + microsecond / 1000;
};

const datetimeOf = (ms: number) => {
  const at = new Date(ms);
  return {
    __class__: 'datetime',
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    microsecond: at.getUTCMilliseconds() * 1000,
  };
};

/** `%` and `_` are wild, a backslash takes that away (observed). */
const like = (pattern: string): RegExp => {
  const source = pattern.replace(/\\([\\%_])|([%_])|([.*+?^${}()|[\]\\])/g, (_all, quoted, wild, special) => {
    if (quoted) return quoted === '\\' ? '\\\\' : quoted;
    if (wild) return wild === '%' ? '.*' : '.';
    return `\\${special}`;
  });
  return new RegExp(`^${source}$`, 'iu');
};
