import type { Random } from '../random.ts';

/** Lines that every system writes and that belong to no trace: text, JSON without a trace ID, empty ones. */
export function noiseLine(random: Random, time: string): string {
  return random.pick([
    () => '',
    () => `${time.slice(0, 19).replaceAll('-', '/').replace('T', ' ')} [notice] 1#1: signal process started`,
    () => JSON.stringify({ time, level: 'DEBUG', msg: 'health check', path: '/healthz', status: 200 }),
    () =>
      JSON.stringify({
        time,
        level: 'INFO',
        msg: 'gc',
        pauseMs: random.int(1, 9),
        heapMiB: random.int(20, 90),
      }),
    () => `[${random.int(1000, 9999)}] WARNING: deprecated option «pool_size», use «pool.max»`,
    () => '{"level":"INFO","msg":"config reloaded","traceId":',
  ])();
}
