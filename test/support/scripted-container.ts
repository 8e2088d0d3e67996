import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SavedOffsets } from '../../src/offsets/offsets-file.ts';
import { ContainerDir } from './container-dir.ts';
import { Pipeline } from './pipeline.ts';
import { until } from './until.ts';

type Stream = 'stdout' | 'stderr';

/** One thing that happens to a container, its files, or the agent. */
export type Step =
  | { readonly kind: 'write'; readonly stream: Stream; readonly count: number; readonly pad: number }
  /** A record in pieces; the last one may come much later. */
  | { readonly kind: 'pieces'; readonly stream: Stream; readonly cuts: readonly number[] }
  /** A part of a line reaches the file; the rest comes with the next write. */
  | { readonly kind: 'tear'; readonly at: number }
  | { readonly kind: 'rotate'; readonly late: number }
  | { readonly kind: 'compress' }
  | { readonly kind: 'copytruncate' }
  | { readonly kind: 'remove oldest' }
  | { readonly kind: 'next run' }
  | { readonly kind: 'kill'; readonly stale: boolean }
  | { readonly kind: 'stop' }
  | { readonly kind: 'store'; readonly down: boolean }
  | { readonly kind: 'wait'; readonly ms: number };

/**
 * A container, the agent that follows it, and a model of what must come of it: every record that was written is
 * stored under one identity and unaltered, whatever the steps.
 */
export class ScriptedContainer {
  readonly dir = new ContainerDir();
  readonly #written = new Map<string, string>();
  readonly #stored = new Map<string, { id: string; text: string }>();
  readonly #rotated: string[] = [];
  readonly #open: Partial<Record<Stream, string>> = {};
  #torn = '';
  #run = 0;
  #fd: number;
  #pipeline: Pipeline;
  #stale: SavedOffsets | undefined;
  /** A file was removed that only a descriptor of the agent still holds: it must live until that is read. */
  #onlyInDescriptor = false;
  readonly faults: string[] = [];

  constructor() {
    this.#fd = this.#openLive();
    this.#pipeline = this.#start(undefined);
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'write':
        for (let i = 0; i < step.count; i++) this.#line(step.stream, this.#record(step.pad));
        break;
      case 'pieces':
        this.#pieces(step.stream, step.cuts);
        break;
      case 'tear':
        this.#tear(step.at);
        break;
      case 'rotate':
        this.#rotate(step.late);
        break;
      case 'compress': {
        const plain = this.#rotated.findIndex((name) => !name.endsWith('.gz'));
        if (plain >= 0) this.#rotated[plain] = this.dir.compress(this.#rotated[plain]!);
        break;
      }
      case 'copytruncate':
        this.#copytruncate();
        break;
      case 'remove oldest':
        await this.#removeOldest();
        break;
      case 'next run':
        this.#finishLines();
        this.#run++;
        closeSync(this.#fd);
        this.#fd = this.#openLive();
        break;
      case 'kill':
        await this.#restart(step.stale && this.#stale !== undefined ? this.#stale : undefined, false);
        break;
      case 'stop':
        await this.#restart(undefined, true);
        break;
      case 'store':
        this.#pipeline.down = step.down;
        break;
      case 'wait':
        await sleep(step.ms);
        break;
    }
    this.#pipeline.ledger();
  }

  /** Ends the container and drains it; what is wrong then is in `faults`. */
  async end(): Promise<void> {
    this.#finishLines();
    await this.#everythingStored();
    await this.#pipeline.drain();
    this.#collect();
    closeSync(this.#fd);
    const ledger = this.#pipeline.ledger();
    if (ledger.inFlight !== 0) this.faults.push(`in flight at the end: ${ledger.inFlight}`);
    for (const [traceId, text] of this.#written) {
      const stored = this.#stored.get(traceId);
      if (stored === undefined) this.faults.push(`lost: ${traceId}`);
      else if (stored.text !== text) this.faults.push(`altered: ${traceId}`);
    }
    for (const traceId of this.#stored.keys()) {
      if (!this.#written.has(traceId)) this.faults.push(`foreign: ${traceId}`);
    }
    this.dir.cleanUp();
  }

  #start(saved: SavedOffsets | undefined): Pipeline {
    return new Pipeline(this.dir.path, { saved, maxBatches: 4 });
  }

  #collect(): void {
    for (const { traceId, id, latin1: text } of this.#pipeline.stored.values()) {
      const known = this.#stored.get(traceId);
      if (known !== undefined && known.id !== id)
        this.faults.push(`twice: ${traceId} as ${known.id} and ${id}`);
      this.#stored.set(traceId, { id, text });
    }
    for (const gap of this.#pipeline.gaps) {
      // Offsets that are older than a removal cannot know that the file was read.
      if (gap.reason !== 'removed_while_down') this.faults.push(`gap: ${JSON.stringify(gap)}`);
    }
  }

