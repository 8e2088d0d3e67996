/**
 * How a promise ends.
 *
 * @throws where it has not after so many milliseconds.
 */
export async function endsWithin(
  promise: Promise<unknown> | undefined,
  ms: number,
): Promise<'resolved' | 'rejected'> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`It has not ended after ${ms} ms`)), ms);
  const ended = Promise.resolve(promise).then(
    () => 'resolved' as const,
    () => 'rejected' as const,
  );
  try {
    return await Promise.race([ended, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
