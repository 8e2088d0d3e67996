import type { LogRecord, RecordInBytes } from '../record/log-record.ts';

/** Whether a record's small parts are there as bytes, as the agent's are. */
export function isInBytes(record: LogRecord): record is RecordInBytes {
  return 'copyIdTo' in record;
}
