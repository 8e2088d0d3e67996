import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../src/demo/clock.ts';
import { rotateAsKubelet } from '../../src/demo/kubelet-rotation.ts';
import type { Stream } from '../../src/demo/line-format.ts';
import type { Random } from '../../src/demo/random.ts';
import type { SimulatedContainer } from '../../src/demo/simulated-pod.ts';
import type { ContainerTarget } from '../../src/pods/targets.ts';
import { DockerLog } from '../support/sim/docker-log.ts';

export interface RotationOfBacking {
  readonly random: Random;
  readonly maxFiles: number;
  readonly reopenFails: number;
  /** There is no live file. */
  readonly meanwhile: () => Promise<void>;
  /** Called when other files may be there than before. */
  readonly changed: () => void;
}

/** The files of a container, whichever runtime writes them. */
export interface Backing {
  readonly runtime: 'cri' | 'docker';
  /** Bytes of the live file. */
  readonly size: number;
  /** Names the file that is written to; each file has one name for life. */
  readonly current: string;
  print(output: Buffer, stream: Stream): void;
  /** True if another file is written to now. */
  rotate(how: RotationOfBacking): Promise<boolean>;
  restart(keepDead: number): void;
  end(): void;
  /** The files that are there, compressed ones too. */
  alive(): Set<string>;
}

/** Files as containerd and conmon write them and the kubelet rotates them. */
export class KubeletBacking implements Backing {
  readonly runtime = 'cri';
  readonly #container: SimulatedContainer;
  readonly #clock: Clock;
  #serial = 0;
  #current = '#0';
  /** What a path holds, by the file's name for life. */
  readonly #names = new Map<string, string>();

  constructor(container: SimulatedContainer, clock: Clock) {
    this.#container = container;
    this.#clock = clock;
    this.#names.set(basename(container.log.path), this.#current);
  }

  get size(): number {
    return this.#container.log.size;
  }
  get current(): string {
    return this.#current;
  }

  print(output: Buffer, stream: Stream): void {
    this.#container.log.print(output, stream);
  }

  async rotate({ random, maxFiles, reopenFails, meanwhile, changed }: RotationOfBacking): Promise<boolean> {
    const { log } = this.#container;
    const live = basename(log.path);
    return await rotateAsKubelet(log, {
      maxFiles,
      clock: this.#clock,
      reopenFails: random.chance(reopenFails),
      at: async (step) => {
        if (step === 'no_live_file') {
          const newest = this.#list().findLast(
            (name) => name.startsWith(`${live}.`) && !/gz$|tmp$/.test(name),
          );
          this.#names.set(newest!, this.#current);
          this.#names.delete(live);
          await meanwhile();
        }
        if (step === 'renamed_back') {
          for (const [name, file] of this.#names) if (file === this.#current) this.#names.delete(name);
          this.#names.set(live, this.#current);
        }
        if (step === 'reopened') this.#next(live);
        changed();
      },
    });
  }

  restart(keepDead: number): void {
    this.#container.restart(keepDead);
    this.#next(basename(this.#container.log.path));
  }

  end(): void {
    this.#container.end();
  }

  alive(): Set<string> {
    const there = new Set(this.#list().map((name) => name.replace(/\.gz$/, '')));
    for (const name of this.#names.keys()) if (!there.has(name)) this.#names.delete(name);
    return new Set(this.#names.values());
  }

  #next(live: string): void {
    this.#current = `#${++this.#serial}`;
    this.#names.set(live, this.#current);
  }

  #list(): string[] {
    return readdirSync(this.#container.target.directory).toSorted();
  }
}

export interface DockerBackingOptions {
  readonly target: ContainerTarget;
  readonly containersDir: string;
  readonly clock: Clock;
  readonly random: Random;
  /** So many files are kept at most of a run of a container. */
  readonly keptFiles: number;
}

/** Files as Docker's json-file driver writes and rotates them, behind the symlinks of cri-dockerd. */
export class DockerBacking implements Backing {
  readonly runtime = 'docker';
  readonly #options: DockerBackingOptions;
  readonly #maxFiles: number;
  readonly #runs: { readonly log: DockerLog; readonly link: string; files: string[] }[] = [];
  #restarts = 0;
  #serial = 0;

  constructor(options: DockerBackingOptions) {
    this.#options = options;
    this.#maxFiles = options.random.int(Math.max(2, options.keptFiles - 2), options.keptFiles);
    this.#open();
  }

  get size(): number {
    return statSync(this.#run.log.path).size;
  }
  get current(): string {
    return this.#run.files.at(-1)!;
  }

  print(output: Buffer, stream: Stream): void {
    this.#run.log.print(output, stream);
  }

  rotate({ changed }: RotationOfBacking): Promise<boolean> {
    const run = this.#run;
    run.log.rotate();
    run.files = [...run.files, `#${++this.#serial}`].slice(-this.#maxFiles);
    changed();
    return Promise.resolve(true);
  }

  restart(keepDead: number): void {
    this.end();
    this.#restarts += 1;
    this.#open();
    while (this.#runs.length > keepDead + 1) {
      const { log, link } = this.#runs.shift()!;
      rmSync(link);
      rmSync(dirname(log.path), { recursive: true });
    }
  }

  end(): void {
    this.#run.log.end();
  }

  /** What lies outside of the pod's directory, too. */
  remove(): void {
    for (const { log } of this.#runs) rmSync(dirname(log.path), { recursive: true });
  }

  alive(): Set<string> {
    return new Set(this.#runs.flatMap(({ files }) => files));
  }

  get #run() {
    return this.#runs.at(-1)!;
  }

  #open(): void {
    const { target, containersDir, clock, random } = this.#options;
    const link = join(target.directory, `${this.#restarts}.log`);
    const log = new DockerLog({
      linkPath: link,
      containersDir,
      id: random.hex(64),
      clock,
      maxFiles: this.#maxFiles,
      compress: random.chance(0.5),
    });
    this.#runs.push({ log, link, files: [`#${++this.#serial}`] });
  }
}
