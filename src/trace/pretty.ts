import { styleText } from 'node:util';
import { inert } from '../util/inert.ts';
import { viewRecord } from './record-view.ts';
import type { StoredRecord } from './trace-reader.ts';

type Style = Parameters<typeof styleText>[0];

const levelStyles: Readonly<Record<string, Style>> = {
  TRACE: 'gray',
  DEBUG: 'blue',
  INFO: 'green',
  WARN: 'yellow',
  ERROR: 'red',
  FATAL: ['white', 'bgRed'],
};

/** Wider sources do not push everything else to the right. */
const MOST_SOURCE_WIDTH = 48;

/**
 * Prints the records of one trace for people, one a line: time (UTC), pod/container, level, message, the other
 * fields. A new day gets a line of its own. What is in the records is inert in the terminal.
 */
export class PrettyTrace {
  readonly #color: boolean;
  #day = '';
  #sourceWidth = 0;

  constructor({ color }: { readonly color: boolean }) {
    this.#color = color;
  }

  /** The lines of the next record, each with its line feed. */
  lines({ unixNano, bytes }: StoredRecord): string {
    const { level, message, source, fields } = viewRecord(bytes.toString('utf8'));
    const { day, time } = dayAndTime(unixNano);
    const place = inert(source);
    this.#sourceWidth = Math.max(this.#sourceWidth, Math.min(place.length, MOST_SOURCE_WIDTH));
    const [first = '', ...more] = message.split(/\r?\n/).map(inert);
    const columns = [
      this.#style('dim', time),
      ...(this.#sourceWidth === 0 ? [] : [this.#style('cyan', place.padEnd(this.#sourceWidth))]),
      this.#style(levelStyles[level] ?? 'bold', inert(level).padEnd(5)),
      first,
      ...fields.map(([name, value]) => `${this.#style('dim', `${inert(name)}=`)}${fieldText(value)}`),
    ];
    const head = day === this.#day ? '' : `${this.#style('dim', `── ${day} UTC ──`)}\n`;
    this.#day = day;
    return [`${head}${columns.join('  ').trimEnd()}\n`, ...more.map((line) => `    ${line}\n`)].join('');
  }

  #style(style: Style, text: string): string {
    return this.#color && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** Milliseconds are what people read; the order is that of nanoseconds all the same. */
function dayAndTime(unixNano: string): { day: string; time: string } {
  const date = new Date(Number(unixNano.slice(0, -6)));
  // Beyond what a date can be, the digits are all there is to show.
  if (Number.isNaN(date.getTime())) return { day: 'unknown day', time: unixNano };
  const [day = '', time = ''] = date.toISOString().split('T');
  return { day, time: time.slice(0, -1) };
}

function fieldText(value: unknown): string {
  const bare = typeof value === 'string' && /^[^\s"'=]+$/u.test(value);
  return inert(bare ? value : JSON.stringify(value));
}
