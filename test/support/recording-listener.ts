import type { PodListener, PodTarget, Removal } from '../../src/pods/targets.ts';

/** Remembers what a PodSource tells. */
export class RecordingListener implements PodListener {
  readonly events: string[] = [];
  /** Names of the pods that are told and not removed. */
  readonly pods = new Map<string, PodTarget>();
  syncs = 0;

  added(pod: PodTarget): void {
    this.events.push(`added ${pod.pod}`);
    this.pods.set(pod.directory, pod);
  }
  removed(pod: PodTarget, why?: Removal): void {
    this.events.push(`removed ${pod.pod} ${why ?? ''}`.trim());
    this.pods.delete(pod.directory);
  }
  synced(): void {
    this.syncs += 1;
  }

  get names(): string[] {
    return [...this.pods.values()].map(({ pod }) => pod).sort();
  }
}
