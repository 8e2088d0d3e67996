/** What a pod is known by. */
export interface PodNames {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

/**
 * Which pods a person means by a word: a pod's name, `<namespace>/<name>`, its uid or its log directory; where none
 * is called so, all whose name contains it.
 */
export function meant<T extends PodNames>(word: string, all: readonly T[]): T[] {
  const exact = all.filter(({ namespace, pod, uid }) =>
    [pod, uid, `${namespace}/${pod}`, `${namespace}_${pod}_${uid}`].includes(word),
  );
  return exact.length > 0 ? exact : all.filter(({ namespace, pod }) => `${namespace}/${pod}`.includes(word));
}
