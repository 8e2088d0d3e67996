/** When the kubelet rotates a container's log: its settings containerLogMaxSize and containerLogMaxFiles. */
export interface Rotation {
  /** In bytes. */
  readonly maxSize: number;
  /** The live file included; at least 2. */
  readonly maxFiles: number;
}

/** A log file of the container that is there, or is held open. */
export interface RotatedFile {
  /** The restart count in its name. */
  readonly generation: number;
  readonly live: boolean;
  /** No name leads to it any more. */
  readonly deleted: boolean;
  readonly size: number;
  /** Something in it is not read. */
  readonly unread: boolean;
}

/** The kubelet looks after the logs so often (containerLogMonitorInterval): it rotates no faster. */
const CHECK_SECONDS = 10;

/**
 * How long until the kubelet deletes the file that holds the oldest unread byte, in seconds, should the container
 * go on to write as it does. 0: it is deleted, and lives only as long as our descriptor. Undefined: nothing is
 * unread, nothing is written, or it is of an earlier run of the container, whose files go with the next restart.
 *
 * At a rotation (kubernetes/kubernetes pkg/kubelet/logs/container_log_manager.go) the kubelet first deletes the
 * oldest rotated files until at most `maxFiles - 2` are left, then renames the live one. So the live file is
 * deleted at the `maxFiles`-th rotation from now, and one that has `k` newer ones, the live file among them, at the
 * `(maxFiles - k)`-th. The first rotation comes when the live file has grown to `maxSize`, each further one
 * `maxSize` later, and none sooner than the next look of the kubelet. Files overshoot `maxSize`, so this is rather
 * too short than too long.
 *
 * @param files oldest first.
 */
export function secondsUntilDeletion(
  files: readonly RotatedFile[],
  bytesPerSecond: number,
  { maxSize, maxFiles }: Rotation,
): number | undefined {
  const oldest = files.findIndex(({ unread }) => unread);
  const file = files[oldest];
  const newest = files.at(-1);
  if (file === undefined || newest === undefined) return undefined;
  if (file.deleted) return 0;
  if (file.generation !== newest.generation || bytesPerSecond <= 0) return undefined;
  const newerRotated = files.slice(oldest + 1).filter(({ live, deleted }) => !live && !deleted).length;
  // Where no live file is seen it is being made.
  const newer = file.live ? 0 : newerRotated + 1;
  const rotations = Math.max(1, maxFiles - newer);
  const liveSize = newest.live && !newest.deleted ? newest.size : 0;
  const first = Math.max(0, maxSize - liveSize) / bytesPerSecond;
  return first + (rotations - 1) * Math.max(maxSize / bytesPerSecond, CHECK_SECONDS);
}
