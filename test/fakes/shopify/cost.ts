import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql';

/** A single query may not cost more (shopify.dev, API rate limits). */
export const MAX_QUERY_COST = 1000;
export const MUTATION_COST = 10;

/**
 * What a query costs: scalar or enum 0, object 1, interface or union the dearest of what may come, connection as many
 * times what a node costs as are asked for, mutation 10 (shopify.dev, API rate limits). Lists that take `first` are counted like
 * connections, other lists like one object, `pageInfo` like any object: an upper bound of what Shopify asks for.
 */
export const queryCost = (
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>> = {},
): number => {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const part of document.definitions) {
    if (part.kind === Kind.FRAGMENT_DEFINITION) fragments.set(part.name.value, part);
  }
  const firstOf = (field: FieldNode): number | undefined => {
    const value = field.arguments?.find(({ name }) => name.value === 'first')?.value;
    if (value?.kind === Kind.INT) return Number(value.value);
    return value?.kind === Kind.VARIABLE ? Number(variables[value.name.value]) : undefined;
  };

  const fieldCost = (typeName: string, field: FieldNode): number => {
    const type = schema.getType(typeName);
    if (field.name.value.startsWith('__') || !(isObjectType(type) || isInterfaceType(type))) return 0;
    const output: GraphQLOutputType | undefined = type.getFields()[field.name.value]?.type;
    const named = output && getNamedType(output);
    if (!named || !isCompositeType(named) || !field.selectionSet) return 0;
    const inside = selectionCost(named.name, field.selectionSet);
    if (!named.name.endsWith('Connection')) return (1 + inside) * (firstOf(field) ?? 1);
    const first = firstOf(field);
    if (first === undefined)
      throw new GraphQLError(`you must provide one of first or last (${field.name.value})`);
    const nodes = nodesCost(named.name, field.selectionSet);
    return first * nodes + (inside - nodes);
  };
  /** Of the fields `nodes`, which repeat; the rest of a connection comes once. */
  const nodesCost = (typeName: string, set: SelectionSetNode): number =>
    fieldsOf(typeName, set)
      .filter(({ field }) => field.name.value === 'nodes')
      .reduce((sum, { on, field }) => sum + fieldCost(on, field), 0);

  const fieldsOf = (typeName: string, set: SelectionSetNode): { on: string; field: FieldNode }[] =>
    set.selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [{ on: typeName, field: selection }];
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      if (!fragment) return [];
      return fieldsOf(fragment.typeCondition?.name.value ?? typeName, fragment.selectionSet);
    });

  /** Fields of the type itself, and the dearest of the types that it may turn out to be. */
  const selectionCost = (typeName: string, set: SelectionSetNode): number => {
    const byType = new Map<string, number>();
    for (const { on, field } of fieldsOf(typeName, set)) {
      byType.set(on, (byType.get(on) ?? 0) + fieldCost(on, field));
    }
    const own = byType.get(typeName) ?? 0;
    byType.delete(typeName);
    return own + Math.max(0, ...byType.values());
  };

  /** Each mutation costs 10, and what it selects. */
  const mutationsCost = (set: SelectionSetNode): number =>
    fieldsOf('Mutation', set).reduce(
      (sum, { field }) => sum + MUTATION_COST - 1 + fieldCost('Mutation', field),
      0,
    );

  return document.definitions.reduce((sum, part) => {
    if (part.kind !== Kind.OPERATION_DEFINITION) return sum;
    return part.operation === OperationTypeNode.MUTATION
      ? sum + mutationsCost(part.selectionSet)
      : sum + selectionCost('Query', part.selectionSet);
  }, 0);
};

/** The shop's bucket of points: a query takes what it may cost, and gets back what it did not. */
export class CostBucket {
  readonly maximum: number;
  readonly restorePerSecond: number;
  readonly #nowMs: () => number;
  /** Queries that were refused because too little was left. */
  throttled = 0;
  #available: number;
  #atMs: number;

  constructor(options: { maximum: number; restorePerSecond: number; nowMs: () => number }) {
    this.maximum = options.maximum;
    this.restorePerSecond = options.restorePerSecond;
    this.#nowMs = options.nowMs;
    this.#available = options.maximum;
    this.#atMs = options.nowMs();
  }

  get available(): number {
    const now = this.#nowMs();
    const back = (Math.max(0, now - this.#atMs) / 1000) * this.restorePerSecond;
    this.#available = Math.min(this.maximum, this.#available + back);
    this.#atMs = now;
    return Math.floor(this.#available);
  }

  /** @returns false: not enough left, nothing is taken */
  take(points: number): boolean {
    if (this.available < points) {
      this.throttled += 1;
      return false;
    }
    this.#available -= points;
    return true;
  }

  giveBack(points: number): void {
    this.#available = Math.min(this.maximum, this.#available + points);
  }
}
