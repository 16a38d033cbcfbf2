import type { Clock } from './ports.ts';

/** Values of bounded age. What was not found is never kept: somebody is about to create it. */
export interface BoundedCache {
  get<T>(key: string, load: () => Promise<T | undefined>): Promise<T | undefined>;
  peek<T>(key: string): T | undefined;
  put<T>(key: string, value: T): void;
  clear(): void;
}

export const boundedCache = (nowMs: Clock, maxAgeMs: number): BoundedCache => {
  const entries = new Map<string, { readonly value: unknown; readonly atMs: number }>();
  const peek = <T>(key: string): T | undefined => {
    const entry = entries.get(key);
    return entry && nowMs() - entry.atMs < maxAgeMs ? (entry.value as T) : undefined;
  };
  const put = <T>(key: string, value: T): void => {
    entries.set(key, { value, atMs: nowMs() });
  };
  return {
    peek,
    put,
    get: async <T>(key: string, load: () => Promise<T | undefined>) => {
      const known = peek<T>(key);
      if (known !== undefined) return known;
      const value = await load();
      put(key, value); // undefined is never a hit
      return value;
    },
    clear: () => entries.clear(),
  };
};
