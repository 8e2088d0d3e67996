import { pause } from '../../util/pause.ts';
import type { Shop } from './shop.ts';

export interface TrafficOptions {
  /** Asked again and again: customers come and go. */
  readonly requestsPerSecond: () => number;
  /** A log longer than this is rotated at the kubelet's next look, in bytes. */
  readonly rotateBytes: number;
  readonly signal: AbortSignal;
}

const tickMs = 20;
/** The kubelet's is ten seconds; nobody wants to wait that long for a demonstration. */
const kubeletLooksEveryMs = 1_000;

/** Sends customers to the shop and lets the kubelet look after its logs, until the signal aborts. */
export async function runTraffic(shop: Shop, options: TrafficOptions): Promise<void> {
  const { requestsPerSecond, rotateBytes, signal } = options;
  let due = 0;
  let last = performance.now();
  let looked = last;
  while (!signal.aborted) {
    const now = performance.now();
    // After the machine has slept there is no flood of what was missed.
    due += (requestsPerSecond() * Math.min(now - last, 1_000)) / 1_000;
    last = now;
    for (; due >= 1; due--) {
      shop.request();
      if (shop.counts.requests % 2 === 0) shop.noise();
    }
    shop.advance();
    if (now - looked >= kubeletLooksEveryMs) {
      looked = now;
      await shop.rotate({ maxBytes: rotateBytes, maxFiles: 5, pause: () => pause(tickMs, signal) });
    }
    await pause(tickMs, signal);
  }
}
