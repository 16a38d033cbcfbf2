import { stockSchema } from './stock-wire.ts';
import { orderSchema } from './wire.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** What stands between these lines is made of a schema: its tables, object by object, in the order in which they are written. */
const SECTIONS: Readonly<Record<string, () => string[]>> = {
  fields: () => {
    const order = JSON.parse(orderSchema()) as Schema;
    const shared = Object.entries(order.definitions ?? {});
    return [...table('Order', order), ...shared.flatMap(([name, schema]) => table(name, schema))];
  },
  'stock fields': () => {
    const { definitions = {} } = JSON.parse(stockSchema()) as Schema;
    return Object.entries(definitions).flatMap(([name, schema]) => table(name, schema));
  },
};

/** The README with its tables of fields as the schemas have them: `npm run docs`; a test compares. */
export const withFields = (readme: string): string =>
  Object.entries(SECTIONS).reduce((text, [name, tables]) => {
    const begin = `<!-- ${name}: written by npm run docs -->`;
    const end = `<!-- end of ${name} -->`;
    const [before, rest] = text.split(begin);
    const after = rest?.split(end)[1];
    if (before === undefined || after === undefined) throw new Error(`the README lacks ${begin} or ${end}`);
    return [before, begin, '\n', tables().join('\n'), '\n', end, after].join('');
  }, readme);

const table = (name: string, schema: Schema): string[] => {
  const fields = Object.entries(schema.properties ?? {});
  return [
    '',
    `### ${name}`,
    '',
    '| Field | | Type | |',
    '|---|---|---|---|',
    ...fields.map(([field, stated]) => {
      const must = schema.required?.includes(field) ? 'must' : '';
      const { description = '' } = { ...given(stated), ...stated };
      return `| \`${field}\` | ${must} | ${typeOf(stated, field)} | ${description.replaceAll('|', '\\|')} |`;
    }),
    ...fields.flatMap(([field, stated]) => {
      const inner = given(stated).items ?? given(stated);
      const path = name === 'Order' ? field : `${name}.${field}`;
      return inner.properties ? table(given(stated).items ? `${path}[]` : path, inner) : [];
    }),
  ];
};

/** What it is where it is not null. */
const given = (schema: Schema): Schema => schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;

const typeOf = (stated: Schema, field: string): string => {
  const schema = given(stated);
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? '';
  if (schema.items) {
    return schema.items.properties ? `list of objects` : `list of ${typeOf(schema.items, field)}`;
  }
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.properties) return 'object';
  if (schema.title) return schema.title;
  if (schema.format) return schema.format === 'uri' ? 'address' : 'time';
  const types = [schema.type ?? 'anything'].flat().filter((type) => type !== 'null');
  return types.map((type) => TYPES[type] ?? type).join(', ');
};

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true, false',
  integer: 'whole number',
};
