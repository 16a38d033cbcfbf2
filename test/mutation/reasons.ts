/** Why a mutant may survive: `code` is part of its line, `before` and `after` narrow it to one mutant of that line. */
export interface Reason {
  readonly file: string;
  readonly code: string;
  readonly before?: string;
  readonly after?: string;
  readonly why: string;
}

export const REASONS: readonly Reason[] = [];
