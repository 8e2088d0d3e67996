import type { IPutRequest } from 'etcd3';
import type { LogRecord } from '../record/log-record.ts';
import { etcdKey } from './etcd-key.ts';

/** etcd's default `--max-txn-ops`. */
const MAX_OPERATIONS = 128;
/** Well below etcd's default `--max-request-bytes` of 1.5 MiB. */
const MAX_BYTES = 1_048_576;
/** What an operation weighs beyond its key and value: tags, lengths, lease. */
const OPERATION_BYTES = 40;

/** The puts of one transaction: never empty, no key twice. `records[i]` is what `puts[i]` writes. */
export interface Transaction {
  readonly records: readonly LogRecord[];
  readonly puts: readonly { readonly request_put: IPutRequest }[];
}

/**
 * Cuts a batch into transactions of at most 128 puts and 1 MiB; a larger record has one of its own. A record that
 * is there twice is written once. Each is made when it is asked for, so that only one is in memory.
 */
export function* toTransactions(records: readonly LogRecord[]): Generator<Transaction, void> {
  const seen = new Set<string>();
  let taken: LogRecord[] = [];
  let puts: { request_put: IPutRequest }[] = [];
  let bytes = 0;
  for (const record of records) {
    const key = etcdKey(record);
    if (seen.has(key)) continue;
    seen.add(key);
    const weight = record.byteLength + key.length + OPERATION_BYTES;
    if (puts.length === MAX_OPERATIONS || (puts.length > 0 && bytes + weight > MAX_BYTES)) {
      yield { records: taken, puts };
      [taken, puts, bytes] = [[], [], 0];
    }
    taken.push(record);
    puts.push({
      request_put: { key: Buffer.from(key, 'utf8'), value: Buffer.from(record.latin1, 'latin1') },
    });
    bytes += weight;
  }
  if (puts.length > 0) yield { records: taken, puts };
}
