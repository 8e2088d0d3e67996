import { setTimeout as sleep } from 'node:timers/promises';
import { pause } from '../../src/util/pause.ts';
import type { TortureContainer } from './torture-container.ts';
import { type NodeParts, type PodKind, TorturePod } from './torture-pod.ts';

export interface TortureNodeOptions extends NodeParts {
  /** Pods that live long. */
  readonly pods: number;
  readonly linesPerSecond: number;
  /** Mean time between two of the kubelet's rounds. */
  readonly rotateEveryMs: number;
  /** Mean time between two things that befall a pod. */
  readonly befallEveryMs: number;
}

/** What happened on the node so far. */
export type NodeCounts = Map<string, number>;

const TICK_MS = 20;

/** A node whose pods come, crash, are relabelled and go at random, and print all the while. */
export class TortureNode {
  readonly counts: NodeCounts = new Map();
  readonly #options: TortureNodeOptions;
  readonly #pods: TorturePod[] = [];
  /** Deaths under way. */
  readonly #endings = new Set<Promise<void>>();
  #names = 0;
  #linesOfGone = 0;

  constructor(options: TortureNodeOptions) {
    this.#options = options;
    for (let i = 0; i < options.pods; i++) this.#startPod(i % 5 === 4 ? 'static' : 'selected');
    for (const kind of ['other-label', 'other-namespace', 'other-node'] as const) this.#startPod(kind);
  }

  get lines(): number {
    return this.containers.reduce((sum, { lines }) => sum + lines, this.#linesOfGone);
  }

  get containers(): TortureContainer[] {
    return this.#pods.flatMap(({ containers }) => containers);
  }

  /** The API tells the agent of a pod, as it is of this version. */
  heard(uid: string, version: number): void {
    for (const pod of this.#pods) pod.heard(uid, version);
  }

  /** Lives until the signal aborts; then everything that goes is gone, and what stays is whole. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#print(signal), this.#rotate(signal), this.#befall(signal), this.#flash(signal)]);
    await Promise.all(this.#endings);
    for (const pod of this.#pods) pod.reselect();
    for (const container of this.containers) container.mend();
  }

  /** Lines, as many as are due, most of them by one noisy container. */
  async #print(signal: AbortSignal): Promise<void> {
    const { linesPerSecond, random } = this.#options;
    let last = performance.now();
    let due = 0;
    while (!signal.aborted) {
      const now = performance.now();
      due += (Math.min(now - last, 250) * linesPerSecond) / 1000;
      last = now;
      const [writers = [], others = []] = this.#writers();
      while (due >= 1 && writers.length > 0) {
        const burst = Math.min(Math.floor(due), random.int(1, Math.max(2, Math.ceil(linesPerSecond / 50))));
        if (others.length > 0 && random.chance(0.02)) random.pick(others).print(1);
        // The square makes the first ones noisy.
        writers[Math.floor(random.next() ** 2 * writers.length)]!.print(burst);
        due -= burst;
      }
      await sleep(TICK_MS);
    }
  }

  /** Containers that print: those of pods that are selected, and the others. */
  #writers(): TortureContainer[][] {
    return [true, false]
      .map((selected) => this.#pods.filter((pod) => pod.isSelected === selected))
      .map((pods) => pods.flatMap(({ containers }) => containers.filter(({ ended }) => !ended)));
  }

  /** The kubelet's rounds, more frequent than the real ones. */
  async #rotate(signal: AbortSignal): Promise<void> {
    const { random, rotateEveryMs, keptFiles } = this.#options;
    while (!signal.aborted) {
      await pause((0.5 + random.next()) * rotateEveryMs, signal);
      for (const container of this.containers) {
        if (container.ended || container.busy) continue;
        if (container.size < container.rotateBytes) continue;
        this.#count((await container.rotate(keptFiles)) ? 'rotations' : 'renamed back');
      }
    }
  }

