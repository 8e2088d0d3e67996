import { createReadStream } from 'node:fs';
import split2 from 'split2';
import { type DeadLetter, parseDeadLetter } from './dead-letter.ts';

/** One line of a file of dead letters; blank lines are none. */
export type DeadLetterLine = { readonly number: number } & (
  | { readonly letter: DeadLetter }
  /** Why the line is no dead letter. */
  | { readonly wrong: string }
);

/**
 * Reads a file of dead letters line by line; memory is that of one line.
 *
 * @param bytes the file's first so many, for what an agent appends meanwhile is for the next time.
 * @throws the operating system's error; an AbortError when the signal aborts.
 */
export async function* readDeadLetters(
  path: string,
  bytes: number,
  signal: AbortSignal,
): AsyncGenerator<DeadLetterLine, void> {
  if (bytes === 0) return;
  // Only a line feed ends a line: a record may hold U+2028 as it is.
  const lines = createReadStream(path, { end: bytes - 1 }).compose(split2('\n'), { signal });
  let number = 0;
  for await (const line of lines as AsyncIterable<string>) {
    number++;
    if (line.trim() !== '') yield { number, ...parsed(line) };
  }
}

function parsed(line: string): { letter: DeadLetter } | { wrong: string } {
  try {
    return { letter: parseDeadLetter(line) };
  } catch (error) {
    return { wrong: error instanceof SyntaxError ? 'it is no JSON' : (error as Error).message };
  }
}
