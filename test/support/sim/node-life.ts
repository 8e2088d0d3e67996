import type { Clock } from '../../../src/demo/clock.ts';
import { rotateAsKubelet } from '../../../src/demo/kubelet-rotation.ts';
import type { Random } from '../../../src/demo/random.ts';
import { SimulatedPod, type MakeFormat, type SimulatedContainer } from '../../../src/demo/simulated-pod.ts';
import { ExpectedRecords } from './expected-records.ts';
import { TestRecords } from './test-records.ts';

export interface NodeLifeOptions {
  readonly podLogDir: string;
  readonly namespace: string;
  readonly random: Random;
  readonly clock: Clock;
  readonly makeFormat: MakeFormat;
  readonly records?: TestRecords;
  /** Share of lines that are no records. Default 0.05. */
  readonly noise?: number;
  /** A log longer than this is rotated by `rotate`, in bytes. Default 98,304. */
  readonly rotateBytes?: number;
  /** Default 5. What is deleted by this rule before the agent has read it is lost, and counts as lost. */
  readonly maxFiles?: number;
  /** Share of containers whose last record has no line end. Default 0. */
  readonly unterminated?: number;
  /** Called in the moment of a rotation in which there is no live file, after late lines have been printed. */
  readonly whileNoLiveFile?: () => Promise<void>;
}

/** What happened on the node so far. */
export interface LifeCounts {
  lines: number;
  rotations: number;
  renamedBack: number;
  restarts: number;
  torn: number;
}

/**
 * The pods of a node and what befalls them, from a seed. Nothing happens by itself: a test calls for lines,
 * rotations, restarts and deletions, at the pace that it likes, and asks at the end what must be stored.
 */
export class NodeLife {
  readonly expected = new ExpectedRecords();
  readonly counts: LifeCounts = { lines: 0, rotations: 0, renamedBack: 0, restarts: 0, torn: 0 };
  readonly #options: Required<NodeLifeOptions>;
  readonly #pods: SimulatedPod[] = [];
  /** Ends of lines whose beginnings are printed. */
  readonly #torn = new Map<SimulatedContainer, Buffer>();

  constructor(options: NodeLifeOptions) {
    const { random, clock } = options;
    this.#options = {
      records: new TestRecords({ random, clock }),
      noise: 0.05,
      unterminated: 0,
      rotateBytes: 98_304,
      maxFiles: 5,
      whileNoLiveFile: () => Promise.resolve(),
      ...options,
    };
  }

  get pods(): readonly SimulatedPod[] {
    return this.#pods;
  }

  /** A pod is started, with these containers. */
  startPod(name: string, containers: readonly string[] = ['app']): SimulatedPod {
    const { podLogDir, namespace, random, makeFormat } = this.#options;
    const pod = new SimulatedPod(podLogDir, { namespace, pod: name, uid: random.uuid() }, makeFormat);
    for (const container of containers) pod.container(container);
    this.#pods.push(pod);
    return pod;
  }

  /** Containers of the given pods (all by default) print so many lines in all, some of them torn for a while. */
  print(lines: number, pods: readonly SimulatedPod[] = this.#pods): void {
    const { random } = this.#options;
    const containers = pods.flatMap((pod) => pod.containers);
    for (let i = 0; i < lines; i++) this.#printLine(random.pick(containers));
  }

  /** Finishes every line that is torn. */
  finishLines(): void {
    for (const container of this.#torn.keys()) this.#finishLine(container);
  }

  /** The kubelet looks at all logs and rotates those that are too long. Now and then reopening fails. */
  async rotate({ reopenFails = 0.05 } = {}): Promise<void> {
    const { random, clock, rotateBytes, maxFiles, whileNoLiveFile } = this.#options;
    for (const pod of this.#pods) {
      for (const container of pod.containers) {
        if (container.log.size <= rotateBytes) continue;
        const reopened = await rotateAsKubelet(container.log, {
          maxFiles,
          clock,
          reopenFails: random.chance(reopenFails),
          at: async (step) => {
            if (step !== 'no_live_file') return;
            for (let late = random.int(0, 3); late > 0; late--) this.#printLine(container);
            await whileNoLiveFile();
          },
        });
        if (reopened) this.counts.rotations += 1;
        else this.counts.renamedBack += 1;
      }
    }
  }

  /** A container dies and is started again. */
  restart(container: SimulatedContainer, keepDead = 2): void {
    this.#lastWords(container);
    container.restart(keepDead);
    this.counts.restarts += 1;
  }

  /** The pod's containers end; its directory stays until `remove`. */
  endPod(pod: SimulatedPod): void {
    for (const container of pod.containers) this.#lastWords(container);
    pod.end();
    this.#pods.splice(this.#pods.indexOf(pod), 1);
  }

  /** Everything ends; all files stay. */
  end(): void {
    while (this.#pods[0] !== undefined) this.endPod(this.#pods[0]);
  }

  #printLine(container: SimulatedContainer): void {
    const { random, records, noise } = this.#options;
    this.#finishLine(container);
    this.counts.lines += 1;
    const stream = random.chance(0.2) ? 'stderr' : 'stdout';
    if (random.chance(noise)) {
      container.log.print(Buffer.concat([records.noise(), newline]), stream);
      return;
    }
    const record = records.next();
    this.expected.add(record, container.target);
    const line = Buffer.concat([record.json, newline]);
    if (stream === 'stderr' || !random.chance(0.1)) {
      container.log.print(line, stream);
      return;
    }
    const cut = random.int(1, line.length - 1);
    container.log.print(line.subarray(0, cut));
    this.#torn.set(container, line.subarray(cut));
    this.counts.torn += 1;
  }

  #lastWords(container: SimulatedContainer): void {
    const { random, records, unterminated } = this.#options;
    this.#finishLine(container);
    if (!random.chance(unterminated)) return;
    const record = records.next();
    this.expected.add(record, container.target);
    container.log.print(record.json);
    this.counts.lines += 1;
  }

  #finishLine(container: SimulatedContainer): void {
    const rest = this.#torn.get(container);
    if (rest === undefined) return;
    this.#torn.delete(container);
    container.log.print(rest);
  }
}

const newline = Buffer.from('\n');
