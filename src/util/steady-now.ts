/** Milliseconds since 1970 by a clock that is never set: the wall clock's time when the process began, and on from there. */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
