import { pause } from '../util/pause.ts';
import type { LogWriter } from '../writers/log-writer.ts';
import type { WriterHealth } from './writer-health.ts';

const FAILING_MS = 2_000;
const WORKING_MS = 15_000;

/**
 * Asks a destination now and then whether it is reachable, from the start on, so that a node with nothing to
 * write knows it too. Ends when the signal aborts, without an error.
 */
export async function keepProbing(
  writer: LogWriter,
  health: WriterHealth,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await writer.check?.(signal);
      health.reachable();
    } catch (error) {
      if (!signal.aborted) health.failed(error, 'probe');
    }
    await pause(health.failure === undefined ? WORKING_MS : FAILING_MS, signal);
  }
}
