/** Standard output is for what was asked; problems and progress go to standard error. */
export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

export const sayJson = (value: unknown): void => say(JSON.stringify(value, undefined, 2));
