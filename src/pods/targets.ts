/** A pod whose logs are to be followed. `directory` names it: namespace, name and uid are in it. */
export interface PodTarget {
  readonly namespace: string;
  readonly pod: string;
  /** The uid in the name of the log directory: for a static pod not the uid of the API's mirror pod. */
  readonly uid: string;
  /** Absolute path: `<POD_LOG_DIR>/<namespace>_<pod>_<uid>`. It need not exist yet, or any more. */
  readonly directory: string;
}

/** One container of such a pod: the directory that holds its log files. */
export interface ContainerTarget extends PodTarget {
  readonly container: string;
  /** Absolute path: `<directory of the pod>/<container>`. */
  readonly directory: string;
}

/** Where the pods to follow come from: the Kubernetes API, or the names of the directories. */
export interface PodSource {
  /** Tells `listener` of every change until the signal aborts; it resolves then, and never rejects. */
  run(listener: PodListener, signal: AbortSignal): Promise<void>;
  /** Undefined once the pods are known; until then what is missing, for /readyz («no list yet: 403 …»). */
  readonly notReady: string | undefined;
}

/** Calls are level-triggered: `added` for a pod that is known changes nothing, nor does `removed` for one that is not. */
export interface PodListener {
  added(pod: PodTarget): void;
  /** The pod is deleted, or no longer selected: what its files hold now is still to be read. */
  removed(pod: PodTarget): void;
  /** All pods that exist are now told; what is not among them is gone. Called after every full list. */
  synced(): void;
}
