import type { Verdict } from './health.ts';
import type { Trouble } from './troubles.ts';

/** What the agent is doing, at one moment: the answer of /status.json, and what the page and `explain` show. */
export interface Status {
  /** Of this form; it grows only by members that are added. */
  readonly version: 1;
  /** RFC 3339, as all times here. */
  readonly now: string;
  readonly agent: AgentStatus;
  readonly ready: Verdict;
  readonly live: Verdict;
  readonly totals: Counts & { readonly bytes: number };
  /** Up to when all of this node is stored; null until the first report. */
  readonly watermark: WatermarkStatus | null;
  /** Reading waits for a writer to take what was read. */
  readonly paused: boolean;
  readonly writers: readonly WriterStatus[];
  readonly watches: readonly WatchStatus[];
  /** Of the canary, by destination; empty where there is none. */
  readonly canaries: readonly CanaryStatus[];
  readonly containers: readonly ContainerStatus[];
  readonly notFollowed: readonly NotFollowed[];
  /** What could not be read and is lost, the latest first; not all of them where there are many. */
  readonly gaps: readonly GapStatus[];
  /** Lines of the log that tell of something amiss, the latest first. */
  readonly troubles: readonly Trouble[];
}

export interface AgentStatus {
  readonly version: string;
  /** Empty where the node has no name. */
  readonly node: string;
  readonly startedAt: string;
  readonly residentBytes: number;
  readonly podSource: 'kubernetes' | 'directory';
  /** Null for all. */
  readonly namespaces: readonly string[] | null;
  readonly selector: string;
  readonly podLogDir: string;
  readonly stateDir: string;
}

export interface WatermarkStatus {
  /** Null while it is not known. */
  readonly at: string | null;
  readonly lagSeconds: number | null;
  /** The container, or what else, that it rests on. */
  readonly restsOn: string;
}

/** The account of lines since the start: `lines = delivered + skipped + deadLettered + inFlight`. */
export interface Counts {
  readonly lines: number;
  readonly records: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly inFlight: number;
  /** By reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

export interface WriterStatus {
  readonly name: string;
  /** Why it does not work; null where it does. */
  readonly failure: string | null;
  /** It takes no more just now. */
  readonly full: boolean;
  /** Batches taken and not stored yet; of them those being written, and those that failed and are tried again. */
  readonly batches: number;
  readonly writing: number;
  readonly failed: number;
  readonly bytes: number;
  /** When a batch was last stored; null for never. */
  readonly lastWriteAt: string | null;
}

/** Lines of the agent's own, written to be read back: how many, since the start. */
export interface CanaryStatus {
  readonly destination: string;
  readonly sent: number;
  readonly received: number;
  /** Not back within CANARY_TIMEOUT; those that came later are among them. */
  readonly lost: number;
  readonly late: number;
  /** They do not come back at present. */
  readonly losing: boolean;
  /** When one last came back in time, and how long that had taken; null for never. */
  readonly lastAt: string | null;
  readonly lastSeconds: number | null;
}

export interface WatchStatus {
  /** Empty for all. */
  readonly namespace: string;
  readonly open: boolean;
  readonly trouble: string | null;
}

export type ContainerState =
  /** Its files cannot be read just now. */
  | 'failing'
  /** A writer takes no more: reading waits. */
  | 'waiting'
  /** It writes faster than is read. */
  | 'behind'
  /** No line of it is a record. */
  | 'no records'
  /** Its pod is not known yet: its files are held open. */
  | 'held'
  /** Its pod has left: what is there is read to the end. */
  | 'draining'
  /** All is read, and lines came within the last minute. */
  | 'reading'
  /** All is read, and nothing was written for a while. */
  | 'quiet'
  /** It has no log file yet. */
  | 'empty';

export interface ContainerStatus extends Counts {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  readonly directory: string;
  readonly state: ContainerState;
  /** What is behind the state, in words; empty where there is nothing to say. */
  readonly why: string;
  readonly behindBytes: number;
  readonly behindSeconds: number;
  /** See docs/metrics.md; null where nothing threatens. */
  readonly deletionSeconds: number | null;
  /** How fast it writes; null until that is known. */
  readonly bytesPerSecond: number | null;
  /** When something was last read, and when a record was last made of it (to ten seconds). */
  readonly lastDataAt: string | null;
  readonly lastRecordAt: string | null;
  /** One skipped line for each reason: as the container wrote it, possibly hostile. */
  readonly samples: readonly SampleStatus[];
  /** Oldest first. */
  readonly files: readonly FileStatus[];
}

export interface SampleStatus {
  readonly reason: string;
  readonly text: string;
  readonly at: string;
}

export interface FileStatus {
  readonly name: string;
  /** Offset that a restart would go on from: all before it is settled. */
  readonly offset: number;
  /** Offset behind the last line that was read. */
  readonly read: number;
  /** In bytes; of a compressed file, compressed. */
  readonly size: number;
  readonly state: 'done' | 'reading' | 'deleted, held open' | 'not open';
}

export interface NotFollowed {
  /** Under POD_LOG_DIR: `<pod>` or `<pod>/<container>`. */
  readonly directory: string;
  readonly why: string;
}

export interface GapStatus {
  readonly container: string;
  readonly file: string;
  readonly reason: string;
  /** Null where nobody knows. */
  readonly bytes: number | null;
  readonly until: string;
}
