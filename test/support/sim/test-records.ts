import { rfc3339Nano, type Clock } from '../../../src/demo/clock.ts';
import type { Random } from '../../../src/demo/random.ts';

/** A record that a test lets a container print. */
export interface TestRecord {
  readonly traceId: string;
  /** Decimal digits. */
  readonly unixNano: string;
  /** The JSON as bytes, without the line end; its member `seq` is a number of its own. */
  readonly json: Buffer;
}

export interface TestRecordOptions {
  readonly random: Random;
  readonly clock: Clock;
  /** How many records a trace has, about. Default 20. */
  readonly traceLength?: number;
  /** Share of records that have the trace ID and the very nanosecond of the one before. Default 0.05. */
  readonly sameTime?: number;
  /** Share of records longer than what a runtime writes as one line, up to 100,000 bytes. Default 0.005. */
  readonly long?: number;
  /** Share of records that hold bytes which are no valid UTF-8. Default 0.01. */
  readonly invalidUtf8?: number;
}

/** Records of all kinds, and lines that are none, from a seed. Safe to share between containers. */
export class TestRecords {
  readonly #options: Required<TestRecordOptions>;
  readonly #open: string[] = [];
  #last: { traceId: string; unixNano: bigint } | undefined;
  #seq = 0;

  constructor(options: TestRecordOptions) {
    this.#options = { traceLength: 20, sameTime: 0.05, long: 0.005, invalidUtf8: 0.01, ...options };
  }

  next(): TestRecord {
    const { random, clock, sameTime, invalidUtf8 } = this.#options;
    const { traceId, unixNano } =
      this.#last !== undefined && random.chance(sameTime)
        ? this.#last
        : { traceId: this.#traceId(), unixNano: clock() };
    this.#last = { traceId, unixNano };
    const zone = random.chance(0.1) ? random.pick([-210, 60, 345]) : 0;
    const members = {
      time: rfc3339Nano(unixNano, zone),
      level: random.pick(['INFO', 'WARN', 'ERROR']),
      msg: this.#text(),
      traceId,
      seq: this.#seq++,
    };
    const text = JSON.stringify(
      random.chance(0.5) ? members : Object.fromEntries(Object.entries(members).toReversed()),
    );
    const json = Buffer.from(text);
    // `X` stands nowhere but in the message, for this.
    if (random.chance(invalidUtf8) && json.includes('X')) json[json.indexOf('X')] = 0xff;
    return { traceId, unixNano: String(unixNano), json };
  }

  /** A line that is no record, without the line end. */
  noise(): Buffer {
    const { random, clock } = this.#options;
    const time = rfc3339Nano(clock());
    return Buffer.from(
      random.pick([
        '',
        'plain text, no JSON at all',
        '["an","array"]',
        JSON.stringify({ time, msg: 'no trace ID' }),
        JSON.stringify({ time, msg: 'an empty trace ID', traceId: '' }),
        JSON.stringify({ msg: 'no time', traceId: 'noise' }),
        JSON.stringify({ time: 'yesterday', msg: 'no such time', traceId: 'noise' }),
        `{"time":"${time}","traceId":"noise","msg":"broken`,
      ]),
    );
  }

  #traceId(): string {
    const { random, traceLength } = this.#options;
    if (this.#open.length < 10 || random.chance(1 / traceLength)) this.#open.push(random.hex(32));
    if (this.#open.length > 40) this.#open.shift();
    return random.pick(this.#open);
  }

  #text(): string {
    const { random, long } = this.#options;
    const word = random.pick([
      'resource resolved X',
      'grüße',
      '漢字かな',
      '🫖☕',
      'line\nbreak',
      '"quoted" \\',
      '\u0007',
    ]);
    const length = random.chance(long) ? random.int(16_000, 100_000) : random.int(10, 300);
    return `${word} ${'x'.repeat(random.int(0, 3))}${word.repeat(Math.ceil(length / Buffer.byteLength(word)))}`;
  }
}
