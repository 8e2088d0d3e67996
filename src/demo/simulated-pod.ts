import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { containerTarget, podTarget } from '../pods/log-path.ts';
import type { ContainerTarget, PodTarget } from '../pods/targets.ts';
import { ContainerLog } from './container-log.ts';
import type { LineFormat } from './line-format.ts';

/** Makes the format for one run of a container: it keeps the rest of an unterminated line. */
export type MakeFormat = () => LineFormat;

/** A container as its log directory shows it: its runs, one after the other, each with a file of its own. */
export class SimulatedContainer {
  readonly target: ContainerTarget;
  readonly #makeFormat: MakeFormat;
  #restarts = 0;
  #log: ContainerLog;

  /** Makes the directory and `0.log`. */
  constructor(target: ContainerTarget, makeFormat: MakeFormat) {
    this.target = target;
    this.#makeFormat = makeFormat;
    mkdirSync(target.directory, { recursive: true, mode: 0o755 });
    this.#log = this.#open();
  }

  /** The log of the run that goes on. */
  get log(): ContainerLog {
    return this.#log;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /**
   * The container dies and is started again: `<n+1>.log` beside `<n>.log`.
   *
   * @param keepDead how many dead runs keep their files, at least 0: what a crash loop leaves is 2 at times, then 1.
   */
  restart(keepDead = 2): void {
    this.#log.end();
    this.#restarts += 1;
    this.#log = this.#open();
    for (let run = 0; run < this.#restarts - keepDead; run++) this.#removeFiles(run);
  }

  /** The container dies for good; its files stay. */
  end(): void {
    this.#log.end();
  }

  /** As the kubelet removes a container's logs: `<n>.log*`. */
  #removeFiles(run: number): void {
    for (const name of readdirSync(this.target.directory)) {
      if (name.startsWith(`${run}.log`)) rmSync(join(this.target.directory, name));
    }
  }

  #open(): ContainerLog {
    return new ContainerLog(join(this.target.directory, `${this.#restarts}.log`), this.#makeFormat());
  }
}

export interface PodName {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

/** A pod as the node's log directory shows it. */
export class SimulatedPod {
  readonly target: PodTarget;
  readonly #makeFormat: MakeFormat;
  readonly #containers = new Map<string, SimulatedContainer>();

  constructor(podLogDir: string, name: PodName, makeFormat: MakeFormat) {
    this.target = podTarget(podLogDir, name);
    this.#makeFormat = makeFormat;
    mkdirSync(this.target.directory, { recursive: true, mode: 0o755 });
  }

  /** The container of this name; it is started where it is not there yet. */
  container(name: string): SimulatedContainer {
    const known = this.#containers.get(name);
    if (known !== undefined) return known;
    const container = new SimulatedContainer(containerTarget(this.target, name), this.#makeFormat);
    this.#containers.set(name, container);
    return container;
  }

  get containers(): readonly SimulatedContainer[] {
    return [...this.#containers.values()];
  }

  /** All containers end; the files stay, as those of a finished job do. */
  end(): void {
    for (const container of this.containers) container.end();
  }

  /** The pod is deleted from the node: its containers end and its directory goes. */
  remove(): void {
    this.end();
    rmSync(this.target.directory, { recursive: true, force: true });
  }
}
