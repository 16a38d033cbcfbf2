import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/** What of Babel's nodes is looked at here. */
interface Node {
  readonly type: string;
  readonly callee?: { readonly type: string; readonly name?: string };
  readonly arguments?: readonly Node[];
  readonly expressions?: readonly Node[];
}
interface Path {
  readonly node: Node;
  readonly parent?: Node;
}

/** Which argument of a constructor is a sentence for the log. */
const MESSAGE: Readonly<Record<string, number>> = {
  Error: 0,
  TypeError: 0,
  RangeError: 0,
  AmountError: 0,
  RetryableError: 1,
};
const DECIDES_NOTHING = new Set(['Identifier', 'MemberExpression', 'CallExpression']);

/**
 * The sentence of an error that is written for a log, and nothing else: `new RangeError('...')`. A template in which
 * something is decided is not ignored, nor is a code, nor what an operator or a merchant reads (`reasons.ts`).
 */
const words = {
  shouldIgnore({ node, parent }: Path): string | undefined {
    if (parent?.type !== 'NewExpression' || parent.callee?.type !== 'Identifier') return undefined;
    const place = MESSAGE[parent.callee.name ?? ''];
    if (place === undefined || parent.arguments?.[place] !== node) return undefined;
    const isPlain =
      node.type === 'StringLiteral' ||
      (node.type === 'TemplateLiteral' && node.expressions?.every(({ type }) => DECIDES_NOTHING.has(type)));
    return isPlain ? 'the words of an error for the log' : undefined;
  },
};

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'words', words as never)];
