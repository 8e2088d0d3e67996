import { inspect } from 'node:util';

/** All the mistakes of a configuration, one a line, for people. */
export function configurationMistakes(mistakes: readonly string[]): string {
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  const lines = mistakes.map((mistake) => `  - ${mistake}\n`).join('');
  return `frostbeat: the configuration has ${count}:\n${lines}All settings: frostbeat --help. What is in force: frostbeat config.\n`;
}

/** An error and what caused it, in one line: «Cannot X: Y is Z (caused by: …)», without stack traces. */
export function explainError(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  while (current !== undefined && current !== null && parts.length < 5) {
    const text = current instanceof Error ? current.message || current.name : inspect(current);
    // A cause is often quoted in the message above it.
    if (!parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join('; caused by: ');
}
