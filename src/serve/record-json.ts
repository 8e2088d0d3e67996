import type { StoredRecord } from '../trace/stored-record.ts';

/**
 * A record as the API gives it: `{"unixNano":"…","id":"…","record":{…}}`, the record as it is stored; what is no JSON
 * object is `"text":"…"` instead.
 */
export function recordJson({ unixNano, id, bytes }: StoredRecord): string {
  const text = bytes.toString('utf8');
  const what = isObject(text) ? `"record":${text}` : `"text":${JSON.stringify(text)}`;
  return `{"unixNano":${JSON.stringify(unixNano)},"id":${JSON.stringify(id)},${what}}`;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
