import { randomBytes } from 'node:crypto';
import type { LogRecord } from '../record/log-record.ts';

/** A record as the agent would give it, and the key by which it is found again in whatever the destination holds. */
export interface TestRecord extends LogRecord {
  readonly key: string;
}

const keyPattern = /"conformance":"([0-9a-f]{16}-\d+)"/;

/** The key in a record's JSON; undefined where it is none of ours. @param text one character for each byte, or UTF-8. */
export function keyOf(text: string): string | undefined {
  return keyPattern.exec(text)?.[1];
}

/** Makes records that differ from all others, also from those of other runs; the same ones from the same seed. */
export class TestRecords {
  /** Names the run, in sixteen hexadecimal digits; then the time of its first record, in milliseconds since 1970. */
  readonly seed: string;
  readonly #run: string;
  readonly #begun: bigint;
  #made = 0;

  constructor(seed = `${randomBytes(8).toString('hex')} ${Date.now()}`) {
    const [run = '', begun = ''] = seed.split(' ');
    this.seed = seed;
    this.#run = run;
    this.#begun = BigInt(begun) * 1_000_000n;
  }

  /** @param members of the record's JSON, in their order. */
  make(count: number, { traceId = 'conformance', members = '"level":"info"' }: Content = {}): TestRecord[] {
    return Array.from({ length: count }, () => this.#one(traceId, Buffer.from(members, 'utf8')));
  }

  /** The same with members that are bytes of any kind. */
  ofBytes(members: Uint8Array): TestRecord {
    return this.#one('conformance', Buffer.from(members));
  }

  #one(traceId: string, members: Buffer): TestRecord {
    const number = this.#made++;
    const key = `${this.#run}-${number}`;
    const unixNano = this.#begun + BigInt(number);
    const time = new Date(Number(unixNano / 1_000_000n)).toISOString();
    const start = `{"traceId":${JSON.stringify(traceId)},"time":"${time}","conformance":"${key}",`;
    const bytes = Buffer.concat([Buffer.from(start, 'utf8'), members, Buffer.from('}')]);
    return {
      key,
      id: `${this.#run}-${number.toString(16).padStart(12, '0')}`,
      traceId,
      unixNano: String(unixNano),
      source: { namespace: 'conformance', pod: 'pod-0', container: 'main', node: 'node-1' },
      latin1: bytes.toString('latin1'),
      byteLength: bytes.length,
      toBytes: () => Buffer.from(bytes),
      copyTo: (target, at) => at + bytes.copy(target, at),
    };
  }
}

export interface Content {
  readonly traceId?: string;
  readonly members?: string;
}
