import type { LogRecord } from '../../src/record/log-record.ts';
import { ByteBuffer } from '../../src/writers/byte-buffer.ts';
import { addEtcdKey } from '../../src/writers/etcd-key.ts';

/** The key that a record is stored under in etcd. */
export function etcdKey(record: LogRecord): string {
  const key = new ByteBuffer(1);
  addEtcdKey(key, record);
  return key.bytes().toString('utf8');
}
