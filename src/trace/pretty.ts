import { styleText } from 'node:util';
import { inert } from '../util/inert.ts';
import { viewRecord } from './record-view.ts';
import { relativeTime } from './relative-time.ts';
import { TimeBar } from './time-bar.ts';
import type { Position, StoredRecord } from './stored-record.ts';

type Style = Parameters<typeof styleText>[0];

const levelStyles: Readonly<Record<string, Style>> = {
  TRACE: 'gray',
  DEBUG: 'blue',
  INFO: 'green',
  WARN: 'yellow',
  ERROR: 'red',
  FATAL: ['white', 'bgRed'],
};
/** Pods get them in turn, so that the first ones differ. */
const podStyles: readonly Style[] = [
  'cyan',
  'magenta',
  'yellowBright',
  'greenBright',
  'blueBright',
  'redBright',
  'magentaBright',
];

/** Wider sources do not push everything else to the right. */
const MOST_SOURCE_WIDTH = 48;
/** Longer values are cut; `--output json` has them whole. */
const MOST_FIELD_LENGTH = 400;
const MOST_POD_STYLES = 1_000;

export interface PrettyOptions {
  readonly color: boolean;
  /** The first and the last record, where they are known: then a bar shows where the time went. */
  readonly span?: { readonly first: Position; readonly last: Position } | undefined;
}

/**
 * Prints the records of one trace for people, one a line: time (UTC), time since the first record, pod/container,
 * level, message, the other fields; a stack as the lines that it is. A new day gets a line of its own. What is in
 * the records is inert in the terminal.
 */
export class PrettyTrace {
  readonly #color: boolean;
  #bar: TimeBar | undefined;
  readonly #podStyles = new Map<string, Style>();
  #first: string | undefined;
  #day = '';
  #sourceWidth = 0;

  constructor({ color, span }: PrettyOptions) {
    this.#color = color;
    this.#bar = span && new TimeBar(span.first.unixNano, span.last.unixNano);
  }

  /** The lines of the next record, each with its line feed. */
  lines({ unixNano, bytes }: StoredRecord): string {
    const { level, message, pod, container, stack, fields } = viewRecord(bytes.toString('utf8'));
    const { day, time } = dayAndTime(unixNano);
    this.#first ??= unixNano;
    const place = pod === '' ? '' : inert(`${pod}/${container}`);
    this.#sourceWidth = Math.max(this.#sourceWidth, Math.min(place.length, MOST_SOURCE_WIDTH));
    const [first = '', ...more] = textLines(message);
    const bar = this.#bar?.next(unixNano);
    const columns = [
      this.#style('dim', time),
      relativeTime(unixNano, this.#first).padStart(9),
      ...(bar === undefined ? [] : [this.#style(bar.long ? 'yellow' : 'dim', bar.text)]),
      ...(this.#sourceWidth === 0 ? [] : [this.#style(this.#podStyle(pod), place.padEnd(this.#sourceWidth))]),
      this.#style(levelStyles[level] ?? 'bold', inert(level).padEnd(5)),
      first,
      ...fields.map(([name, value]) => `${this.#style('dim', `${inert(name)}=`)}${fieldText(value)}`),
    ];
    const head = day === this.#day ? '' : `${this.#style('dim', `── ${day} UTC ──`)}\n`;
    this.#day = day;
    return [
      `${head}${columns.join('  ').trimEnd()}\n`,
      ...more.map((line) => `    ${line}\n`),
      ...textLines(stack.trimEnd())
        .filter((line) => line !== '')
        .map((line) => `    ${this.#style('dim', line)}\n`),
    ].join('');
  }

  /** For records beyond the span. */
  withoutBar(): this {
    this.#bar = undefined;
    return this;
  }

  #podStyle(pod: string): Style {
    let style = this.#podStyles.get(pod);
    if (style === undefined) {
      style = podStyles[this.#podStyles.size % podStyles.length]!;
      if (this.#podStyles.size < MOST_POD_STYLES) this.#podStyles.set(pod, style);
    }
    return style;
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

function textLines(text: string): string[] {
  return text.split(/\r?\n/).map(inert);
}

function fieldText(value: unknown): string {
  const bare = typeof value === 'string' && /^[^\s"'=]+$/u.test(value);
  const text = bare ? value : JSON.stringify(value);
  if (text.length <= MOST_FIELD_LENGTH) return inert(text);
  return inert(`${text.slice(0, MOST_FIELD_LENGTH)}… (${text.length - MOST_FIELD_LENGTH} more)`);
}
