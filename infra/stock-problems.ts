import type { Manifest } from '../shared/connectors/manifest.ts';
import { hint, problem } from './problems.ts';

/**
 * What no single value of `stock` shows: routes name connections of the right kind, every shop gets its stock from one ERP,
 * and warehouses and rules name shops of their route. Reads the value as written.
 */
export const stockProblems = (
  stock: readonly unknown[],
  manifests: ReadonlyMap<string, Manifest | undefined>,
): string[] => {
  const servedBy = new Map<string, number>();
  const readFrom = new Map<string, number>();
  return stock.flatMap((route, index) => {
    if (!isRecord(route)) return [];
    const { from, to, warehouses, rules, prices } = route;
    const at = (...path: PropertyKey[]) => ['stock', index, ...path];
    const problems: string[] = [];
    if (typeof from === 'string' && from !== '') {
      const manifest = manifests.get(from);
      if (!manifests.has(from)) {
        problems.push(
          problem(at('from'), `there is no connection "${from}"; ${hint(from, [...manifests.keys()])}`),
        );
      } else if (manifest && manifest.kind !== 'erp') {
        problems.push(problem(at('from'), `"${from}" is no ERP; stock comes from ERPs`));
      }
      const earlier = readFrom.get(from);
      if (earlier !== undefined) {
        problems.push(
          problem(at('from'), `stock.${earlier} is the route of "${from}" already: name all shops there`),
        );
      }
      readFrom.set(from, earlier ?? index);
    }
    const shops = Array.isArray(to) ? to.filter((shop) => typeof shop === 'string') : [];
    for (const [place, shop] of shops.entries()) {
      const manifest = manifests.get(shop);
      if (!manifests.has(shop)) {
        problems.push(
          problem(at('to', place), `there is no connection "${shop}"; ${hint(shop, [...manifests.keys()])}`),
        );
      } else if (manifest && !(manifest.kind === 'storefront' && manifest.stock)) {
        problems.push(
          problem(at('to', place), `the stock of "${shop}" (${manifest.title}) cannot be set by Waybill`),
        );
      }
      const earlier = servedBy.get(shop);
      if (earlier !== undefined) {
        problems.push(problem(at('to', place), `"${shop}" gets its stock from stock.${earlier} already`));
      }
      servedBy.set(shop, earlier ?? index);
    }
    const foreign = (names: unknown, ...path: PropertyKey[]) => {
      for (const shop of namesIn(names)) {
        if (!shops.includes(shop)) {
          problems.push(problem(at(...path), `"${shop}" is no shop of this route; ${hint(shop, shops)}`));
        }
      }
    };
    if (isRecord(warehouses)) {
      for (const [code, places] of Object.entries(warehouses)) foreign(places, 'warehouses', code);
    }
    if (Array.isArray(rules)) {
      for (const [place, rule] of rules.entries()) {
        if (!isRecord(rule)) continue;
        foreign(rule['shops'], 'rules', place, 'shops');
        const refused = ['policy', 'negativeStock', 'lowStock'].filter((key) => rule[key] !== undefined);
        if (rule['shops'] !== undefined && refused.length > 0) {
          const keys = refused.join(', ');
          problems.push(
            problem(at('rules', place), `${keys} concerns all shops together: leave out "shops"`),
          );
        }
      }
    }
    if (isRecord(prices)) foreign(prices['shops'], 'prices', 'shops');
    return problems;
  });
};

const namesIn = (value: unknown): string[] => {
  const names = Array.isArray(value) ? value : isRecord(value) ? Object.keys(value) : [];
  return names.filter((name) => typeof name === 'string');
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
