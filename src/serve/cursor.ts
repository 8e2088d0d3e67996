import type { Position } from '../trace/stored-record.ts';

/** Where the next page of a trace begins, and of which moment it is. */
export interface Cursor {
  readonly at: string;
  readonly after: Position;
}

/** An opaque text for a URL. */
export function cursorText({ at, after }: Cursor): string {
  return Buffer.from(JSON.stringify([at, after.unixNano, after.id])).toString('base64url');
}

/** @returns undefined where the text is no cursor. */
export function parseCursor(text: string): Cursor | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed) || parsed.length !== 3) return undefined;
    const [at, unixNano, id] = parsed as unknown[];
    if (!isMark(at) || typeof unixNano !== 'string' || !/^\d{1,30}$/.test(unixNano)) return undefined;
    return typeof id === 'string' ? { at, after: { unixNano, id } } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it can be a mark of a reader. */
export function isMark(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}(-\d{1,16})?$/.test(value);
}
