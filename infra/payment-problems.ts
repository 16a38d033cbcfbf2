import type { Manifest } from '../shared/connectors/manifest.ts';
import { hint, problem } from './problems.ts';

/**
 * What no single value of `payments` shows: routes name connections of the right kind, and each provider once. Reads the
 * value as written.
 */
export const paymentProblems = (
  payments: readonly unknown[],
  kinds: ReadonlyMap<string, Manifest['kind'] | undefined>,
): string[] => {
  const seen = new Map<string, number>();
  return payments.flatMap((route, index) => {
    if (typeof route !== 'object' || route === null) return [];
    const { from, orders } = route as { from?: unknown; orders?: unknown };
    const at = (...path: PropertyKey[]) => ['payments', index, ...path];
    const check = (path: PropertyKey[], id: unknown, wanted: Manifest['kind'], why: string): string[] => {
      if (typeof id !== 'string' || id === '') return [];
      if (!kinds.has(id)) {
        return [problem(path, `there is no connection "${id}"; ${hint(id, [...kinds.keys()])}`)];
      }
      const kind = kinds.get(id);
      return kind === undefined || kind === wanted
        ? []
        : [problem(path, `"${id}" is ${KINDS[kind]}; ${why}`)];
    };
    const problems = [
      ...check(at('from'), from, 'payments', 'payments come from payment providers'),
      ...(Array.isArray(orders) ? orders : []).flatMap((id: unknown, place) =>
        check(at('orders', place), id, 'storefront', 'what is paid are orders of storefronts'),
      ),
    ];
    if (typeof from !== 'string') return problems;
    const earlier = seen.get(from);
    seen.set(from, earlier ?? index);
    return earlier === undefined
      ? problems
      : [
          ...problems,
          problem(at('from'), `payments.${earlier} is the route of "${from}" already: name all shops there`),
        ];
  });
};

/** For people. */
export const KINDS: Readonly<Record<Manifest['kind'], string>> = {
  erp: 'an ERP',
  storefront: 'a storefront',
  payments: 'a payment provider',
};
