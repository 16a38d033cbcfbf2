/**
 * Odoo's record layer, as far as an integration meets it: models with fields, domains, x2many commands, context
 * (`active_test`, `allowed_company_ids`), record rules by company, and a transaction per call.
 * Messages and exception names are those of Odoo 18 (observed).
 */
export class OdooException extends Error {
  readonly exception: string;
  constructor(exception: string, message: string) {
    super(message);
    this.exception = exception;
  }
}
export const userError = (message: string) => new OdooException('odoo.exceptions.UserError', message);
export const validationError = (message: string) =>
  new OdooException('odoo.exceptions.ValidationError', message);

export type Row = { id: number; [field: string]: unknown };
export type Vals = Record<string, unknown>;

export interface Field {
  readonly type:
    | 'char'
    | 'text'
    | 'html'
    | 'integer'
    | 'float'
    | 'boolean'
    | 'datetime'
    | 'date'
    | 'selection'
    | 'many2one'
    | 'one2many'
    | 'many2many';
  readonly string?: string;
  readonly relation?: string;
  /** one2many: the many2one that points back. */
  readonly inverse?: string;
  readonly required?: boolean;
  readonly readonly?: boolean;
  readonly selection?: readonly (readonly [string, string])[];
  /** Decimals that are kept. */
  readonly digits?: number | (() => number);
  readonly default?: (env: Env) => unknown;
  /** Computed when read, not stored. */
  readonly get?: (row: Row, env: Env) => unknown;
}

export interface Model {
  readonly name: string;
  readonly label: string;
  readonly order?: string;
  readonly fields: Readonly<Record<string, Field>>;
  readonly displayName?: (row: Row, env: Env) => string;
  /** Looked up by equality often. */
  readonly indexed?: readonly string[];
  readonly prepare?: (vals: Vals, env: Env) => void;
  readonly created?: (row: Row, env: Env) => void;
  readonly written?: (row: Row, vals: Vals, env: Env) => void;
  readonly unlinking?: (row: Row, env: Env) => void;
  readonly unlinked?: (row: Row, env: Env) => void;
  /** Public methods besides those of every model: `(ids, args, kwargs)`. */
  readonly methods?: Readonly<
    Record<string, (ids: number[], args: unknown[], kwargs: Vals, env: Env) => unknown>
  >;
}

export interface Env {
  readonly db: Database;
  readonly uid: number;
  readonly context: Vals;
  /** Companies whose records may be seen; the first one is used for what is created. */
  readonly companyIds: readonly number[];
}

class Table {
  readonly rows = new Map<number, Row>();
  private readonly indexes = new Map<string, Map<unknown, Set<number>>>();
  private lastId = 0;

  constructor(indexed: readonly string[]) {
    for (const field of indexed) this.indexes.set(field, new Map());
  }

  nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  startAt(id: number): void {
    this.lastId = id - 1;
  }

  put(row: Row): void {
    this.unindex(row.id);
    this.lastId = Math.max(this.lastId, row.id);
    this.rows.set(row.id, row);
    for (const [field, index] of this.indexes) {
      const ids = index.get(row[field]) ?? new Set();
      index.set(row[field], ids.add(row.id));
    }
  }

  /** The rows as they are now; called, they are so again. Ids are given out anew, as after a restore. */
  saved(): () => void {
    const lastId = this.lastId;
    const rows = structuredClone([...this.rows.values()]);
    return () => {
      for (const id of [...this.rows.keys()]) this.drop(id);
      for (const row of structuredClone(rows)) this.put(row);
      this.lastId = lastId;
    };
  }

  drop(id: number): void {
    this.unindex(id);
    this.rows.delete(id);
  }

  private unindex(id: number): void {
    const old = this.rows.get(id);
    if (!old) return;
    for (const [field, index] of this.indexes) index.get(old[field])?.delete(id);
  }

  /** Rows that may have this value; undefined: not indexed. */
  having(field: string, value: unknown): Row[] | undefined {
    const index = this.indexes.get(field);
    if (!index) return undefined;
    return [...(index.get(value) ?? [])].map((id) => this.rows.get(id) as Row);
  }
}

export class Database {
  readonly nowMs: () => number;
  private readonly models = new Map<string, Model>();
  private readonly tables = new Map<string, Table>();
  private undo: (() => void)[] = [];

