/**
 * Proves that `test/fakes/shopify/schema.graphql` is a part of the schema that Shopify publishes, and that each of our
 * documents is valid against Shopify's: a fake that answers what Shopify does not have would prove nothing.
 *
 * Shopify's schema comes out of npm `@shopify/dev-mcp` (ISC), which is too large to be a dependency (369 MB installed),
 * so only the package file is fetched. Run by .ci/run, or by hand: npm run test:shopify-schema [-- package.tgz]
 * Exits 0 when nothing differs, 1 with the differences, or with the reason why nothing could be compared.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  buildClientSchema,
  buildSchema,
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type IntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isScalarType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
  isUnionType,
  parse,
  validate,
} from 'graphql';
import { DOCUMENTS } from '../../shared/connectors/shopify/documents.ts';
import { manifest } from '../../shared/connectors/shopify/manifest.ts';
import { STOCK_DOCUMENTS } from '../../shared/connectors/shopify/stock-documents.ts';

const PACKAGE = '@shopify/dev-mcp@1.16.0';
const FETCH_TIMEOUT_MS = 180_000;
const SCHEMA = new URL('../fakes/shopify/schema.graphql', import.meta.url);

/** Whatever `npm run --silent` has set, npm says on stderr why it could not fetch the package. */
const packedPackage = (folder: string): string => {
  const options = ['--loglevel=error', '--json', '--pack-destination', folder];
  const answer = execFileSync('npm', ['pack', PACKAGE, ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: FETCH_TIMEOUT_MS,
  });
  const [packed] = JSON.parse(answer) as { filename: string }[];
  if (!packed) throw new Error(`npm pack ${PACKAGE} made no file`);
  return path.join(folder, packed.filename);
};

const publishedSchema = (folder: string): GraphQLSchema => {
  const file = process.argv[2] ?? packedPackage(folder);
  const member = `package/dist/data/admin_${manifest.apiVersion}.json.gz`;
  const json = gunzipSync(execFileSync('tar', ['-xzOf', file, member], { maxBuffer: 64 * 1024 * 1024 }));
  return buildClientSchema((JSON.parse(json.toString()) as { data: IntrospectionQuery }).data);
};

const problems: string[] = [];
const counts = { types: 0, fields: 0, arguments: 0, values: 0, documents: 0 };

const compareType = (ours: GraphQLNamedType, theirs: GraphQLNamedType | undefined): void => {
  counts.types += 1;
  if (!theirs) return void problems.push(`type ${ours.name}: Shopify has none`);
  if (ours.constructor.name !== theirs.constructor.name) {
    return void problems.push(`type ${ours.name}: ${kindOf(ours)} here, ${kindOf(theirs)} at Shopify`);
  }
  if (isEnumType(ours) && isEnumType(theirs)) {
    for (const { name } of ours.getValues()) {
      counts.values += 1;
      if (!theirs.getValue(name)) problems.push(`${ours.name}.${name}: no such value at Shopify`);
    }
  }
  if (isInputObjectType(ours) && isInputObjectType(theirs)) {
    const others = theirs.getFields();
    for (const field of Object.values(ours.getFields())) {
      counts.fields += 1;
      const where = `${ours.name}.${field.name}`;
      const other = others[field.name];
      if (!other) problems.push(`${where}: no such field at Shopify`);
      else if (!isSame(field.type, other.type)) {
        problems.push(`${where}: ${field.type} here, ${other.type} at Shopify`);
      } else if (other.deprecationReason) problems.push(`${where}: deprecated at Shopify`);
    }
    for (const other of Object.values(others).filter(isRequiredInputField)) {
      if (!ours.getFields()[other.name])
        problems.push(`${ours.name}.${other.name}: Shopify requires this field`);
    }
  }
  if (isUnionType(ours) && isUnionType(theirs)) {
    const members = theirs.getTypes().map(({ name }) => name);
    for (const { name } of ours.getTypes()) {
      if (!members.includes(name)) problems.push(`union ${ours.name}: ${name} is no member at Shopify`);
    }
  }
  if (isObjectType(ours) && isObjectType(theirs)) {
    const interfaces = theirs.getInterfaces().map(({ name }) => name);
    for (const { name } of ours.getInterfaces()) {
      if (!interfaces.includes(name)) problems.push(`${ours.name} implements ${name} here only`);
    }
  }
  if ((isObjectType(ours) && isObjectType(theirs)) || (isInterfaceType(ours) && isInterfaceType(theirs))) {
    const others = theirs.getFields();
    for (const field of Object.values(ours.getFields())) {
      counts.fields += 1;
      const where = `${ours.name}.${field.name}`;
      const other = others[field.name];
      if (!other) {
        problems.push(`${where}: no such field at Shopify`);
        continue;
      }
      if (!isSame(field.type, other.type)) {
        problems.push(`${where}: ${field.type} here, ${other.type} at Shopify`);
      }
      if (other.deprecationReason) problems.push(`${where}: deprecated at Shopify`);
      compareArguments(where, field.args, other.args);
    }
  }
};

