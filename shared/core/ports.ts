/** Epoch milliseconds. Injected everywhere, so that tests and simulations own time. */
export type Clock = () => number;

/** Passed to every call of a peer. */
export interface CallContext {
  /** Aborts when the function is about to run out of time. */
  readonly signal: AbortSignal;
}
