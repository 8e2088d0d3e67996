import { createLog } from '../../src/ops/log.ts';

/** A log whose lines are kept, as objects. */
export async function keptLog() {
  const lines: Record<string, unknown>[] = [];
  const log = await createLog({
    level: 'debug',
    pretty: false,
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  return { log, lines };
}