const compareArguments = (
  where: string,
  ours: readonly GraphQLArgument[],
  theirs: readonly GraphQLArgument[],
): void => {
  for (const argument of ours) {
    counts.arguments += 1;
    const other = theirs.find(({ name }) => name === argument.name);
    if (!other) problems.push(`${where}(${argument.name}): no such argument at Shopify`);
    else if (!isSame(argument.type, other.type)) {
      problems.push(`${where}(${argument.name}): ${argument.type} here, ${other.type} at Shopify`);
    } else if (JSON.stringify(argument.defaultValue) !== JSON.stringify(other.defaultValue)) {
      problems.push(`${where}(${argument.name}): another default at Shopify (${String(other.defaultValue)})`);
    }
  }
  for (const other of theirs.filter(isRequiredArgument)) {
    if (!ours.some(({ name }) => name === other.name)) {
      problems.push(`${where}(${other.name}): Shopify requires this argument`);
    }
  }
};

/** The very same: what may be null there and is never null here would hide a mistake. */
const isSame = (
  ours: GraphQLOutputType | GraphQLInputType,
  theirs: GraphQLOutputType | GraphQLInputType,
): boolean => {
  if (isNonNullType(ours) && isNonNullType(theirs)) return isSame(ours.ofType, theirs.ofType);
  if (isListType(ours) && isListType(theirs)) return isSame(ours.ofType, theirs.ofType);
  return String(ours) === String(theirs);
};

const kindOf = (type: GraphQLNamedType): string => type.constructor.name.replace('GraphQL', '');

const folder = mkdtempSync(path.join(tmpdir(), 'waybill-shopify-'));
try {
  const theirs = publishedSchema(folder);
  const ours = buildSchema(readFileSync(SCHEMA, 'utf8'));
  for (const type of Object.values(ours.getTypeMap())) {
    const isOwn = !isIntrospectionType(type) && !(isScalarType(type) && isSpecifiedScalarType(type));
    if (!isOwn) continue;
    // The root has another name at Shopify.
    const same = type === ours.getQueryType() ? theirs.getQueryType() : theirs.getType(type.name);
    compareType(type, same ?? undefined);
  }
  for (const directive of ours.getDirectives().filter((each) => !isSpecifiedDirective(each))) {
    const other = theirs.getDirective(directive.name);
    if (!other) problems.push(`@${directive.name}: no such directive at Shopify`);
    else compareArguments(`@${directive.name}`, directive.args, other.args);
  }
  for (const [name, { text }] of Object.entries({ ...DOCUMENTS, ...STOCK_DOCUMENTS })) {
    counts.documents += 1;
    for (const [whose, schema] of [['Shopify', theirs] as const, ['our', ours] as const]) {
      for (const { message } of validate(schema, parse(text))) {
        problems.push(`document ${name} against ${whose} schema: ${message}`);
      }
    }
  }
} catch (error) {
  problems.push(`not compared: ${error instanceof Error ? error.message : String(error)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

process.stdout.write(
  `${PACKAGE}, Admin API ${manifest.apiVersion}: compared ${Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')}\n`,
);
for (const problem of problems) process.stdout.write(`  ${problem}\n`);
process.stdout.write(problems.length === 0 ? 'nothing differs\n' : `${problems.length} problems\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
