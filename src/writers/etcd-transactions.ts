import type { LogRecord } from '../record/log-record.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { addEtcdKey } from './etcd-key.ts';
import { KeySet } from './etcd-key-set.ts';
import { Puts } from './etcd-put-request.ts';

/** etcd's default `--max-txn-ops`. */
const MAX_OPERATIONS = 128;
/** Well below etcd's default `--max-request-bytes` of 1.5 MiB. */
const MAX_BYTES = 1_048_576;
/** Room for a key with a trace ID of a usual length. */
const KEY_BYTES = 128;
/** What an operation weighs beyond its key and value: tags, lengths, lease. */
const OPERATION_BYTES = 40;

/**
 * Cuts a batch into transactions of at most 128 puts and 1 MiB; a larger record has one of its own. No key is
 * there twice, for which etcd would refuse the transaction: a record that is given twice is written once.
 */
export function* toTransactions(records: readonly LogRecord[]): Generator<Puts, void> {
  const keys = new ByteBuffer(records.length * KEY_BYTES);
  const seen = new KeySet(keys, records.length);
  let puts = new Puts(keys);
  let bytes = 0;
  for (const record of records) {
    const from = keys.length;
    addEtcdKey(keys, record);
    const to = keys.length;
    if (!seen.add(from, to)) continue;
    const weight = record.byteLength + to - from + OPERATION_BYTES;
    if (puts.count === MAX_OPERATIONS || (puts.count > 0 && bytes + weight > MAX_BYTES)) {
      yield puts;
      puts = new Puts(keys);
      bytes = 0;
    }
    puts.add(record, from, to);
    bytes += weight;
  }
  if (puts.count > 0) yield puts;
}
