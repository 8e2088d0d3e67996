import { randomUUID } from 'node:crypto';
import type { Attributes } from './selectors.ts';

/** The part of a pod that the tests care for; the rest is made up to look like a pod. */
export interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly node?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface StoredPod {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName: string; readonly containers: readonly { readonly name: string }[] };
  readonly status: { readonly phase: string };
}

/** One change: `before` is absent for a creation, `after` for a deletion. */
export interface Change {
  readonly version: number;
  readonly before: StoredPod | undefined;
  readonly after: StoredPod | undefined;
  /** The object of a deletion: what it was, at the version of the deletion. */
  readonly last: StoredPod;
}

/** The pods and the history of their changes, as etcd keeps them for the API server. */
export class PodStore {
  readonly #pods = new Map<string, StoredPod>();
  #changes: Change[] = [];
  #version = 1_000;
  /** Versions before this one cannot be watched from any more. */
  #oldest = 1_000;
  onChange: (change: Change) => void = () => undefined;

  get version(): number {
    return this.#version;
  }
  get oldest(): number {
    return this.#oldest;
  }

  list(): StoredPod[] {
    return [...this.#pods.values()];
  }

  get(namespace: string, name: string): StoredPod | undefined {
    return this.#pods.get(`${namespace}/${name}`);
  }

  since(version: number): Change[] {
    return this.#changes.filter((change) => change.version > version);
  }

  /** Forgets the history: a watch from an older version is answered with 410. */
  compact(): void {
    this.#changes = [];
    // Something else happened in the cluster meanwhile: the versions clients know are now too old.
    this.#version += 1;
    this.#oldest = this.#version;
  }

  /** Something happened to objects that are no pods: versions go on. */
  advance(by: number): void {
    this.#version += by;
  }

  put(spec: PodSpec): StoredPod {
    const before = this.get(spec.namespace, spec.name);
    this.#version += 1;
    const after: StoredPod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        namespace: spec.namespace,
        name: spec.name,
        uid: spec.uid ?? before?.metadata.uid ?? randomUUID(),
        resourceVersion: String(this.#version),
        creationTimestamp: before?.metadata.creationTimestamp ?? new Date().toISOString(),
        labels: spec.labels ?? before?.metadata.labels ?? {},
        annotations: spec.annotations ?? before?.metadata.annotations ?? {},
      },
      spec: { nodeName: spec.node ?? before?.spec.nodeName ?? 'node-1', containers: [{ name: 'main' }] },
      status: { phase: 'Running' },
    };
    this.#pods.set(`${spec.namespace}/${spec.name}`, after);
    this.#record({ version: this.#version, before, after, last: after });
    return after;
  }

  delete(namespace: string, name: string): StoredPod {
    const before = this.get(namespace, name);
    if (before === undefined) throw new Error(`Cannot delete pod ${namespace}/${name}: there is none`);
    this.#version += 1;
    this.#pods.delete(`${namespace}/${name}`);
    const metadata = {
      ...before.metadata,
      resourceVersion: String(this.#version),
      deletionTimestamp: new Date().toISOString(),
    };
    const last = { ...before, metadata };
    this.#record({ version: this.#version, before, after: undefined, last });
    return last;
  }

  #record(change: Change): void {
    this.#changes.push(change);
    this.onChange(change);
  }
}

/** The fields pods can be selected by. */
export const podFields = new Set(['metadata.name', 'metadata.namespace', 'spec.nodeName', 'status.phase']);

export function fieldsOf(pod: StoredPod): Attributes {
  return {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'spec.nodeName': pod.spec.nodeName,
    'status.phase': pod.status.phase,
  };
}
