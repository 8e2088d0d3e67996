import type { Nodes } from '../trace/known-node.ts';
import type { ReadOptions, TraceReader } from '../trace/trace-reader.ts';

/**
 * A reader that asks for the nodes at most once in a while, for all who look. What they told a moment ago is as good:
 * it only has to be from before the records are read.
 */
export class SharedNodes implements TraceReader {
  readonly #reader: TraceReader;
  readonly #goodForMs: number;
  #looked: { readonly at: number; readonly nodes: Promise<Nodes> } | undefined;

  constructor(reader: TraceReader, goodForMs: number) {
    this.#reader = reader;
    this.#goodForMs = goodForMs;
  }

  get name(): string {
    return this.#reader.name;
  }

  /** The first to go does not take it from the others. */
  async nodes(signal: AbortSignal): Promise<Nodes> {
    if (this.#looked === undefined || performance.now() - this.#looked.at >= this.#goodForMs) {
      const nodes = this.#reader.nodes(AbortSignal.timeout(10_000));
      this.#looked = { at: performance.now(), nodes };
      nodes.catch(() => (this.#looked = undefined));
    }
    const { nodes } = this.#looked;
    signal.throwIfAborted();
    return nodes;
  }

  now(signal: AbortSignal): Promise<string> {
    return this.#reader.now(signal);
  }

  read(traceId: string, signal: AbortSignal, options?: ReadOptions): ReturnType<TraceReader['read']> {
    return this.#reader.read(traceId, signal, options);
  }

  follow(traceId: string, mark: string, signal: AbortSignal): ReturnType<TraceReader['follow']> {
    return this.#reader.follow(traceId, mark, signal);
  }

  recent(limit: number, signal: AbortSignal): ReturnType<TraceReader['recent']> {
    return this.#reader.recent(limit, signal);
  }

  span(traceId: string, mark: string, signal: AbortSignal): ReturnType<TraceReader['span']> {
    return this.#reader.span(traceId, mark, signal);
  }

  between(
    traceId: string,
    marks: { readonly after: string; readonly upTo: string },
    signal: AbortSignal,
  ): ReturnType<TraceReader['between']> {
    return this.#reader.between(traceId, marks, signal);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