  constructor(models: readonly Model[], nowMs: () => number) {
    this.nowMs = nowMs;
    for (const model of models) {
      const fields: Record<string, Field> = {
        id: { type: 'integer', string: 'ID', readonly: true },
        display_name: {
          type: 'char',
          string: 'Display Name',
          readonly: true,
          get: (row, env) => this.displayName(model.name, row, env),
        },
        create_date: { type: 'datetime', string: 'Created on', readonly: true },
        write_date: { type: 'datetime', string: 'Last Updated on', readonly: true },
        ...model.fields,
      };
      this.models.set(model.name, { ...model, fields });
      this.tables.set(model.name, new Table(model.indexed ?? []));
    }
  }

  /** A backup of everything; called, it is restored. */
  saved(): () => void {
    const restores = [...this.tables.values()].map((table) => table.saved());
    return () => {
      for (const restore of restores) restore();
    };
  }

  has(model: string): boolean {
    return this.models.has(model);
  }
  model(name: string): Model {
    const model = this.models.get(name);
    if (!model) throw userError(`Object ${name} doesn't exist`);
    return model;
  }
  table(name: string): Table {
    this.model(name);
    return this.tables.get(name) as Table;
  }
  get(model: string, id: unknown): Row | undefined {
    return typeof id === 'number' ? this.table(model).rows.get(id) : undefined;
  }
  all(model: string): Row[] {
    return [...this.table(model).rows.values()];
  }
  now(): string {
    return new Date(this.nowMs()).toISOString().slice(0, 19).replace('T', ' ');
  }

  /** One call is one transaction: an exception leaves nothing behind. */
  transaction<T>(work: () => T): T {
    this.undo = [];
    try {
      return work();
    } catch (error) {
      for (const step of this.undo.reverse()) step();
      throw error;
    } finally {
      this.undo = [];
    }
  }

  /** Store a changed copy of a row. */
  put(model: string, row: Row): void {
    const table = this.table(model);
    const old = table.rows.get(row.id);
    this.undo.push(() => (old ? table.put(old) : table.drop(row.id)));
    table.put(row);
  }
  patch(model: string, id: number, vals: Vals): Row {
    const row = { ...(this.get(model, id) as Row), ...vals };
    this.put(model, row);
    return row;
  }
  private remove(model: string, id: number): void {
    const table = this.table(model);
    const old = table.rows.get(id);
    if (!old) return;
    this.undo.push(() => table.put(old));
    table.drop(id);
  }

  displayName(model: string, row: Row, env: Env): string {
    const spec = this.model(model);
    return spec.displayName?.(row, env) ?? String(row['name'] ?? `${model},${row.id}`);
  }

  exists(model: string, ids: readonly number[], env: Env): Row[] {
    return ids.map((id) => {
      const row = this.get(model, id);
      if (row) return row;
      throw new OdooException(
        'odoo.exceptions.MissingError',
        `Record does not exist or has been deleted.\n(Record: ${model}(${id},), User: ${env.uid})`,
      );
    });
  }

  value(model: string, row: Row, name: string, env: Env): unknown {
    const field = this.field(model, name);
    return field.get ? field.get(row, env) : (row[name] ?? empty(field));
  }
  private field(model: string, name: string): Field {
    const field = this.model(model).fields[name];
    if (field) return field;
    throw new OdooException('builtins.ValueError', `Invalid field '${name}' on model '${model}'`);
  }

  // --- reading ---------------------------------------------------------------------------------------------

  search(
    model: string,
    domain: readonly unknown[],
    options: { order?: string; limit?: number; offset?: number },
    env: Env,
  ): Row[] {
    const spec = this.model(model);
    const { context } = env;
    const names = domain.filter(Array.isArray).map(([field]) => String(field));
    const activeOnly = spec.fields['active'] && context['active_test'] !== false && !names.includes('active');
    const plain = !domain.some((term) => term === '|' || term === '!');
    const hinted = plain
      ? domain
          .filter(Array.isArray)
          .filter(([, operator]) => operator === '=')
          .map(([field, , value]) =>
            field === 'id'
              ? [this.get(model, value)].filter((row) => row !== undefined)
              : this.table(model).having(String(field), value),
          )
          .find((rows) => rows !== undefined)
      : undefined;
    const found = (hinted ?? this.all(model)).filter(
      (row) =>
        this.visible(model, row, env) &&
        (!activeOnly || row['active'] !== false) &&
        this.matches(model, row, domain, env),
    );
    const order = options.order || spec.order || 'id';
    found.sort(this.comparator(model, order, env));
    const from = options.offset ?? 0;
    return found.slice(from, options.limit ? from + options.limit : undefined);
  }

  /** Record rule: only records of the companies at hand, or of none. */
  private visible(model: string, row: Row, env: Env): boolean {
    if (model === 'res.company') return env.companyIds.includes(row.id);
    const company = row['company_id'];
    return typeof company !== 'number' || env.companyIds.includes(company);
  }

