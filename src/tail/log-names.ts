/** A log file's name, taken apart. */
export interface LogName {
  readonly name: string;
  /** The container's restart count. */
  readonly generation: number;
  /** Sorts the files of a generation, oldest first; the live file comes last. */
  readonly order: string;
  readonly live: boolean;
  readonly compressed: boolean;
}

const LIVE = '~';
const KUBELET = /^(\d+)\.log(?:\.(\d{8}-\d{6}))?(\.gz)?$/;
const NUMBERED = /^(.+?)\.(\d+)(\.gz)?$/;

/**
 * `0.log`, `0.log.20261123-053057`, `0.log.20261123-053057.gz`: the names the kubelet gives
 * (pkg/kubelet/logs/container_log_manager.go), and `0.log.1[.gz]` as logrotate does it, where the higher number
 * is the older file. Anything else, such as `*.tmp`, is no log file yet.
 */
export function parseLogName(name: string): LogName | undefined {
  const kubelet = KUBELET.exec(name);
  if (kubelet !== null) {
    const [, generation, stamp, gz] = kubelet;
    if (stamp === undefined && gz !== undefined) return undefined;
    return logName(name, Number(generation), stamp ?? LIVE, gz !== undefined);
  }
  const numbered = NUMBERED.exec(name);
  const base = numbered === null ? null : KUBELET.exec(numbered[1]!);
  if (numbered === null || base === null || base[2] !== undefined || base[3] !== undefined) return undefined;
  return logName(name, Number(base[1]), countdown(numbered[2]!), numbered[3] !== undefined);
}

/**
 * The rotated files of a Docker log that a symlink leads to: `<id>-json.log.1[.gz]`.
 *
 * @param base name of the symlink's target.
 * @param generation of the symlink.
 */
export function parseDockerName(name: string, base: string, generation: number): LogName | undefined {
  if (name === base) return logName(name, generation, LIVE, false);
  const numbered = NUMBERED.exec(name);
  if (numbered === null || numbered[1] !== base) return undefined;
  return logName(name, generation, countdown(numbered[2]!), numbered[3] !== undefined);
}

/** Oldest first, the live file last; a plain file before its compressed twin. */
export function compareNames(a: LogName, b: LogName): number {
  if (a.generation !== b.generation) return a.generation - b.generation;
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return Number(a.compressed) - Number(b.compressed);
}

function logName(name: string, generation: number, order: string, compressed: boolean): LogName {
  return { name, generation, order, live: order === LIVE, compressed };
}

/** The higher number is the older file: sorts before stamps, in reverse. */
function countdown(digits: string): string {
  return `!${String(1e9 - Number(digits)).padStart(10, '0')}`;
}
