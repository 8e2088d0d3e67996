/**
 * What a suite cannot do without, or undefined, said loudly, where this machine does not have it. In CI
 * (CI=true) its absence is an error.
 */
export async function orSkip<T>(provided: Promise<T>, suite: string): Promise<T | undefined> {
  try {
    return await provided;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (process.env['CI'] === 'true') throw new Error(`Cannot test ${suite}: ${reason}`, { cause });
    process.stderr.write(`\nNOT TESTED: ${suite}. ${reason}\n\n`);
    return undefined;
  }
}