  private comparator(model: string, order: string, env: Env) {
    const keys = order.split(',').map((part) => {
      const [name = 'id', direction = 'asc'] = part.trim().split(/\s+/);
      this.field(model, name);
      return { name, sign: direction.toLowerCase() === 'desc' ? -1 : 1 };
    });
    const key = (row: Row, name: string) => this.value(model, row, name, env) || '';
    return (a: Row, b: Row): number => {
      for (const { name, sign } of keys) {
        const [x, y] = [key(a, name), key(b, name)];
        if (x === y) continue;
        if (typeof x === 'number' && typeof y === 'number') return (x - y) * sign;
        return (String(x) < String(y) ? -1 : 1) * sign;
      }
      return 0;
    };
  }

  private matches(model: string, row: Row, domain: readonly unknown[], env: Env): boolean {
    const stack: boolean[] = [];
    for (const term of [...domain].reverse()) {
      if (term === '!') stack.push(!stack.pop());
      else if (term === '&' || term === '|') {
        const [a, b] = [stack.pop() ?? true, stack.pop() ?? true];
        stack.push(term === '&' ? a && b : a || b);
      } else if (Array.isArray(term) && term.length === 3) {
        stack.push(this.leaf(model, row, term as [string, string, unknown], env));
      } else {
        throw new OdooException('builtins.ValueError', `Invalid leaf ${JSON.stringify(term)}`);
      }
    }
    return stack.every(Boolean); // terms without an operator are joined by "and"
  }

  private leaf(
    model: string,
    row: Row,
    [path, operator, value]: [string, string, unknown],
    env: Env,
  ): boolean {
    const [name = '', ...rest] = path.split('.');
    const field = this.field(model, name);
    const own = this.value(model, row, name, env);
    if (rest.length > 0) {
      const relation = field.relation ?? '';
      const ids = Array.isArray(own) ? (own as number[]) : own === false ? [] : [own as number];
      return ids.some((id) => {
        const related = this.get(relation, id);
        return related !== undefined && this.leaf(relation, related, [rest.join('.'), operator, value], env);
      });
    }
    if (operator === 'child_of') {
      const roots = Array.isArray(value) ? value : [value];
      const parent = this.model(model).fields['parent_id'] ? 'parent_id' : 'location_id';
      for (let at: Row | undefined = row; at; at = this.get(model, at[parent])) {
        if (roots.includes(at.id)) return true;
      }
      return false;
    }
    const values = Array.isArray(own) ? (own as unknown[]) : [own];
    const isEmpty = values.length === 0 || values.every((item) => item === false || item === '');
    const equals = (other: unknown) =>
      other === false || other === null || other === ''
        ? isEmpty
        : field.type === 'many2one' && typeof other === 'string'
          ? this.nameOf(field, own, env) === other
          : values.includes(other);
    const like = (pattern: string) => {
      const subject = field.type === 'many2one' ? this.nameOf(field, own, env) : own;
      return typeof subject === 'string' && likeRegExp(pattern).test(subject);
    };
    switch (operator) {
      case '=':
        return equals(value);
      case '!=':
      case '<>':
        return !equals(value);
      case 'in':
        return (value as unknown[]).some(equals);
      case 'not in':
        return !(value as unknown[]).some(equals);
      case '=ilike':
        return like(String(value));
      case 'ilike':
        return like(`%${String(value)}%`);
      case 'not ilike':
        return !like(`%${String(value)}%`);
      case '>':
        return !isEmpty && (own as string) > (value as string);
      case '>=':
        return !isEmpty && (own as string) >= (value as string);
      case '<':
        return !isEmpty && (own as string) < (value as string);
      case '<=':
        return !isEmpty && (own as string) <= (value as string);
      default:
        throw new OdooException('builtins.ValueError', `Invalid operator '${operator}'`);
    }
  }

  private nameOf(field: Field, id: unknown, env: Env): string | false {
    const row = this.get(field.relation ?? '', id);
    return row ? this.displayName(field.relation ?? '', row, env) : false;
  }

  /** As the wire shows it: `[id, name]` for many2one, false for nothing, `id` first. */
  read(model: string, rows: readonly Row[], names: readonly string[] | undefined, env: Env): Vals[] {
    const fields = names && names.length > 0 ? names : Object.keys(this.model(model).fields);
    return rows.map((row) => {
      const out: Vals = { id: row.id };
      for (const name of fields) {
        const field = this.field(model, name);
        const value = this.value(model, row, name, env);
        const related = field.type === 'many2one' && this.get(field.relation ?? '', value);
        out[name] = related
          ? [related.id, this.displayName(field.relation ?? '', related, env)]
          : field.type === 'many2one'
            ? false
            : value;
      }
      return out;
    });
  }

