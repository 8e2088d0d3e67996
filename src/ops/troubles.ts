/** A line of the log that tells of something amiss. */
export interface Trouble {
  /** RFC 3339. */
  readonly time: string;
  readonly level: 'warn' | 'error' | 'fatal';
  readonly message: string;
  /** The other members of the line, an error as its message. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** So many lines are kept, each up to so many characters. */
const MOST = 50;
const LONGEST = 8_192;

/** The last lines of the log that tell of something amiss, for the status page. */
export class Troubles {
  readonly #lines: string[] = [];

  /** @param line of JSON, as the log writes it. */
  add(line: string): void {
    if (line.length > LONGEST) return;
    this.#lines.push(line);
    if (this.#lines.length > MOST) this.#lines.shift();
  }

  /** The latest first. */
  list(): Trouble[] {
    return this.#lines.map(parsed).toReversed();
  }
}

function parsed(line: string): Trouble {
  const { time, level, msg, err, ...details } = JSON.parse(line) as Record<string, unknown> & {
    readonly time: string;
    readonly level: Trouble['level'];
    readonly msg?: string;
    readonly err?: { readonly message?: string };
  };
  return {
    time,
    level,
    message: msg ?? '',
    details: err === undefined ? details : { ...details, err: err.message },
  };
}
