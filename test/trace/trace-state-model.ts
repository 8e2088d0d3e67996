import type { KnownNode, Nodes } from '../../src/trace/known-node.ts';
import type { StoredRecord } from '../../src/trace/stored-record.ts';
import type { Followed, TraceReader } from '../../src/trace/trace-reader.ts';
import { widened } from '../../src/trace/span.ts';
import type { Span } from '../../src/trace/trace-state.ts';
import type { NodeReport } from '../../src/writers/node-report.ts';

/** What happens in the model, node by node. */
export type Step =
  | {
      readonly do: 'write' | 'read' | 'store' | 'publish' | 'work' | 'freeze' | 'thaw' | 'die' | 'start';
      readonly node: number;
    }
  | { readonly do: 'time'; readonly ms: number };

const LEASE_MS = 40;
const EPOCH_MS = 1_700_000_000_000;

interface ModelLine {
  readonly atMs: number;
  readonly record: StoredRecord;
}

/** A node as the contract has it: its agent stores lines in any order and tells the watermark that follows. */
class ModelNode {
  readonly name: string;
  readonly lines: ModelLine[] = [];
  readonly #inFlight = new Set<ModelLine>();
  readonly stored = new Set<ModelLine>();
  #read = 0;
  agent: 'runs' | 'frozen' | 'dead' = 'runs';
  /** Whether it has told of itself since it started. */
  #told = false;
  report: NodeReport | undefined;
  publishedMs = 0;

  constructor(name: string) {
    this.name = name;
  }