  fieldsGet(
    model: string,
    names: readonly string[] | undefined,
    attributes: readonly string[] | undefined,
  ): Vals {
    const out: Record<string, Vals> = {};
    for (const [name, field] of Object.entries(this.model(model).fields)) {
      if (names && names.length > 0 && !names.includes(name)) continue;
      const info: Vals = {
        type: field.type,
        string: field.string ?? name,
        required: field.required ?? false,
        readonly: field.readonly ?? false,
        store: !field.get,
        ...(field.relation && { relation: field.relation }),
        ...(field.selection && { selection: field.selection }),
      };
      out[name] = attributes
        ? Object.fromEntries(Object.entries(info).filter(([key]) => attributes.includes(key)))
        : info;
    }
    return out;
  }

  // --- writing ---------------------------------------------------------------------------------------------

  create(model: string, given: Vals, env: Env): number {
    const spec = this.model(model);
    for (const name of Object.keys(given)) this.field(model, name);
    const vals = { ...given };
    for (const [name, field] of Object.entries(spec.fields)) {
      if (vals[name] === undefined && field.default) vals[name] = field.default(env);
    }
    spec.prepare?.(vals, env);
    const row: Row = { id: this.table(model).nextId(), create_date: this.now(), write_date: this.now() };
    for (const [name, field] of Object.entries(spec.fields)) {
      if (field.get || name in row) continue;
      row[name] = isX2many(field) ? [] : this.checked(model, name, field, vals[name] ?? empty(field), env);
    }
    for (const [name, field] of Object.entries(spec.fields)) {
      if (field.required && row[name] === false) throw mandatory(spec, name);
    }
    this.put(model, row);
    for (const [name, field] of Object.entries(spec.fields)) {
      if (field.type !== 'many2one') continue;
      this.link(model, field, row[name], row.id);
    }
    for (const [name, value] of Object.entries(vals)) {
      if (isX2many(this.field(model, name)) && value) this.command(model, row.id, name, value, env);
    }
    spec.created?.(this.get(model, row.id) as Row, env);
    return row.id;
  }

  write(model: string, ids: readonly number[], vals: Vals, env: Env): void {
    const spec = this.model(model);
    for (const name of Object.keys(vals)) this.field(model, name);
    for (const before of this.exists(model, ids, env)) {
      const changes: Vals = { write_date: this.now() };
      for (const [name, value] of Object.entries(vals)) {
        const field = this.field(model, name);
        if (isX2many(field) || field.get) continue;
        changes[name] = this.checked(model, name, field, value, env);
        if (field.required && changes[name] === false) throw mandatory(spec, name);
      }
      this.patch(model, before.id, changes);
      for (const [name, value] of Object.entries(vals)) {
        if (isX2many(this.field(model, name))) this.command(model, before.id, name, value, env);
      }
      spec.written?.(this.get(model, before.id) as Row, vals, env);
    }
  }

  unlink(model: string, ids: readonly number[], env: Env): void {
    const spec = this.model(model);
    const rows = this.exists(model, ids, env);
    for (const row of rows) spec.unlinking?.(row, env);
    for (const row of rows) {
      for (const [name, field] of Object.entries(spec.fields)) {
        if (field.type === 'one2many' && spec.unlinked && Array.isArray(row[name])) {
          for (const id of row[name] as number[]) this.remove(field.relation ?? '', id);
        }
        if (field.type === 'many2one') this.unlinkFrom(model, field, row[name], row.id);
      }
      this.remove(model, row.id);
      spec.unlinked?.(row, env);
    }
  }

  /** Keep the other side of a many2one in step. */
  private link(model: string, field: Field, parentId: unknown, id: number): void {
    for (const [name, list] of this.inverses(model, field)) {
      const parent = this.get(field.relation ?? '', parentId);
      if (parent && list.inverse && this.get(model, id)?.[list.inverse] === parentId) {
        this.patch(field.relation ?? '', parent.id, { [name]: [...(parent[name] as number[]), id] });
      }
    }
  }
  private unlinkFrom(model: string, field: Field, parentId: unknown, id: number): void {
    for (const [name] of this.inverses(model, field)) {
      const parent = this.get(field.relation ?? '', parentId);
      if (parent) {
        const ids = (parent[name] as number[]).filter((child) => child !== id);
        this.patch(field.relation ?? '', parent.id, { [name]: ids });
      }
    }
  }
  private inverses(model: string, field: Field): [string, Field][] {
    return Object.entries(this.models.get(field.relation ?? '')?.fields ?? {}).filter(
      ([, other]) =>
        other.type === 'one2many' &&
        !other.get &&
        other.relation === model &&
        this.model(model).fields[other.inverse ?? ''] === field,
    );
  }

