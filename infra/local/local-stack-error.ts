/** A template or setting that the local stack cannot honour. Every problem found is listed, one a line. */
export class LocalStackError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`the local stack does not start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'LocalStackError';
    this.problems = problems;
  }
}
