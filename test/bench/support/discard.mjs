// A writer that discards. It counts, and when BENCH_EXPECT records have come it makes the file BENCH_DONE.
import { writeFileSync } from 'node:fs';

// oxlint-disable-next-line import/no-default-export -- the contract of a writer's module
export default ({ BENCH_EXPECT, BENCH_DONE }) => {
  let left = Number(BENCH_EXPECT);
  return {
    name: 'discard',
    async writeBatch(records) {
      left -= records.length;
      if (left === 0) writeFileSync(BENCH_DONE, '');
    },
  };
};
