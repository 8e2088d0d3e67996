import { severity } from './levels.ts';
import { viewRecord } from './record-view.ts';
import type { StoredRecord } from './stored-record.ts';

export interface TraceFilter {
  /** Least level; a record without one of the levels that are told apart is left out then. */
  readonly level?: string | undefined;
  /** Part of the name of the pod, or of `<pod>/<container>`. */
  readonly pod?: string | undefined;
  /** What the record's text is searched for. */
  readonly matches?: ((text: string) => boolean) | undefined;
}

/** Whether a record is to be shown. */
export function filterOf({ level, pod, matches }: TraceFilter): (record: StoredRecord) => boolean {
  if (level === undefined && pod === undefined && matches === undefined) return () => true;
  const least = level === undefined ? -1 : severity(level);
  return ({ bytes }) => {
    const text = bytes.toString('utf8');
    if (matches !== undefined && !matches(text)) return false;
    if (level === undefined && pod === undefined) return true;
    const view = viewRecord(text);
    if (level !== undefined && severity(view.level) < least) return false;
    return pod === undefined || `${view.pod}/${view.container}`.includes(pod);
  };
}
