import type { Destination } from '../deliver/destination.ts';
import type { Metrics } from '../ops/metrics.ts';

/** Brings how it stands with each writer into the metrics. */
export function showDestinations(metrics: Metrics, destinations: readonly Destination[]): void {
  for (const { name: writer, queue, failure, workedAt } of destinations) {
    metrics.writerUp.set({ writer }, failure === undefined ? 1 : 0);
    metrics.writerLastWrite.set({ writer }, workedAt / 1000);
    metrics.batchesWaiting.set({ writer }, queue.batches);
    metrics.batchesInFlight.set({ writer }, queue.writing);
    metrics.batchesFailed.set({ writer }, queue.failed);
    metrics.waitingBytes.set({ writer }, queue.bytes);
  }
}
