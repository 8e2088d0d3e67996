import type { NodeReport } from '../writers/node-report.ts';

/** A node that has told of itself, or whose records were seen, as long as something that it stored may be there. */
export interface KnownNode {
  readonly node: string;
  /** Undefined where there is none, or it cannot be read by this version. */
  readonly report: NodeReport | undefined;
  /** Whether its agent is heard. */
  readonly live: boolean;
  /** Only its records tell that it is there. */
  readonly untold?: true;
}

/** All that a store knows of the nodes that write to it, at one moment. */
export interface Nodes {
  /** By name. */
  readonly nodes: readonly KnownNode[];
  /** Why nothing is known, where it cannot be asked; for people. */
  readonly trouble?: string;
}
