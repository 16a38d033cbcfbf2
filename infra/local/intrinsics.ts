/** What an intrinsic function may ask for. Each function throws an Error that says what is missing. */
export interface IntrinsicScope {
  ref(name: string): unknown;
  getAtt(logicalId: string, attribute: string): unknown;
  importValue(name: string): unknown;
  condition(name: string): boolean;
  findInMap(map: string, top: string, second: string): unknown;
}

/** `Ref: AWS::NoValue`: the property is as if it were not written. */
export const NO_VALUE = Symbol('AWS::NoValue');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown, where: string): string => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new Error(`${where} needs a string, got ${JSON.stringify(value)}`);
};
const list = (value: unknown, where: string): unknown[] => {
  if (Array.isArray(value)) return value;
  throw new Error(`${where} needs a list, got ${JSON.stringify(value)}`);
};

const sub = (argument: unknown, scope: IntrinsicScope): string => {
  const [template, variables] = Array.isArray(argument)
    ? [text(argument[0], 'Fn::Sub'), isObject(argument[1]) ? argument[1] : {}]
    : [text(argument, 'Fn::Sub'), {} as Record<string, unknown>];
  return template.replace(/\$\{(!?)([^}]+)\}/g, (_whole, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    if (name in variables) return text(resolveIntrinsics(variables[name], scope), `Fn::Sub ${name}`);
    const dot = name.indexOf('.');
    const value = dot < 0 ? scope.ref(name) : scope.getAtt(name.slice(0, dot), name.slice(dot + 1));
    return text(value, `Fn::Sub ${name}`);
  });
};

/** CloudFormation's intrinsic functions, by name; each gets its argument unresolved. */
const FUNCTIONS: Readonly<Record<string, (argument: unknown, scope: IntrinsicScope) => unknown>> = {
  Ref: (argument, scope) => scope.ref(text(argument, 'Ref')),
  'Fn::GetAtt': (argument, scope) => {
    const [id, ...attribute] = Array.isArray(argument) ? argument : text(argument, 'Fn::GetAtt').split('.');
    return scope.getAtt(text(id, 'Fn::GetAtt'), attribute.map((part) => text(part, 'Fn::GetAtt')).join('.'));
  },
  'Fn::Sub': sub,
  'Fn::Join': (argument, scope) => {
    const [separator, values] = list(argument, 'Fn::Join');
    return list(resolveIntrinsics(values, scope), 'Fn::Join')
      .map((value) => text(value, 'Fn::Join'))
      .join(text(separator, 'Fn::Join'));
  },
  'Fn::Select': (argument, scope) => {
    const [index, values] = list(resolveIntrinsics(argument, scope), 'Fn::Select');
    const selected = list(values, 'Fn::Select')[Number(index)];
    if (selected === undefined) throw new Error(`Fn::Select has no element ${index}`);
    return selected;
  },
  'Fn::Split': (argument, scope) => {
    const [separator, value] = list(resolveIntrinsics(argument, scope), 'Fn::Split');
    return text(value, 'Fn::Split').split(text(separator, 'Fn::Split'));
  },
  'Fn::ImportValue': (argument, scope) =>
    scope.importValue(text(resolveIntrinsics(argument, scope), 'Fn::ImportValue')),
  'Fn::FindInMap': (argument, scope) => {
    const keys = list(resolveIntrinsics(argument, scope), 'Fn::FindInMap').map((key) =>
      text(key, 'Fn::FindInMap'),
    );
    return scope.findInMap(keys[0] ?? '', keys[1] ?? '', keys[2] ?? '');
  },
  'Fn::If': (argument, scope) => {
    const [name, yes, no] = list(argument, 'Fn::If');
    return resolveIntrinsics(scope.condition(text(name, 'Fn::If')) ? yes : no, scope);
  },
  'Fn::Base64': (argument, scope) =>
    Buffer.from(text(resolveIntrinsics(argument, scope), 'Fn::Base64')).toString('base64'),
};

/** Whether a condition holds. @throws Error a condition function that is not known */
export const resolveCondition = (condition: unknown, scope: IntrinsicScope): boolean => {
  if (isObject(condition)) {
    const [name, argument] = Object.entries(condition)[0] ?? [];
    const parts = () => list(argument, String(name)).map((part) => resolveCondition(part, scope));
    if (name === 'Condition') return scope.condition(text(argument, 'Condition'));
    if (name === 'Fn::Equals') {
      const [left, right] = list(resolveIntrinsics(argument, scope), 'Fn::Equals');
      return String(left) === String(right);
    }
    if (name === 'Fn::And') return parts().every(Boolean);
    if (name === 'Fn::Or') return parts().some(Boolean);
    if (name === 'Fn::Not') return !parts()[0];
  }
  throw new Error(`condition ${JSON.stringify(condition)} is not understood`);
};

/**
 * The value with every intrinsic function worked out.
 * @throws Error an intrinsic function that is not known, or one that refers to something missing
 */
export const resolveIntrinsics = (value: unknown, scope: IntrinsicScope): unknown => {
  if (Array.isArray(value))
    return value.map((item) => resolveIntrinsics(item, scope)).filter((item) => item !== NO_VALUE);
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  const only = entries.length === 1 ? entries[0] : undefined;
  if (only) {
    const [name, argument] = only;
    const work = FUNCTIONS[name];
    if (work) return work(argument, scope);
    if (name.startsWith('Fn::')) throw new Error(`${name} is not known here`);
  }
  return Object.fromEntries(
    entries
      .map(([key, item]) => [key, resolveIntrinsics(item, scope)] as const)
      .filter(([, item]) => item !== NO_VALUE),
  );
};
