import type { Writable } from 'node:stream';
import { styleText } from 'node:util';

/** Standard output: a terminal or not. */
export type ScreenOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number };

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const clearLine = '\r\u001b[K';
/** Says things to a person, and shows progress in one line that changes; in a pipe all are plain lines. */
export class Screen {
  /** Whether colours are shown: on a terminal, unless NO_COLOR forbids it (https://no-color.org). */
  readonly colour: boolean;
  readonly #output: ScreenOutput;
  #inProgress = false;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(output: ScreenOutput, env: Readonly<Record<string, string | undefined>>) {
    this.#output = output;
    this.colour = this.#isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  }

  /** Whole lines, without the last line end. */
  say(text = ''): void {
    this.#clear();
    this.#output.write(`${text}\n`);
  }

  /** Replaces the line of progress; in a pipe it is a line of its own, at most one in `plainEveryMs`. */
  progress(text: string, plainEveryMs: number): void {
    if (this.#isTerminal) {
      this.#clear();
      this.#output.write(text.slice(0, (this.#output.columns ?? 80) - 1));
      this.#inProgress = true;
    } else if (performance.now() - this.#saidAt >= plainEveryMs) {
      this.#saidAt = performance.now();
      this.#output.write(`${text}\n`);
    }
  }

  paint(style: Style, text: string): string {
    return this.colour ? styleText(style, text, { validateStream: false }) : text;
  }

  get #isTerminal(): boolean {
    return this.#output.isTTY === true;
  }

  #clear(): void {
    if (this.#inProgress) this.#output.write(clearLine);
    this.#inProgress = false;
  }
}
