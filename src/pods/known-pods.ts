import { podTarget } from './log-path.ts';
import type { PodListener, PodTarget, Removal } from './targets.ts';

/** What a pod's metadata say (core/v1 Pod, or meta/v1 PartialObjectMetadata). */
interface PodMetadata {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly deletionTimestamp?: string;
  /** Null where a server that is not written in Go has none. */
  readonly annotations?: Readonly<Record<string, string>> | null;
}

/** Pods keyed by the API's uid, and nothing of them but what names their directory. */
export class KnownPods {
  readonly #podLogDir: string;
  readonly #listener: PodListener;
  readonly #pods = new Map<string, PodTarget>();

  constructor(podLogDir: string, listener: PodListener) {
    this.#podLogDir = podLogDir;
    this.#listener = listener;
  }

  /** The pod exists, as this object describes it. */
  put(object: unknown): void {
    const metadata = metadataOf(object);
    const pod = this.#target(metadata);
    const known = this.#pods.get(metadata.uid);
    if (pod === undefined) {
      if (known !== undefined) this.#forget(metadata.uid, known, 'released');
      return;
    }
    if (known !== undefined && known.excluded?.join() === pod.excluded?.join()) return;
    // Told first: were this to fail, the pod must not be taken for told.
    this.#listener.added(pod);
    this.#pods.set(metadata.uid, pod);
  }

  /**
   * The pod is deleted, or no longer selected: the API says the same of both, but only one is marked. One that came
   * and went unheard was selected to its end: what is left of it is wanted.
   *
   * @param isNews false of what happened before the last list: a pod that the list has named was selected again since.
   */
  delete(object: unknown, isNews: boolean): void {
    const metadata = metadataOf(object);
    const { uid, deletionTimestamp } = metadata;
    const known = this.#pods.get(uid);
    if (known !== undefined && !isNews) return;
    if (known === undefined && deletionTimestamp === undefined) return;
    if (known === undefined) this.put(object);
    const pod = this.#pods.get(uid);
    if (pod !== undefined) this.#forget(uid, pod, deletionTimestamp === undefined ? 'released' : 'deleted');
  }

  /** These and no others exist. */
  replaceAll(objects: readonly unknown[]): void {
    // First what is there: a static pod whose mirror was made anew has another uid, but the same directory.
    for (const object of objects) this.put(object);
    const listed = new Set(objects.map((object) => metadataOf(object).uid));
    for (const [uid, pod] of this.#pods) if (!listed.has(uid)) this.#forget(uid, pod, 'released');
  }

  #forget(uid: string, pod: PodTarget, why: Removal): void {
    const still = [...this.#pods].some(
      ([other, { directory }]) => other !== uid && directory === pod.directory,
    );
    if (!still) this.#listener.removed(pod, why);
    this.#pods.delete(uid);
  }

  /** Undefined for a pod that wants none of its logs collected. */
  #target({ namespace, name, uid, ...metadata }: PodMetadata): PodTarget | undefined {
    const annotations = metadata.annotations ?? {};
    const exclude = annotations['frostbeat.io/exclude']?.trim() ?? '';
    if (exclude === 'true') return undefined;
    const excluded =
      exclude === 'false'
        ? []
        : exclude
            .split(',')
            .map((each) => each.trim())
            .filter((each) => each !== '');
    const target = targetOf(this.#podLogDir, { namespace, name, uid, ...metadata });
    return excluded.length > 0 ? { ...target, excluded } : target;
  }
}

/** The log directory of the pod that this object describes. @throws TypeError where it is no object of the API. */
export function directoryOf(podLogDir: string, object: unknown): string {
  return targetOf(podLogDir, metadataOf(object)).directory;
}

function targetOf(podLogDir: string, { namespace, name, uid, annotations }: PodMetadata): PodTarget {
  return podTarget(podLogDir, { namespace, pod: name, uid: directoryUid(uid, annotations ?? {}) });
}

/**
 * The uid in the directory's name. Of a static pod the API has a mirror with a uid of its own, while the
 * kubelet names the directory by the static pod's, which the mirror's annotations tell (kubernetes/kubernetes
 * pkg/kubelet/types/constants.go and pod/mirror_client.go).
 */
function directoryUid(uid: string, annotations: Readonly<Record<string, string>>): string {
  const mirror = annotations['kubernetes.io/config.mirror'];
  return mirror === undefined ? uid : (annotations['kubernetes.io/config.hash'] ?? mirror);
}

/** @throws TypeError where it is no object of the API. */
function metadataOf(object: unknown): PodMetadata {
  const { metadata } = (object ?? {}) as { readonly metadata?: PodMetadata };
  if (
    typeof metadata?.uid !== 'string' ||
    typeof metadata.name !== 'string' ||
    typeof metadata.namespace !== 'string'
  ) {
    throw new TypeError('the API sent an object that is no pod: namespace, name or uid is missing');
  }
  return metadata;
}