  async #restart(stale: SavedOffsets | undefined, gracefully: boolean): Promise<void> {
    if (this.#onlyInDescriptor) await this.#everythingStored();
    const fresh =
      gracefully && !this.#pipeline.down ? await this.#pipeline.stop() : await this.#pipeline.kill();
    this.#collect();
    this.#pipeline = this.#start(stale ?? fresh);
    this.#stale = fresh;
  }

  async #everythingStored(): Promise<void> {
    this.#pipeline.down = false;
    this.#finishLines();
    const all = (): boolean => {
      const now = new Set(this.#pipeline.traceIds);
      return [...this.#written.keys()].every((traceId) => now.has(traceId) || this.#stored.has(traceId));
    };
    await until(all, { timeoutMs: 8_000, what: 'everything stored' }).catch(() => undefined);
    await until(() => this.#pipeline.ledger().inFlight === 0, { what: 'nothing in flight' });
    this.#onlyInDescriptor = false;
  }

  async #removeOldest(): Promise<void> {
    const [name] = this.#rotated;
    if (name === undefined || this.#rotated.length < 3) return;
    const held = (): boolean =>
      this.#pipeline.tail.files.ordered.some(
        ({ entry, isOpen, finished }) =>
          entry.name.startsWith(name.replace('.gz', '')) && (isOpen || finished),
      );
    await until(held, { what: `${name} opened` });
    this.dir.remove(name);
    this.#rotated.shift();
    this.#onlyInDescriptor = true;
    this.#stale = undefined;
  }

  #openLive(): number {
    return openSync(this.dir.file(`${this.#run}.log`), 'a');
  }

  #rotate(late: number): void {
    if (fstatSync(this.#fd).size === 0) return;
    this.#rotated.push(this.dir.rename(`${this.#run}.log`));
    this.#append('');
    for (let i = 0; i < late; i++) this.#line('stdout', this.#record(0));
    closeSync(this.#fd);
    this.#fd = this.#openLive();
  }

  #copytruncate(): void {
    this.#append('');
    if (fstatSync(this.#fd).size === 0) return;
    this.#rotated.push(this.dir.copy(`${this.#run}.log`));
    ftruncateSync(this.#fd);
  }

  #record(pad: number): string {
    const json = this.dir.record({ msg: 'é\xff'.repeat(pad) });
    const text = Buffer.from(json, 'utf8').toString('latin1');
    this.#written.set(this.dir.written.at(-1)!, text);
    return text;
  }

  /** What the stream still owes comes first: a stream is a sequence of bytes. */
  #line(stream: Stream, content: string): void {
    this.#finishPieces(stream);
    this.#append(this.dir.cri(content, 'F', stream));
  }

  #pieces(stream: Stream, cuts: readonly number[]): void {
    this.#finishPieces(stream);
    let rest = this.#record(3);
    for (const cut of cuts) {
      const at = cut % rest.length;
      this.#append(this.dir.cri(rest.slice(0, at), 'P', stream));
      rest = rest.slice(at);
    }
    this.#open[stream] = rest;
  }

  #finishPieces(stream: Stream): void {
    const rest = this.#open[stream];
    delete this.#open[stream];
    if (rest !== undefined) this.#append(this.dir.cri(rest, 'F', stream));
  }

  #finishLines(): void {
    this.#finishPieces('stdout');
    this.#finishPieces('stderr');
    this.#append('');
  }

  #tear(at: number): void {
    this.#finishPieces('stdout');
    const line = this.dir.cri(this.#record(5));
    const cut = 1 + (at % (line.length - 1));
    this.#append(line.slice(0, cut));
    this.#torn = line.slice(cut);
  }

  #append(text: string): void {
    writeSync(this.#fd, Buffer.from(this.#torn + text, 'latin1'));
    this.#torn = '';
  }
}
