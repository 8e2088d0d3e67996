import type { Workbench } from './workbench.ts';

/** One thing that a writer must do, tried on a workbench of its own. */
export interface Trial {
  readonly title: string;
  readonly run: (bench: Workbench) => Promise<void>;
}
