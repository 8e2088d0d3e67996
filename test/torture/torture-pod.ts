import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../src/demo/clock.ts';
import { containerdFormat } from '../../src/demo/containerd-format.ts';
import type { Random } from '../../src/demo/random.ts';
import { SimulatedPod } from '../../src/demo/simulated-pod.ts';
import { containerTarget } from '../../src/pods/log-path.ts';
import type { KubeApi } from '../support/kube-api/kube-api.ts';
import { conmonFormat } from '../support/sim/conmon-format.ts';
import type { TestRecords } from '../support/sim/test-records.ts';
import { DockerBacking, KubeletBacking } from './backings.ts';
import type { Fairness } from './fairness.ts';
import type { Journal } from './journal.ts';
import { type Duty, MAY, MUST, NEVER, type RecordBook } from './record-book.ts';
import { type FileTrack, TortureContainer } from './torture-container.ts';

/** What all pods of the node share. */
export interface NodeParts {
  readonly podLogDir: string;
  readonly dockerDir: string;
  readonly api: KubeApi;
  readonly random: Random;
  readonly clock: Clock;
  readonly book: RecordBook;
  readonly records: TestRecords;
  readonly fairness: Fairness;
  readonly journal: Journal;
  readonly maxRecordBytes: number;
  /** So many files are kept of a run of a container. */
  readonly keptFiles: number;
}

/** Why a pod is selected or not. */
export type PodKind = 'selected' | 'static' | 'other-label' | 'other-namespace' | 'other-node';

/** A line that is printed within this time of a change of labels may be cut by it. */
const RELABEL_MS = 6_000;
const selectedLabels = { app: 'snowplow' };

/** A pod: its files on the node and its object in the API, each of which comes and goes by itself. */
export class TorturePod {
  readonly name: string;
  readonly kind: PodKind;
  readonly containers: TortureContainer[] = [];
  readonly #parts: NodeParts;
  readonly #namespace: string;
  readonly #uid: string;
  readonly #files: SimulatedPod;
  readonly #runtime: 'containerd' | 'conmon' | 'docker';
  readonly #dockers: DockerBacking[] = [];
  #toldAt: number | undefined;
  #deselected = false;
  /** The API has yet to tell the agent that it is selected again, which it is of this version. */
  #untold: number | undefined;
  /** The version of the API's object that was last told. */
  #heardTo = 0;
  /** What the agent does with the pod is not judged before this time. */
  #settledAt = 0;
  /** It is about to go: nothing else is to befall it. */
  ending = false;

  readonly #namesake: boolean;

  /** @param namesake there was a pod of this name before. */
  constructor(parts: NodeParts, name: string, kind: PodKind, namesake = false) {
    const { random, podLogDir, clock } = parts;
    this.#parts = parts;
    this.name = name;
    this.kind = kind;
    this.#namesake = namesake;
    this.#namespace = kind === 'other-namespace' ? 'elsewhere' : 'demo-system';
    this.#uid = kind === 'static' ? random.hex(32) : random.uuid();
    this.#runtime = random.pick(['containerd', 'containerd', 'conmon', 'conmon', 'docker'] as const);
    const zone = random.pick([0, 0, 120, -210]);
    const format = this.#runtime === 'conmon' ? conmonFormat : containerdFormat;
    this.#files = new SimulatedPod(podLogDir, { namespace: this.#namespace, pod: name, uid: this.#uid }, () =>
      format({ clock, utcOffsetMinutes: zone }),
    );
  }

  get isSelected(): boolean {
    return this.kind === 'selected' || this.kind === 'static';
  }

  start(container: string): TortureContainer {
    const { clock, dockerDir, keptFiles, random, book, records, fairness, journal, maxRecordBytes } =
      this.#parts;
    const target = containerTarget(this.#files.target, container);
    let backing;
    if (this.#runtime === 'docker') {
      backing = new DockerBacking({ target, containersDir: dockerDir, keptFiles, clock, random });
      this.#dockers.push(backing);
    } else {
      backing = new KubeletBacking(this.#files.container(container), clock);
    }
    const started = new TortureContainer({
      target,
      backing,
      book,
      records,
      random,
      duty: () => this.#duty,
      onDeleted: (of: TortureContainer, file: FileTrack) => fairness.deleted(of, file),
      journal,
      maxRecordBytes,
    });
    started.toldAt = this.#toldAt;
    if (this.#namesake) fairness.isNamesake(started);
    this.containers.push(started);
    return started;
  }

  /** The API comes to know it. */
  tell(): void {
    this.#note(`pod told (${this.kind}, ${this.#runtime})`);
    const { api, random, fairness } = this.#parts;
    this.#toldAt = fairness.now;
    for (const container of this.containers) container.toldAt = this.#toldAt;
    const mirror =
      this.kind === 'static'
        ? { 'kubernetes.io/config.hash': this.#uid, 'kubernetes.io/config.mirror': this.#uid }
        : {};
    api.addPod({
      namespace: this.#namespace,
      name: this.name,
      uid: this.kind === 'static' ? random.uuid() : this.#uid,
      node: this.kind === 'other-node' ? 'node-2' : 'node-1',
      labels: this.kind === 'other-label' ? { app: 'other' } : selectedLabels,
      annotations: mirror,
    });
  }

  /** The API forgets it. */
  untell(): void {
    this.#note('pod deleted from the API');
    for (const container of this.containers) {
      container.untold = true;
      this.#parts.fairness.untold(container);
    }
    this.#parts.api.deletePod(this.#namespace, this.name);
  }

  deselect(): void {
    this.#label(true, { app: 'other' });
  }
  reselect(): void {
    if (this.#deselected) this.#label(false, selectedLabels);
  }

  end(): void {
    this.#note('pod ends');
    for (const container of this.containers) container.end();
  }

  /** Its directory goes. */
  remove(): void {
    this.#note('pod removed');
    this.end();
    rmSync(join(this.#files.target.directory), { recursive: true, force: true });
    for (const docker of this.#dockers) docker.remove();
    for (const container of this.containers) container.removed();
  }

  #label(deselected: boolean, labels: Record<string, string>): void {
    const { api, fairness } = this.#parts;
    this.#note(deselected ? 'pod deselected' : 'pod selected again');
    this.#deselected = deselected;
    this.#settledAt = fairness.now + RELABEL_MS;
    // Until it is told otherwise the agent takes the pod for one that is not selected, and must not read it.
    for (const container of this.containers) fairness.relabelled(container, false);
    this.#untold = undefined;
    const { metadata } = api.updatePod({ namespace: this.#namespace, name: this.name, labels });
    if (!deselected) this.#untold = Number(metadata.resourceVersion);
    if (this.#heardTo >= (this.#untold ?? Infinity)) this.#heard();
  }

  /** The API tells the agent of a pod, as it is of this version. */
  heard(uid: string, version: number): void {
    if (uid !== this.#uid) return;
    this.#heardTo = version;
    if (version >= (this.#untold ?? Infinity)) this.#heard();
  }

  #heard(): void {
    this.#untold = undefined;
    for (const container of this.containers) this.#parts.fairness.relabelled(container, true);
  }

  #note(what: string): void {
    this.#parts.journal.note(what, { pod: this.name, uid: this.#uid });
  }

  get #duty(): Duty {
    if (!this.isSelected) return NEVER;
    return this.#deselected || this.#parts.fairness.now < this.#settledAt ? MAY : MUST;
  }
}
