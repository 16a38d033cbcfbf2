import * as z from 'zod';
import { CATALOGUE } from './catalogue.ts';
import { Meta } from './envelope.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly title?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** The page `shared/docs/events.md`, written from the catalogue: `npm run docs`; a test compares. */
export const eventsPage = (): string =>
  [
    '# Events',
    '',
    'Written by `npm run docs` from `shared/events/catalogue.ts`; do not edit by hand.',
    '',
    'On the bus, `detail-type` is the name of the event and `detail` is `{ "meta": …, "data": … }`. An additive',
    'change keeps the version; any other makes a new one, and both are published for one release.',
    '',
    '## meta',
    '',
    ...table(schemaOf(Meta)),
    ...Object.entries(CATALOGUE).flatMap(([name, event]) => [
      '',
      `## ${name}`,
      '',
      event.summary,
      '',
      `* \`source\`: \`${event.source}\``,
      `* published by: ${event.producers.join(', ')}`,
      `* consumed by: ${event.consumers.join(', ')}`,
      '',
      ...table(schemaOf(event.schema)),
    ]),
    '',
  ].join('\n');

const schemaOf = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { io: 'output', reused: 'inline' }) as Schema;

const table = (schema: Schema): string[] => ['| field | type | |', '|---|---|---|', ...rows(schema, '')];

const rows = (schema: Schema, prefix: string): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const optional = schema.required?.includes(name) ? '' : ' (optional)';
    const row = `| \`${prefix}${name}\` | ${typeOf(field)}${optional} | ${field.description ?? ''} |`;
    const inner = field.items ?? field;
    const nested = isMoney(inner) ? [] : rows(inner, `${prefix}${name}${field.items ? '[]' : ''}.`);
    return [row, ...nested];
  });

const isMoney = (schema: Schema): boolean => schema.title === 'Money' || 'minor' in (schema.properties ?? {});

const typeOf = (schema: Schema): string => {
  if (isMoney(schema)) return 'money';
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`;
  return schema.type ?? 'anything';
};
