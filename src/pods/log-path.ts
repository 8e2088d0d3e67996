import { join } from 'node:path';
import type { ContainerTarget, PodTarget } from './targets.ts';

/**
 * The pod that a directory of POD_LOG_DIR belongs to, or undefined where the name is not the kubelet's
 * (`<namespace>_<pod>_<uid>`, kubernetes/kubernetes pkg/kubelet/kuberuntime/helpers.go `BuildPodLogsDirectory`).
 * Neither a namespace nor a pod's name contains `_`.
 */
export function parsePodDirectory(podLogDir: string, name: string): PodTarget | undefined {
  const [, namespace, pod, uid] = /^([^_/]+)_([^_/]+)_([^_/]+)$/.exec(name) ?? [];
  if (namespace === undefined || pod === undefined || uid === undefined) return undefined;
  return { namespace, pod, uid, directory: join(podLogDir, name) };
}

/** The pod with the directory where the kubelet puts its logs. */
export function podTarget(
  podLogDir: string,
  { namespace, pod, uid }: Pick<PodTarget, 'namespace' | 'pod' | 'uid'>,
): PodTarget {
  return { namespace, pod, uid, directory: join(podLogDir, `${namespace}_${pod}_${uid}`) };
}

/** The container of the pod with the directory of its log files. */
export function containerTarget(pod: PodTarget, container: string): ContainerTarget {
  const { namespace, pod: name, uid } = pod;
  return { namespace, pod: name, uid, container, directory: join(pod.directory, container) };
}

/** The pod that a container belongs to. */
export function podOf({ namespace, pod, uid, directory }: ContainerTarget): PodTarget {
  return { namespace, pod, uid, directory: join(directory, '..') };
}
