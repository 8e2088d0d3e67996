/** A pod whose logs are to be followed. `directory` names it: namespace, name and uid are in it. */
export interface PodTarget {
  readonly namespace: string;
  readonly pod: string;
  /** The uid in the name of the log directory: for a static pod not the uid of the API's mirror pod. */
  readonly uid: string;
  /** Absolute path: `<POD_LOG_DIR>/<namespace>_<pod>_<uid>`. It need not exist yet, or any more. */
  readonly directory: string;
  /** Containers of the pod that are not wanted, by its annotation `frostbeat.io/exclude`. */
  readonly excluded?: readonly string[];
}

/** One container of such a pod: the directory that holds its log files. */
export interface ContainerTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  /** Absolute path: `<directory of the pod>/<container>`. */
  readonly directory: string;
}

/** How far a source has heard of what happens, in milliseconds of `performance.now()`. */
export interface Heard {
  /** It is told of what happens from here on, by somebody who answered then and may have fallen silent. */
  readonly askedAt: number;
  /** When it last heard anything at all: what had happened by then was told before. */
  readonly heardAt: number;
  /** When it asked for its last full list. Of what came and went before it has not heard. */
  readonly listedAt: number;
}

/** Where the pods to follow come from: the Kubernetes API, or the names of the directories. */
export interface PodSource {
  /** Tells `listener` of every change until the signal aborts; it resolves then, and never rejects. */
  run(listener: PodListener, signal: AbortSignal): Promise<void>;
  /** Undefined once the pods are known; until then what is missing, for /readyz («no list yet: 403 …»). */
  readonly notReady: string | undefined;
  /** The watches of the API, where pods come from there. */
  readonly watches?: readonly WatchState[];
  /**
   * A directory is there for a pod that this source has not told: most often one that is not selected, but
   * it may also mean that the source has missed something. It looks again, at its own pace.
   */
  suspect?(pod: PodTarget): void;
  /**
   * The log directories of all pods of this node that exist, selected or not, of the pod's namespace at least.
   *
   * @throws where it cannot be had just now.
   */
  existing?(pod: PodTarget, signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Undefined while it hears nothing of such pods. A source without this never says that a pod is not selected. */
  heard?(pod: PodTarget): Heard | undefined;
}

/** How it stands with one watch of the API. */
export interface WatchState {
  /** Empty for all. */
  readonly namespace: string;
  readonly open: boolean;
  /** The last failure, in words, while there is one. */
  readonly trouble: string | undefined;
}

/** Why a pod is no longer among the told ones. */
export type Removal =
  /** It no longer exists, and may just have written its last lines. */
  | 'deleted'
  /** It is no longer selected, or it is not known why it went. */
  | 'released';

/**
 * Calls are level-triggered: `removed` for a pod that is not known changes nothing, nor does `added` for one
 * that is known, except that what the pod says of itself (`excluded`) may have changed.
 */
export interface PodListener {
  added(pod: PodTarget): void;
  /** The pod is deleted, or no longer selected: what its files hold now is still to be read. */
  removed(pod: PodTarget, why?: Removal): void;
  /** All pods that exist are now told; what is not among them is gone. Called after every full list. */
  synced(): void;
}
