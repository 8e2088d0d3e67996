import type { Counts, ContainerState, FileStatus, SampleStatus } from '../ops/status.ts';

/** Why the lines of a pod are seen, or not. */
export interface Explanation {
  /** Who told: the agent that runs on this node, or the state directory and the log directories. */
  readonly from: 'agent' | 'node';
  /** Where it asked, and with `node` why no agent was asked. */
  readonly note: string;
  /** Empty where no such pod is known on this node. */
  readonly pods: readonly PodExplanation[];
}

export interface PodExplanation {
  readonly namespace: string;
  readonly pod: string;
  /** Empty where only the API knows the pod. */
  readonly uid: string;
  readonly followed: boolean;
  /** What decides, in the order in which it is asked. */
  readonly rules: readonly Rule[];
  readonly containers: readonly ContainerExplanation[];
}

export interface Rule {
  /** Null where it cannot be told from here. */
  readonly met: boolean | null;
  readonly text: string;
}

export interface ContainerExplanation {
  readonly container: string;
  /** Null without an agent. */
  readonly state: ContainerState | null;
  /** Empty where there is nothing to say. */
  readonly why: string;
  /** Null without an agent. */
  readonly counts: Counts | null;
  readonly behindBytes: number | null;
  readonly behindSeconds: number | null;
  readonly samples: readonly SampleStatus[];
  readonly files: readonly (Omit<FileStatus, 'state' | 'read'> &
    Partial<Pick<FileStatus, 'state' | 'read'>>)[];
}