  step(what: Exclude<Step, { do: 'time' }>['do'], nowMs: number, store: (line: ModelLine) => void): void {
    if (what === 'write') this.#write(nowMs);
    else if (what === 'freeze' && this.agent === 'runs') this.agent = 'frozen';
    else if (what === 'thaw' && this.agent === 'frozen') this.agent = 'runs';
    else if (what === 'die' && this.agent !== 'dead') this.#die();
    else if (what === 'start' && this.agent === 'dead') this.agent = 'runs';
    else if (this.agent !== 'runs') return;
    else if (what === 'read' && this.#read < this.lines.length) this.#inFlight.add(this.lines[this.#read++]!);
    else if (what === 'store') this.#store(store);
    else if (what === 'publish') this.#publish(nowMs);
    else if (what === 'work') {
      while (this.#read < this.lines.length) this.#inFlight.add(this.lines[this.#read++]!);
      while (this.#inFlight.size > 0) this.#store(store);
      this.#publish(nowMs);
    }
  }

  isLive(nowMs: number): boolean {
    return this.report !== undefined && nowMs - this.publishedMs < LEASE_MS;
  }

  #write(nowMs: number): void {
    const id = `${this.name}-${String(this.lines.length).padStart(6, '0')}`;
    this.lines.push({
      atMs: nowMs,
      record: { unixNano: `${EPOCH_MS + nowMs}000000`, id, bytes: Buffer.from(this.#text(id)) },
    });
  }

  #text(id: string): string {
    const kubernetes = { namespace: 'shop', pod: 'cart-1', container: 'main', node: this.name };
    return JSON.stringify({ id, kubernetes });
  }

  /** What is in flight is read again: the offsets know only of what is stored. */
  #die(): void {
    this.agent = 'dead';
    this.#inFlight.clear();
    this.#told = false;
    this.#read = this.lines.findIndex((line) => !this.stored.has(line));
    if (this.#read < 0) this.#read = this.lines.length;
  }

  #store(store: (line: ModelLine) => void): void {
    // The latest first, now and then: batches settle in any order.
    const line = [...this.#inFlight].at(this.lines.length % 2 === 0 ? 0 : -1);
    if (line === undefined) return;
    this.#inFlight.delete(line);
    if (!this.stored.has(line)) store(line);
    this.stored.add(line);
  }

  #publish(nowMs: number): void {
    const first = this.lines.find((line) => !this.stored.has(line));
    const watermarkMs = Math.min(nowMs, first?.atMs ?? nowMs);
    const watermark = this.#told ? rfc3339(watermarkMs) : null;
    this.#told = true;
    this.publishedMs = nowMs;
    this.report = {
      version: 1,
      node: this.name,
      agent: '1.0.0',
      since: rfc3339(0),
      published: rfc3339(nowMs),
      leaseSeconds: LEASE_MS / 1_000,
      watermark,
      lagSeconds: null,
      containers: 1,
      stopped: false,
      gaps: [],
      gapsLeftOut: 0,
    };
  }
}

/** Three nodes that write lines of one trace to one store. Each look at the store lets time go on first. */
export class Model {
  readonly nodes = ['n1', 'n2', 'n3'].map((name) => new ModelNode(name));
  nowMs = 0;
  /** In the order of their storing: a mark is how many there were. */
  readonly #store: ModelLine[] = [];
  readonly #steps: Step[];
  #wake = Promise.withResolvers<void>();

  constructor(steps: readonly Step[]) {
    this.#steps = [...steps];
  }

  get isOver(): boolean {
    return this.#steps.length === 0;
  }

  get clockMs(): number {
    return EPOCH_MS + this.nowMs;
  }

  step(step: Step | undefined): void {
    if (step === undefined) return;
    if (step.do === 'time') this.nowMs += step.ms;
    else {
      this.nodes[step.node]!.step(step.do, this.nowMs, (line) => {
        this.#store.push(line);
        this.#wake.resolve();
        this.#wake = Promise.withResolvers<void>();
      });
    }
  }

  /** Throws where the schedule is over. */
  end: (() => void) | undefined;

  /** A few steps, as many as the schedule has between two calls. */
  goOn(): void {
    if (this.isOver) this.end?.();
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      this.step(step);
      if (step.do === 'time') return;
    }
  }

  /** All nodes run, store what they have and say so, late enough to be past everything. */
  settle(): void {
    this.nowMs += 1_000;
    for (const [node] of this.nodes.entries()) {
      for (const what of ['thaw', 'start'] as const) this.step({ do: what, node });
      for (let n = 0; n < 1_000; n++)
        for (const what of ['read', 'store'] as const) this.step({ do: what, node });
      for (let n = 0; n < 2; n++) this.step({ do: 'publish', node });
    }
  }

  /** The lines that were written up to a time and are not among those that were read. */
  missing(read: ReadonlySet<string>, upToUnixNano: bigint): string[] {
    return this.nodes.flatMap(({ lines }) =>
      lines
        .filter(({ record }) => BigInt(record.unixNano) < upToUnixNano && !read.has(record.id))
        .map(({ record }) => record.id),
    );
  }

  reader(): TraceReader {
    const at = (mark: string): StoredRecord[] =>
      this.#store.slice(0, Number(mark)).map(({ record }) => record);
    const look = async <T>(answer: () => T): Promise<T> => {
      this.goOn();
      const result = answer();
      await Promise.resolve();
      this.goOn();
      return result;
    };
    const follow = async function* (
      this: Model,
      mark: string,
      signal: AbortSignal,
    ): AsyncGenerator<Followed, void> {
      for (let seen = Number(mark); ;) {
        signal.throwIfAborted();
        // A watch owes now and then what is stored already.
        if (this.nowMs % 3 !== 0 && this.#store.length > seen) {
          const record = this.#store[seen]!.record;
          seen += 1;
          yield { records: [record], mark: String(seen) };
        } else {
          await Promise.race([this.#wake.promise, aborted(signal)]);
        }
      }
    }.bind(this);
    return {
      name: 'the model',
      now: () => look(() => String(this.#store.length)),
      nodes: () => look(() => this.#told()),
      span: (_, mark) =>
        look(() => at(mark).reduce<Span | undefined>((span, one) => widened(span, one.unixNano), undefined)),
      async *read(_id, _signal, options) {
        yield* await look(() =>
          at(options?.at ?? '0').toSorted((a, b) => (a.unixNano < b.unixNano ? -1 : 1)),
        );
      },
      async *between(_id, { after, upTo }) {
        const records = await look(() => at(upTo).slice(Number(after)));
        if (records.length > 0) yield records;
      },
      follow: (_id, mark, signal) => follow(mark, signal),
      recent: () => Promise.reject(new Error('not in the model')),
      close: () => Promise.resolve(),
    };
  }

  #told(): Nodes {
    const nodes = this.nodes
      .filter(({ report }) => report !== undefined)
      .map((node): KnownNode => ({ node: node.name, report: node.report, live: node.isLive(this.nowMs) }));
    return { nodes };
  }
}

function rfc3339(ms: number): string {
  return new Date(EPOCH_MS + ms).toISOString();
}

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return;
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
