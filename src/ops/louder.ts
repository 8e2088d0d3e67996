import type { Log } from './log.ts';
import type { Threshold } from './threshold.ts';

const LOUDER_MS = 600_000;

/**
 * Makes the log tell more, from now on and for ten minutes; called again meanwhile, for ten minutes from then.
 * Returns what to call for that, at a SIGUSR1. Node's own answer to that signal, to open a port for a debugger, is
 * thereby none.
 */
export function louder(log: Log, threshold: Threshold): () => void {
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    log.info('The ten minutes are over: the log tells as much as before.');
    threshold.restore();
    timer = undefined;
  };
  return () => {
    threshold.raise();
    clearTimeout(timer);
    timer = setTimeout(end, LOUDER_MS).unref();
    log.info(`SIGUSR1: for ten minutes the log tells all from the level ${threshold.level} on.`);
  };
}
