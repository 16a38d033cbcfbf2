/** Tryton's JSON has types of its own for what JSON has none (trytond/protocols/jsonrpc.py). */
export const decimal = (value: string) => ({ __class__: 'Decimal', decimal: value });

/** @example date('2026-11-21') */
export const date = (iso: string) => {
  const [year, month, day] = iso.split('-').map(Number);
  return { __class__: 'date', year, month, day };
};

export class TrytonFault extends Error {}

/**
 * Tryton as its own client speaks to it. Tests read back with this, not with the connector's client, so that the
 * connector never confirms itself.
 */
export class TrytonRpc {
  readonly #url: string;
  #id = 0;
  #authorization = '';
  #context: Record<string, unknown> = {};
  userId = 0;

  constructor(url: string, database: string) {
    this.#url = `${url}/${database}/`;
  }

  async login(login: string, password: string): Promise<void> {
    const [userId, session] = (await this.raw('common.db.login', [login, { password }, 'en'])) as [
      number,
      string,
    ];
    this.userId = userId;
    this.#authorization = `Session ${Buffer.from(`${login}:${userId}:${session}`).toString('base64')}`;
    await this.reload();
  }

  /** The user's company, language and groups travel with every call. */
  async reload(): Promise<void> {
    this.#context = (await this.raw('model.res.user.get_preferences', [true, {}])) as Record<string, unknown>;
  }

  /** What is asked of the server, not of a database. */
  root(method: string): Promise<unknown> {
    return this.#post(new URL('/', this.#url).href, method, []);
  }

  raw(method: string, params: readonly unknown[]): Promise<unknown> {
    return this.#post(this.#url, method, params);
  }

  async #post(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
    this.#id += 1;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: this.#authorization },
      body: JSON.stringify({ id: this.#id, method, params }),
    });
    if (!response.ok) throw new TrytonFault(`${method}: HTTP ${response.status}`);
    const { result, error } = (await response.json()) as { result?: unknown; error?: unknown };
    if (error) throw new TrytonFault(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  call(method: string, args: readonly unknown[], context: object = {}): Promise<unknown> {
    return this.raw(method, [...args, { ...this.#context, ...context }]);
  }

  model(model: string, method: string, args: readonly unknown[], context?: object): Promise<unknown> {
    return this.call(`model.${model}.${method}`, args, context);
  }

  async create(model: string, values: object, context?: object): Promise<number> {
    const [id] = (await this.model(model, 'create', [[values]], context)) as number[];
    if (id === undefined) throw new TrytonFault(`${model}: nothing was created`);
    return id;
  }

  async write(model: string, ids: readonly number[], values: object): Promise<void> {
    await this.model(model, 'write', [ids, values]);
  }

  async search(model: string, domain: readonly unknown[], context?: object): Promise<number[]> {
    return (await this.model(model, 'search', [domain, 0, null, [['id', 'ASC']]], context)) as number[];
  }

  /** The first one. */
  async one(model: string, domain: readonly unknown[]): Promise<number> {
    const [id] = await this.search(model, domain);
    if (id === undefined) throw new TrytonFault(`there is no ${model} with ${JSON.stringify(domain)}`);
    return id;
  }

  async read<T = Record<string, unknown>>(
    model: string,
    ids: readonly number[],
    fields: readonly string[],
    context?: object,
  ): Promise<T[]> {
    const rows = (await this.model(model, 'read', [ids, fields], context)) as (T & { id: number })[];
    return ids.flatMap((id) => rows.find((row) => row.id === id) ?? []);
  }

  /** A wizard that asks nothing but what `data` answers. */
  async wizard(name: string, state: string, data: object, context: object): Promise<unknown> {
    const [session] = (await this.call(`wizard.${name}.create`, [])) as [number];
    const result = await this.call(`wizard.${name}.execute`, [session, data, state], context);
    await this.call(`wizard.${name}.delete`, [session]);
    return result;
  }
}
