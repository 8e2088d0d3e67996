import { closeSync, ftruncateSync, openSync, utimesSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import pino from 'pino';
import { OffsetStore } from '../../src/offsets/offset-store.ts';
import { type AgentRecord, withText } from '../../src/record/agent-record.ts';
import { PartialBudget } from '../../src/record/partial-budget.ts';
import { ContainerRecords } from '../../src/record/container-records.ts';
import { ContainerTail } from '../../src/tail/container-tail.ts';
import { ReadLoop } from '../../src/tail/read-loop.ts';
import { ContainerDir } from './container-dir.ts';

type Stream = 'stdout' | 'stderr';

/** One thing that happens to a container, its files, its tail or its store. */
export type DrivenStep =
  | { readonly kind: 'write'; readonly stream: Stream; readonly count: number }
  | { readonly kind: 'noise' }
  /** The begin of a record; its end comes with the next line of the stream. */
  | { readonly kind: 'piece'; readonly stream: Stream }
  /** The begin of a line; its end comes with whatever is written next. */
  | { readonly kind: 'tear'; readonly at: number }
  | { readonly kind: 'rotate'; readonly late: number }
  | { readonly kind: 'compress' }
  | { readonly kind: 'copytruncate' }
  | { readonly kind: 'remove oldest' }
  | { readonly kind: 'next run' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'look' }
  | { readonly kind: 'read'; readonly pieces: number }
  /** The store takes records that wait, in any order, or refuses them for good. */
  | { readonly kind: 'settle'; readonly picks: readonly number[]; readonly refused: boolean }
  | { readonly kind: 'settle all' }
  | { readonly kind: 'release' }
  /** Other files want the descriptors of these. */
  | { readonly kind: 'park' }
  | { readonly kind: 'drain' };

/** What happens right after so many calls of the file system within a look or a read. */
export interface Interruption {
  readonly calls: number;
  readonly step: DrivenStep;
}

/** The kernel's clock for the times of files, in milliseconds. */
const KERNEL_TICK_MS = 4;

/**
 * A container and its tail, which does nothing by itself: every look, read and answer of the store is a step, on a
 * clock of their own, and what the container does may come between any two calls of the file system.
 */
export class DrivenContainer {
  readonly dir = new ContainerDir();
  readonly tail: ContainerTail;
  /** When each record was whole in its file, by trace ID. */
  readonly written = new Map<string, number>();
  readonly settled = new Set<string>();
  readonly gaps: unknown[] = [];
  readonly #claimed = new Set<string>();
  now = 1_795_000_000_000;
  readonly #onTime: (now: number) => void;
  readonly #interruptions: Interruption[];
  readonly #records: AgentRecord[] = [];
  readonly #rotated: string[] = [];
  readonly #begun: Partial<Record<Stream, { traceId: string; rest: string }>> = {};
  #torn: { traceId: string; rest: string } | undefined;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #run = 0;
  #fd: number;
  #calls = 0;
  #inTail = false;

  /** @param onTime told of the time whenever it goes on. */
  constructor(
    onTime: (now: number) => void,
    interruptions: readonly Interruption[] = [],
    { held = false }: { readonly held?: boolean } = {},
  ) {
    this.#onTime = onTime;
    this.#interruptions = [...interruptions].sort((a, b) => a.calls - b.calls);
    this.#fd = this.#openLive();
    this.#wait(1_000);
    const key = 'ns_pod_uid/app';
    const store = new OffsetStore(undefined, () => true);
    const sink = new ContainerRecords({
      source: withText({ namespace: 'ns', pod: 'pod', container: 'app', node: 'n' }, false),
      maxRecordBytes: 65_536,
      partials: new PartialBudget(2 ** 20, () => undefined),
      onRecord: (record) => {
        record.addDestination();
        this.#records.push(record);
      },
    });
    this.tail = new ContainerTail({
      directory: this.dir.path,
      offsets: held ? store.hold(key) : store.follow(key),
      held,
      onReleased: () => store.follow(key),
      sink,
      loop: new ReadLoop({ open: true }),
      log: pino({ level: 'silent' }),
      savedAt: undefined,
      maxLineBytes: 131_072,
      allowedRoots: () => [this.dir.path],
      onRefused: () => undefined,
      onGap: (gap) => this.gaps.push(gap),
      onRescan: () => undefined,
    });
    this.#running = this.tail.run(this.#stop.signal);
  }

  /** Notes which records were whole in a file before all is said to be settled, and are not. Returns that time. */
  check(): number {
    const until = this.tail.settledUntil.at(this.now);
    for (const [traceId, at] of this.written) {
      if (at < until && !this.settled.has(traceId)) this.#claimed.add(traceId);
    }
    return until;
  }

  /** Records that were settled after they were said to be. What the tail loses is not to be found here. */
  get falselyClaimed(): string[] {
    return [...this.#claimed].filter((traceId) => this.settled.has(traceId));
  }

  /** A call of the file system has been made. */
  called(): void {
    if (!this.#inTail) return;
    this.#calls++;
    while ((this.#interruptions[0]?.calls ?? Infinity) <= this.#calls) {
      const { step } = this.#interruptions.shift()!;
      this.#inTail = false;
      this.#happen(step);
      this.#inTail = true;
    }
  }

  async take(step: DrivenStep): Promise<void> {
    switch (step.kind) {
      case 'look':
        this.#within(() => this.tail.look(this.now));
        break;
      case 'read':
        for (let i = 0; i < step.pieces; i++) if (!(await this.#read())) break;
        break;
      case 'release':
        this.tail.release();
        break;
      case 'drain':
        this.tail.drain();
        break;
      case 'park':
        for (const file of this.tail.files.ordered)
          if (file.isOpen && !file.deleted && !file.entry.compressed) file.park();
        this.tail.files.closeEmpty();
        break;
      default:
        this.#happen(step);
    }
  }

  /** Everything comes to rest: all is finished, read and settled. */
  async rest(): Promise<void> {
    this.tail.release();
    this.#finish('stdout');
    this.#finish('stderr');
    this.#append('');
    for (let i = 0; i < 60; i++) {
      this.#wait(500);
      await this.take({ kind: 'look' });
      await this.take({ kind: 'read', pieces: 100 });
      this.#settleAll();
    }
  }

  /** Resolves when the tail has ended. */
  get tailEnded(): Promise<void> {
    return this.#running;
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    closeSync(this.#fd);
    this.dir.cleanUp();
  }

  async #read(): Promise<boolean> {
    const more = this.#within(() => this.tail.read(this.now));
    return typeof more === 'boolean' ? more : await more;
  }

  #within<T>(call: () => T): T {
    this.#inTail = true;
    try {
      return call();
    } finally {
      this.#inTail = false;
    }
  }

  /** What may happen at any moment. */
  #happen(step: DrivenStep): void {
    switch (step.kind) {
      case 'write':
        for (let i = 0; i < step.count; i++) this.#line(step.stream);
        break;
      case 'noise':
        this.#finish('stdout');
        this.#append(this.dir.cri('no record'));
        break;
      case 'piece':
        this.#piece(step.stream);
        break;
      case 'tear':
        this.#tear(step.at);
        break;
      case 'rotate':
        this.#rotated.push(this.dir.rename(this.#live));
        this.#touch(this.dir.path);
        for (let i = 0; i < step.late; i++) this.#line('stdout');
        this.#append('');
        closeSync(this.#fd);
        this.#fd = this.#openLive();
        break;
      case 'compress':
        this.#compress();
        break;
      case 'copytruncate':
        this.#append('');
        this.#rotated.push(this.dir.copy(this.#live));
        ftruncateSync(this.#fd);
        this.#changed(this.#live);
        break;
      case 'remove oldest':
        this.#removeOldest();
        break;
      case 'next run':
        this.#finish('stdout');
        this.#finish('stderr');
        this.#append('');
        closeSync(this.#fd);
        this.#run++;
        this.#fd = this.#openLive();
        break;
      case 'wait':
        this.#wait(step.ms);
        break;
      case 'settle':
        for (const pick of step.picks) this.#settle(pick, step.refused ? 'dead_lettered' : 'delivered');
        break;
      case 'settle all':
        this.#settleAll();
        break;
      default:
    }
    // No two things happen at the same time.
    this.#wait(1);
  }

  get #live(): string {
    return `${this.#run}.log`;
  }

  #wait(ms: number): void {
    this.now += ms;
    this.#onTime(this.now);
  }

  #openLive(): number {
    const fd = openSync(this.dir.file(this.#live), 'a');
    this.#touch(this.dir.path);
    return fd;
  }

  #changed(name: string): void {
    this.#touch(this.dir.file(name));
    this.#touch(this.dir.path);
  }

  #touch(path: string): void {
    const seconds = (Math.floor(this.now / KERNEL_TICK_MS) * KERNEL_TICK_MS) / 1_000;
    utimesSync(path, seconds, seconds);
  }

  #line(stream: Stream): void {
    this.#finish(stream);
    const json = this.dir.record();
    this.#append(this.dir.cri(json, 'F', stream), this.dir.written.at(-1));
  }

  #piece(stream: Stream): void {
    this.#finish(stream);
    const json = this.dir.record();
    const traceId = this.dir.written.at(-1)!;
    this.#append(this.dir.cri(json.slice(0, 20), 'P', stream));
    this.#begun[stream] = { traceId, rest: json.slice(20) };
  }

  #finish(stream: Stream): void {
    const begun = this.#begun[stream];
    delete this.#begun[stream];
    if (begun !== undefined) this.#append(this.dir.cri(begun.rest, 'F', stream), begun.traceId);
  }

  #tear(at: number): void {
    this.#finish('stdout');
    const line = this.dir.cri(this.dir.record());
    const cut = 1 + (at % (line.length - 1));
    this.#append(line.slice(0, cut));
    this.#torn = { traceId: this.dir.written.at(-1)!, rest: line.slice(cut) };
  }

  /** @param traceId of the record that is whole by this. */
  #append(text: string, traceId?: string): void {
    const torn = this.#torn;
    this.#torn = undefined;
    if (torn === undefined && text === '') return;
    writeSync(this.#fd, Buffer.from((torn?.rest ?? '') + text, 'latin1'));
    const seconds = (Math.floor(this.now / KERNEL_TICK_MS) * KERNEL_TICK_MS) / 1_000;
    this.#touchOpen(seconds);
    for (const whole of [torn?.traceId, traceId]) if (whole !== undefined) this.written.set(whole, this.now);
    this.#wait(1);
  }

  #touchOpen(seconds: number): void {
    utimesSync(`/proc/self/fd/${this.#fd}`, seconds, seconds);
  }

  #compress(): void {
    const plain = this.#rotated.findIndex((name) => !name.endsWith('.gz'));
    if (plain < 0) return;
    this.#rotated[plain] = this.dir.compress(this.#rotated[plain]!);
    this.#changed(this.#rotated[plain]);
  }

  /** What nobody could read any more is not removed. */
  #removeOldest(): void {
    const [name] = this.#rotated;
    if (name === undefined) return;
    const known = this.tail.files.ordered.some(
      ({ entry, isOpen, finished }) => entry.name.startsWith(name.replace('.gz', '')) && (isOpen || finished),
    );
    if (!known) return;
    this.dir.remove(name);
    this.#rotated.shift();
    this.#touch(dirname(this.dir.file(name)));
  }

  #settle(pick: number, outcome: 'delivered' | 'dead_lettered'): void {
    if (this.#records.length === 0) return;
    const [record] = this.#records.splice(pick % this.#records.length, 1);
    this.settled.add(record!.traceId);
    record!.settle(outcome);
  }

  #settleAll(): void {
    while (this.#records.length > 0) this.#settle(0, 'delivered');
  }
}
