/** What the runner asks of the worker that holds the suites. */
export type Question =
  | {
      readonly kind: 'judge';
      /** Default: all. */
      readonly only?: readonly string[];
      readonly activeMutant?: string;
      /** So often may the mutated place be passed before it counts as an endless loop. */
      readonly hitLimit?: number;
      /** Goes on after a test failed. */
      readonly toTheEnd?: boolean;
    }
  | { readonly kind: 'end' };

export interface Trial {
  readonly id: string;
  readonly failure: string | undefined;
  readonly ms: number;
  readonly line: number | undefined;
}

export interface Verdict {
  readonly trials: Trial[];
  /** The test that failed fails without the mutant, too: the worker is spoilt. */
  isDirty: boolean;
  /** Which mutants each test reaches, as Stryker's instrumentation counts it. */
  coverage: unknown;
  hits: number;
}

export type Answer = { readonly kind: 'ready' } | { readonly kind: 'verdict'; readonly verdict: Verdict };

declare module 'vitest' {
  interface ProvidedContext {
    mutation: {
      readonly channel: string;
      readonly suites: readonly string[];
      /** In force while the suites are loaded. */
      readonly mutant?: string;
    };
  }
}
