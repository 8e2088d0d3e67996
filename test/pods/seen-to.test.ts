import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/ops/metrics.ts';
import { podTarget } from '../../src/pods/log-path.ts';
import { PodLogManager } from '../../src/pods/pod-log-manager.ts';
import { steadyNow } from '../../src/util/steady-now.ts';
import { FakeTails } from '../support/fake-tail.ts';
import { until } from '../support/until.ts';

type Step =
  | { readonly kind: 'make'; readonly pod: number; readonly container: string }
  | { readonly kind: 'tell'; readonly pod: number }
  | { readonly kind: 'deselect'; readonly pod: number }
  | { readonly kind: 'remove'; readonly pod: number }
  | { readonly kind: 'wait'; readonly ms: number };

const pod = fc.nat(3);
const of = <K extends Step['kind']>(kind: K): fc.Arbitrary<K> => fc.constant(kind);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: of('make'), pod, container: fc.constantFrom('a', 'b', 'c') }) },
  { weight: 3, arbitrary: fc.record({ kind: of('tell'), pod }) },
  { weight: 1, arbitrary: fc.record({ kind: of('deselect'), pod }) },
  { weight: 1, arbitrary: fc.record({ kind: of('remove'), pod }) },
  { weight: 5, arbitrary: fc.record({ kind: of('wait'), ms: fc.nat(60) }) },
);

/** A manager of directories that come and go, and what it says of them. */
class Scene {
  readonly faults: string[] = [];
  readonly #root: string;
  readonly #tails = new FakeTails();
  /** When a container's directory was there for certain, by its path, and whether its pod has been wanted since. */
  readonly #made = new Map<string, { readonly at: number; readonly pod: number }>();
  readonly #told = new Set<number>();
  /** Since when its pod is wanted; one that was not may be read late. */
  readonly #strange = new Set<number>();
  /** Tails by directory, with the time before which they say that nothing was there. */
  readonly #since = new Map<string, number>();
  readonly #manager: PodLogManager;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(root: string) {
    this.#root = root;
    this.#manager = new PodLogManager({
      podLogDir: root,
      makeTail: (target, options) => {
        this.#since.set(target.directory, options.since);
        return this.#tails.make(target, options);
      },
      log: pino({ level: 'silent' }),
      metrics: createMetrics(),
      holds: () => true,
      timing: { rescanMs: 60_000, graceMs: 60_000, releaseMs: 10, restartMs: 10 },
    });
    this.#running = this.#manager.run(this.#stop.signal);
  }

  /** What is there of pods that never were let go has a tail, if it was there by the time that is told. */
  check(): void {
    const to = this.#manager.seenTo();
    for (const [directory, { at, pod: index }] of this.#made) {
      if (this.#strange.has(index)) continue;
      const since = this.#since.get(directory);
      if (at < to && since === undefined) this.faults.push(`${directory}: there ${to - at} ms before`);
      if (since !== undefined && since > at)
        this.faults.push(`${directory}: not there ${since - at} ms later`);
    }
  }

  async take(next: Step): Promise<void> {
    const pods = [0, 1, 2, 3].map((n) =>
      podTarget(this.#root, { namespace: 'n', pod: `p${n}`, uid: `u${n}` }),
    );
    switch (next.kind) {
      case 'make': {
        const directory = join(pods[next.pod]!.directory, next.container);
        if (existsSync(directory)) break;
        await mkdir(directory, { recursive: true });
        this.#made.set(directory, { at: steadyNow(), pod: next.pod });
        break;
      }
      case 'tell':
        this.#told.add(next.pod);
        this.#manager.added(pods[next.pod]!);
        break;
      case 'deselect':
        if (!this.#told.delete(next.pod)) break;
        this.#strange.add(next.pod);
        this.#manager.removed(pods[next.pod]!, 'released');
        break;
      case 'remove':
        this.#strange.add(next.pod);
        await rm(pods[next.pod]!.directory, { recursive: true, force: true });
        break;
      case 'wait':
        await sleep(next.ms);
        break;
    }
    this.check();
  }

  /** How far behind it is when nothing happens any more. */
  async rest(): Promise<void> {
    await until(() => steadyNow() - this.#manager.seenTo() < 500, {
      timeoutMs: 30_000,
      what: 'directories that are known up to now',
    });
    this.check();
    this.#stop.abort();
    await this.#running;
  }
}

describe('the time up to which all directories are known', () => {
  it('is never later than one that has no tail yet, and goes on when nothing happens', async () => {
    const steps = fc.sample(fc.array(step, { minLength: 15, maxLength: 40, size: 'max' }), 24);
    const faults = await Promise.all(
      steps.map(async (each) => {
        const root = await mkdtemp(join(tmpdir(), 'seen-to-'));
        const scene = new Scene(root);
        for (const next of each) await scene.take(next);
        await scene.rest().catch((error: unknown) => scene.faults.push(String(error)));
        await rm(root, { recursive: true, force: true });
        return scene.faults.map((fault) => `${fault} in ${JSON.stringify(each)}`);
      }),
    );
    expect(faults.flat()).toEqual([]);
  }, 60_000);

  it('waits for a container that is wanted again while its tail is drained', async () => {
    const root = await mkdtemp(join(tmpdir(), 'seen-to-'));
    const tails = new FakeTails();
    tails.endWhenDrained = false;
    tails.resume = false;
    const manager = new PodLogManager({
      podLogDir: root,
      makeTail: tails.make,
      log: pino({ level: 'silent' }),
      metrics: createMetrics(),
      timing: { rescanMs: 50, releaseMs: 10 },
    });
    const target = podTarget(root, { namespace: 'n', pod: 'p', uid: 'u' });
    await mkdir(join(target.directory, 'a'), { recursive: true });
    manager.added(target);
    const stop = new AbortController();
    const running = manager.run(stop.signal);
    await until(() => tails.following.length === 1, { what: 'a tail' });
    manager.removed(target, 'released');
    await until(() => tails.all[0]?.drained === true, { what: 'a tail that is drained' });
    manager.added(target);
    const wantedAt = steadyNow();
    await until(() => steadyNow() > wantedAt + 200, { what: 'several looks' });
    expect(manager.seenTo()).toBeLessThanOrEqual(wantedAt);
    tails.all[0]?.end();
    await until(() => manager.seenTo() > wantedAt + 200, { what: 'another tail', timeoutMs: 20_000 });
    expect(tails.following).toEqual(['p/a']);
    stop.abort();
    await running;
    await rm(root, { recursive: true, force: true });
  });

  it('is not known where POD_LOG_DIR is missing', async () => {
    const root = await mkdtemp(join(tmpdir(), 'seen-to-'));
    const manager = new PodLogManager({
      podLogDir: join(root, 'missing'),
      makeTail: new FakeTails().make,
      log: pino({ level: 'silent' }),
      metrics: createMetrics(),
    });
    const stop = new AbortController();
    const running = manager.run(stop.signal);
    await until(() => manager.notReady?.includes('does not exist') === true, { what: 'a look at it' });
    expect(manager.seenTo()).toBe(-Infinity);
    await mkdir(join(root, 'missing'));
    await until(() => steadyNow() - manager.seenTo() < 1_000, { what: 'a look into it', timeoutMs: 20_000 });
    stop.abort();
    await running;
    await rm(root, { recursive: true, force: true });
  });
});
