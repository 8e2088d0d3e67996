import { setup as ensureEtcd } from '../../support/ensure-etcd.ts';
import { startEtcd } from '../../support/etcd.ts';
import { PAGE, StoredRecords } from '../stored-records.ts';
import { Watermarks } from '../watermarks.ts';
import type { StoreJudge, TortureStore } from './torture-store.ts';

/** etcd, which is emptied while the run goes on, and whose watermarks are held against every record. */
export async function startEtcdStore(): Promise<TortureStore> {
  ensureEtcd();
  const etcd = await startEtcd({
    quotaBytes: 8 * 2 ** 30,
    flags: { 'max-txn-ops': PAGE, 'snapshot-count': 1_000 },
  });
  return {
    env: { WRITERS: 'etcd', ETCD_SERVERS: etcd.url },
    server: etcd,
    keepsBytes: true,
    judge(book, differences): StoreJudge {
      const watermarks = new Watermarks(etcd, book);
      const stored = new StoredRecords(etcd, book, differences, watermarks);
      const complaints: string[] = [];
      const counts = new Map<string, number>();
      return {
        complaints,
        counts,
        run: async (ending, over) => {
          await Promise.all([stored.run(ending), watermarks.run(over)]);
        },
        finish: async () => {
          await stored.finish();
          counts.set('watermarks', watermarks.count);
          counts.set('records held against a watermark', watermarks.checked);
          complaints.push(...watermarks.complaints.slice(0, 20));
          // A few may all be of times before the records that were compared.
          if (watermarks.checked === 0 && watermarks.count > 20)
            complaints.push('No record was held against a watermark.');
        },
      };
    },
    [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose](),
  };
}
