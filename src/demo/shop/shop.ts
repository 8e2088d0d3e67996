import { rfc3339Nano, type Clock } from '../clock.ts';
import { containerdFormat } from '../containerd-format.ts';
import { rotateAsKubelet } from '../kubelet-rotation.ts';
import type { Random } from '../random.ts';
import { SimulatedPod, type SimulatedContainer } from '../simulated-pod.ts';
import { WrittenTraces } from '../written-traces.ts';
import { noiseLine } from './noise.ts';
import { tellStory } from './stories.ts';
import type { Service, StoryLine } from './story.ts';

/** The pods of each service, and a container beside the one of the service's name. */
const deployments: readonly { service: Service; replicas: number; sidecar?: string }[] = [
  { service: 'gateway', replicas: 1, sidecar: 'envoy' },
  { service: 'catalog', replicas: 1 },
  { service: 'cart', replicas: 1 },
  { service: 'orders', replicas: 2 },
  { service: 'payments', replicas: 1 },
  { service: 'stock', replicas: 1 },
];

export interface ShopOptions {
  /** Where the pods' directories are made. */
  readonly podLogDir: string;
  readonly namespace: string;
  readonly random: Random;
  readonly clock: Clock;
}

/** A line that waits for its time. */
interface Due {
  readonly unixNano: bigint;
  readonly traceId: string;
  readonly line: StoryLine;
  readonly container: SimulatedContainer;
  readonly last: boolean;
}

/** A small shop on one node: requests cross its pods under one trace ID, and every pod logs what it does. */
export class Shop {
  /** What was written, to compare with what is stored. */
  readonly traces = new WrittenTraces();
  /** So far: lines of all kinds, records among them, rotations. */
  readonly counts = { requests: 0, lines: 0, records: 0, rotations: 0 };
  readonly pods: readonly SimulatedPod[];
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #byService = new Map<Service, SimulatedPod[]>();
  /** In the order of time. */
  #due: Due[] = [];
  /** The ends of lines whose beginnings are printed: containers print when their buffers are full, not at line ends. */
  readonly #unfinished = new Map<SimulatedContainer, Buffer>();

  constructor({ podLogDir, namespace, random, clock }: ShopOptions) {
    this.#random = random;
    this.#clock = clock;
    for (const { service, replicas, sidecar } of deployments) {
      const replicaSet = random.nameSuffix(9);
      const pods = Array.from({ length: replicas }, () => {
        const name = {
          namespace,
          pod: `${service}-${replicaSet}-${random.nameSuffix(5)}`,
          uid: random.uuid(),
        };
        const pod = new SimulatedPod(podLogDir, name, () => containerdFormat({ clock }));
        pod.container(service);
        if (sidecar !== undefined) pod.container(sidecar);
        return pod;
      });
      this.#byService.set(service, pods);
    }
    this.pods = [...this.#byService.values()].flat();
  }

  /** A customer's request comes in: its lines become due over the next moments. */
  request(): void {
    const story = tellStory(this.#random);
    const traceId = this.#random.hex(32);
    const start = this.#clock();
    const answering = new Map<Service, SimulatedPod>();
    const podOf = (service: Service) => {
      const pod = answering.get(service) ?? this.#random.pick(this.#byService.get(service) ?? []);
      answering.set(service, pod);
      return pod;
    };
    this.counts.requests += 1;
    this.traces.begin(traceId, story.title, story.failed);
    for (const [i, line] of story.lines.entries()) {
      this.#due.push({
        unixNano: start + BigInt(Math.round(line.atMs * 1e6)),
        traceId,
        line,
        container: podOf(line.service).container(line.container ?? line.service),
        last: i === story.lines.length - 1,
      });
    }
    this.#due.sort((a, b) => Number(a.unixNano - b.unixNano));
  }

  /** Writes the lines whose time has come; all of them, with `everything`. */
  advance({ everything = false } = {}): void {
    const now = this.#clock();
    const ready = everything ? this.#due.length : this.#due.findIndex(({ unixNano }) => unixNano > now);
    for (const due of this.#due.splice(0, ready < 0 ? this.#due.length : ready)) this.#write(due);
    for (const container of this.#unfinished.keys()) {
      if (everything || this.#random.chance(0.5)) this.#finishLine(container);
    }
  }

  /** Some container writes a line that belongs to no trace. */
  noise(): void {
    const container = this.#random.pick(this.#random.pick(this.pods).containers);
    const stream = this.#random.chance(0.3) ? 'stderr' : 'stdout';
    if (stream === 'stdout') this.#finishLine(container);
    container.log.print(`${noiseLine(this.#random, rfc3339Nano(this.#clock()))}\n`, stream);
    this.counts.lines += 1;
  }

  /** Rotates every log that has outgrown `maxBytes`, as the kubelet does at each of its looks. */
  async rotate(options: { maxBytes: number; maxFiles: number; pause: () => Promise<void> }): Promise<void> {
    const { maxBytes, maxFiles, pause } = options;
    for (const { log } of this.pods.flatMap(({ containers }) => containers)) {
      if (log.size <= maxBytes) continue;
      const at = (step: string) => (step === 'no_live_file' ? pause() : undefined);
      // One after the other, as the kubelet does with one worker.
      // oxlint-disable-next-line no-await-in-loop
      await rotateAsKubelet(log, { maxFiles, clock: this.#clock, at });
      this.counts.rotations += 1;
    }
  }

  /** Writes all that is still to come, and ends the containers. Their files stay. */
  end(): void {
    this.advance({ everything: true });
    for (const pod of this.pods) pod.end();
  }

  #write({ unixNano, traceId, line, container, last }: Due): void {
    const { level, msg, fields } = line;
    const json = JSON.stringify({ time: rfc3339Nano(unixNano), level, msg, traceId, ...fields });
    this.#finishLine(container);
    const output = Buffer.from(`${json}\n`);
    const cut = this.#random.chance(0.05) ? this.#random.int(1, output.length - 1) : output.length;
    container.log.print(output.subarray(0, cut));
    if (cut < output.length) this.#unfinished.set(container, output.subarray(cut));
    const { pod, container: name } = container.target;
    this.traces.add(traceId, { pod, container: name, unixNano: String(unixNano), json });
    if (last) this.traces.end(traceId);
    this.counts.lines += 1;
    this.counts.records += 1;
  }

  #finishLine(container: SimulatedContainer): void {
    const rest = this.#unfinished.get(container);
    if (rest === undefined) return;
    this.#unfinished.delete(container);
    container.log.print(rest);
  }
}