  private command(model: string, id: number, name: string, value: unknown, env: Env): void {
    const field = this.field(model, name);
    const relation = field.relation ?? '';
    const ids = () => (this.get(model, id)?.[name] ?? []) as number[];
    const set = (next: readonly number[]) => this.patch(model, id, { [name]: [...new Set(next)] });
    const commands = (value || []) as unknown[][];
    for (const command of commands) {
      const [code, target, extra] = command as [number, number, unknown];
      switch (code) {
        case 0: {
          const vals = { ...(extra as Vals), ...(field.inverse && { [field.inverse]: id }) };
          const made = this.create(relation, vals, env);
          if (!field.inverse) set([...ids(), made]);
          break;
        }
        case 1:
          this.write(relation, [target], extra as Vals, env);
          break;
        case 2:
          this.unlink(relation, [target], env);
          break;
        case 3:
          set(ids().filter((other) => other !== target));
          break;
        case 4:
          this.exists(relation, [target], env);
          set([...ids(), target]);
          break;
        case 5:
          if (field.inverse) this.unlink(relation, ids(), env);
          else set([]);
          break;
        case 6:
          this.exists(relation, extra as number[], env);
          set(extra as number[]);
          break;
        default:
          throw new OdooException('builtins.ValueError', `Invalid command ${String(code)}`);
      }
    }
  }

  private checked(model: string, name: string, field: Field, value: unknown, env: Env): unknown {
    if (value === false || value === null || value === undefined) return empty(field);
    switch (field.type) {
      case 'many2one':
        this.exists(field.relation ?? '', [value as number], env);
        return value;
      case 'datetime':
        if (/^\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2})?$/.test(String(value))) {
          return String(value).length === 10 ? `${String(value)} 00:00:00` : value;
        }
        throw new OdooException(
          'builtins.ValueError',
          `time data '${String(value)}' does not match format '%Y-%m-%d %H:%M:%S'`,
        );
      case 'float': {
        const digits = typeof field.digits === 'function' ? field.digits() : field.digits;
        return digits === undefined ? Number(value) : roundDigits(Number(value), digits);
      }
      case 'html':
        return /^</.test(String(value)) ? value : `<p>${String(value)}</p>`;
      case 'selection':
        if (!field.selection || field.selection.some(([key]) => key === value)) return value;
        throw new OdooException(
          'builtins.ValueError',
          `Wrong value for ${model}.${name}: ${JSON.stringify(value)}`,
        );
      case 'boolean':
        return Boolean(value);
      default:
        return value;
    }
  }
}

const isX2many = (field: Field): boolean => field.type === 'one2many' || field.type === 'many2many';

const empty = (field: Field): unknown => {
  if (isX2many(field)) return [];
  return field.type === 'float' || field.type === 'integer' ? 0 : false;
};

const mandatory = (spec: Model, name: string) =>
  validationError(
    `The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n- Delete: another model requires the record being deleted. If possible, archive it instead.\n\nModel: ${spec.label} (${spec.name})\nField: ${spec.fields[name]?.string ?? name} (${name})\n`,
  );

/** PostgreSQL's ILIKE: `%` and `_` are wildcards, a backslash takes what follows as it is; case does not count. */
const likeRegExp = (pattern: string): RegExp => {
  const known = compiled.get(pattern);
  if (known) return known;
  // One search tests one pattern on every row.
  compiled.clear();
  const literal = (c: string) => c.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  const source = pattern.replace(/\\([\s\S])|([\s\S])/g, (_, escaped?: string, plain = '') =>
    escaped !== undefined ? literal(escaped) : plain === '%' ? '.*' : plain === '_' ? '.' : literal(plain),
  );
  const made = new RegExp(`^${source}$`, 'is');
  compiled.set(pattern, made);
  return made;
};
const compiled = new Map<string, RegExp>();

/** Half away from zero, as Odoo's float_round. */
export const roundDigits = (value: number, digits: number): number => {
  const text = `${Math.abs(value).toFixed(12)}`;
  const rounded = Math.round(Number(`${text}e${digits}`) + 1e-9) / 10 ** digits;
  return value < 0 ? 0 - rounded : rounded;
};
