/** The levels that are told apart, from the least to the worst. */
export const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;

/** 0 for TRACE to 5 for FATAL; -1 where the level is none of them. */
export function severity(level: string): number {
  return levels.findIndex((one) => one === level);
}

export function isWorse(level: string, than: string): boolean {
  return severity(level) > severity(than);
}