  /** Crashes, labels, deaths, new containers. */
  async #befall(signal: AbortSignal): Promise<void> {
    const { random, befallEveryMs } = this.#options;
    while (!signal.aborted) {
      // One time in five something comes of it.
      await pause(((0.5 + random.next()) * befallEveryMs) / 5, signal);
      const pod = random.pick(this.#pods);
      if (pod.ending) continue;
      const container = random.pick(pod.containers);
      if (container.busy) continue;
      const chance = random.next();
      if (chance < 0.1) {
        container.restart(random.int(1, 2));
        this.#count('restarts');
      } else if (chance < 0.13) {
        void this.#crashLoop(pod, container, signal);
      } else if (chance < 0.15 && pod.kind === 'selected') {
        void this.#relabel(pod, signal);
      } else if (chance < 0.17 && pod.containers.length < 4) {
        pod.start(`ephemeral-${pod.containers.length}`);
        this.#count('containers added');
      } else if (chance < 0.2) {
        this.#replace(pod);
      }
    }
  }

  /** A container that dies again and again, seconds apart. */
  async #crashLoop(pod: TorturePod, container: TortureContainer, signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    for (let death = random.int(2, 6); death > 0; death--) {
      await pause(random.int(300, 2_500), signal);
      if (signal.aborted || pod.ending || container.busy) return;
      container.print(random.int(0, 10));
      container.restart(1);
      this.#count('crashes in a loop');
    }
  }

  async #relabel(pod: TorturePod, signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    pod.deselect();
    this.#count('label changes');
    await pause(random.int(500, 8_000), signal);
    if (!pod.ending) pod.reselect();
  }

  /** A pod that lives long dies, and another takes its place, at times under the same name. */
  #replace(pod: TorturePod): void {
    if (pod.containers.some(({ busy }) => busy)) return;
    const sameName = this.#options.random.chance(0.3);
    this.#endings.add(sameName ? this.#replaceByNamesake(pod) : this.#die(pod));
    if (!sameName) this.#startPod(pod.kind);
    this.#count('pods replaced');
  }

  async #replaceByNamesake(pod: TorturePod): Promise<void> {
    await this.#die(pod);
    this.#count('names used again');
    this.#startPod(pod.kind, pod.name, true);
  }

  /** The last lines, the API's word and the directory's end, which comes a second after the last line or later. */
  async #die(pod: TorturePod, { keptMs = 0 } = {}): Promise<void> {
    const { random } = this.#options;
    pod.ending = true;
    const early = keptMs === 0 && random.chance(0.5);
    if (early) pod.untell();
    await sleep(random.int(0, 400));
    for (const container of pod.containers) container.print(random.int(0, 5));
    while (pod.containers.some(({ busy }) => busy)) await sleep(5);
    pod.end();
    await sleep(1_000 + random.int(0, random.pick([100, 1_500])));
    this.#linesOfGone += pod.containers.reduce((sum, { lines }) => sum + lines, 0);
    this.#pods.splice(this.#pods.indexOf(pod), 1);
    pod.remove();
    await sleep(random.int(0, 300) + keptMs);
    if (!early) pod.untell();
  }

  /** Pods that live for less than a second. */
  async #flash(signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    while (!signal.aborted) {
      await pause(random.int(500, 3_000), signal);
      const ending = this.#flashOnce().finally(() => this.#endings.delete(ending));
      this.#endings.add(ending);
    }
  }

  async #flashOnce(): Promise<void> {
    const { random } = this.#options;
    this.#count('short-lived pods');
    const pod = new TorturePod(this.#options, this.#name(), 'selected');
    pod.ending = true;
    this.#pods.push(pod);
    const late = random.chance(0.3);
    if (!late) pod.tell();
    await sleep(random.int(0, 200));
    for (const name of random.pick([['app'], ['init', 'app']])) {
      pod.start(name).print(random.int(1, 30));
      await sleep(random.int(0, 300));
    }
    if (late) pod.tell();
    // At times the API goes on telling of it for longer than an outage lasts.
    await this.#die(pod, { keptMs: random.chance(0.4) ? 12_000 : 0 });
  }

  #startPod(kind: PodKind, name = this.#name(), namesake = false): void {
    const { random } = this.#options;
    const pod = new TorturePod(this.#options, name, kind, namesake);
    pod.tell();
    for (const container of random.pick([['app'], ['app'], ['app', 'sidecar']])) pod.start(container);
    this.#pods.push(pod);
  }

  #name(): string {
    return `shop-${this.#names++}-${this.#options.random.nameSuffix(5)}`;
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}
