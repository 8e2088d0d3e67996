import type { Subject } from './subject.ts';
import type { Trial } from './trial.ts';

/** A mistake is told by whatever comes first: the function that makes the writer, `open`, `check`, or a write. */
export function mistakeChecks({ mistakes = [] }: Subject): Trial[] {
  return mistakes.map(({ title, options, says }) => ({
    title: `is told precisely: ${title}`,
    run: async (bench) => {
      const told = await (async () => {
        try {
          const writer = await bench.make(options);
          await writer.open?.(bench.patience());
          await writer.check?.(bench.patience());
        } catch (error) {
          return error instanceof Error ? error.message : String(error);
        }
        throw new Error('neither open nor check say that anything is wrong');
      })();
      if (!says.test(told)) throw new Error(`it says «${told}», which is not ${String(says)}`);
      if (/\n\s+at /.test(told)) throw new Error(`it says «${told}»: a stack trace helps no operator`);
    },
  }));
}
