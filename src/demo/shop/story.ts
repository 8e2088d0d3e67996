import type { Random } from '../random.ts';

export type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

/** The parts of the shop; each is a deployment of one or more pods. */
export type Service = 'gateway' | 'catalog' | 'cart' | 'orders' | 'payments' | 'stock';

/** One line of a service's log, to be written when its time has come. */
export interface StoryLine {
  /** Milliseconds after the request came in, with a fraction. */
  readonly atMs: number;
  readonly service: Service;
  /** Where it is not the container that has the service's name. */
  readonly container?: string;
  readonly level: Level;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** All lines of one request, in the order of time. */
export interface Story {
  /** What a person would call it: `POST /checkout → 503`. */
  readonly title: string;
  readonly failed: boolean;
  readonly lines: readonly StoryLine[];
}

/** Collects the lines of a request, and lets time pass between them. */
export class StoryTeller {
  readonly random: Random;
  readonly #lines: StoryLine[] = [];
  #atMs = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** Milliseconds since the request came in, rounded to tenths. */
  get elapsedMs(): number {
    return Math.round(this.#atMs * 10) / 10;
  }

  /** Lets between half and one and a half times `ms` pass. */
  wait(ms: number): this {
    this.#atMs += ms * (0.5 + this.random.next());
    return this;
  }

  say(level: Level, service: Service, msg: string, fields: Readonly<Record<string, unknown>> = {}): this {
    this.wait(0.4);
    this.#lines.push({ atMs: this.#atMs, service, level, msg, fields });
    return this;
  }

  /** The gateway's answer, and the line of its proxy. */
  answer(method: string, path: string, status: number): Story {
    const failed = status >= 500;
    const durationMs = this.wait(1).elapsedMs;
    this.say(failed ? 'ERROR' : 'INFO', 'gateway', 'request done', { method, path, status, durationMs });
    this.wait(0.2);
    this.#lines.push({
      atMs: this.#atMs,
      service: 'gateway',
      container: 'envoy',
      level: 'INFO',
      msg: `${method} ${path} HTTP/2 ${status}`,
      fields: { upstream: 'gateway:8080', bytesOut: this.random.int(300, 9_000), durationMs },
    });
    return { title: `${method} ${path} → ${status}`, failed, lines: this.#lines };
  }
}
