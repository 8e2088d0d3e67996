import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatBytes, parseBytes } from '../util/bytes.ts';
import { formatDuration, parseDuration } from '../util/duration.ts';

/** A value, or what would be right: the end of the sentence «X is Y: it must be …». */
export type Parsed<T> = { readonly value: T } | { readonly mustBe: string };

/** Reads the text of a setting. `cwd` is what relative paths are relative to; absolute itself. */
export type Parse<T> = (text: string, cwd: string) => Parsed<T>;

/** A whole number. */
export function integer(min: number, max: number): Parse<number> {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? { value } : { mustBe: `a whole number from ${min} to ${max}` };
  };
}

/** A duration, in milliseconds. */
export function duration(minMs: number, maxMs: number, { orZero = false } = {}): Parse<number> {
  const range = `a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}, for example 300ms, 5s or 1h30m`;
  return (text) => {
    const value = parseDuration(text) ?? Number.NaN;
    const good = (value >= minMs && value <= maxMs) || (orZero && value === 0);
    return good ? { value } : { mustBe: orZero ? `0 or ${range}` : range };
  };
}

/** A size in bytes. */
export function size(min: number, max: number): Parse<number> {
  return (text) => {
    const value = parseBytes(text) ?? Number.NaN;
    return value >= min && value <= max
      ? { value }
      : { mustBe: `a size from ${formatBytes(min)} to ${formatBytes(max)}, for example 64KiB or 1MiB` };
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): Parse<T> {
  return (text) => {
    const value = choices.find((choice) => choice === text);
    return value === undefined ? { mustBe: `one of ${choices.join(', ')}` } : { value };
  };
}

export function boolean(text: string): Parsed<boolean> {
  return text === 'true' || text === 'false' ? { value: text === 'true' } : { mustBe: 'true or false' };
}

/** Any text; undefined where it is empty. */
export function optionalText(text: string): Parsed<string | undefined> {
  return { value: text === '' ? undefined : text };
}

/** What names of objects begin with; it may be empty. */
export function objectPrefix(text: string): Parsed<string> {
  const good = text === '' || /^[^/\p{Cc}][^\p{Cc}]{0,500}$/u.test(text);
  return good ? { value: text } : { mustBe: 'at most 500 characters that do not begin with a slash' };
}

/** The URL of a server; undefined where it is empty. */
export function optionalUrl(text: string): Parsed<string | undefined> {
  if (text === '') return { value: undefined };
  const good = /^https?:\/\/[^/@\s]+(?:\/\S*)?$/.test(text) && URL.canParse(text);
  return good
    ? { value: text }
    : { mustBe: 'a URL that begins with http:// or https://, without a password' };
}

/** A path, made absolute. */
export function path(text: string, cwd: string): Parsed<string> {
  return text === '' || text.includes('\0') ? { mustBe: 'a path' } : { value: resolve(cwd, text) };
}

/** A path that may hold `{node}` and `{date}`, made absolute. */
export function outputPath(text: string, cwd: string): Parsed<string> {
  const parsed = path(text, cwd);
  if (!('value' in parsed)) return parsed;
  const rest = parsed.value.replaceAll(/\{(?:node|date)\}/g, '');
  return /[{}]/.test(rest) ? { mustBe: 'a path without braces other than {node} and {date}' } : parsed;
}

/** Paths with commas between them, made absolute; none where it is empty. */
export function paths(text: string, cwd: string): Parsed<readonly string[]> {
  if (text.includes('\0')) return { mustBe: 'paths with commas between them' };
  const parts = text.split(',').map((part) => part.trim());
  return { value: parts.filter((part) => part !== '').map((part) => resolve(cwd, part)) };
}

/** A file that can be read now and holds something, made absolute; undefined where none is given. */
export function optionalFile(text: string, cwd: string): Parsed<string | undefined> {
  if (text === '') return { value: undefined };
  const file = resolve(cwd, text);
  const trouble = unreadable(file);
  return trouble === undefined
    ? { value: file }
    : { mustBe: `a file that the agent can read, and it ${trouble}` };
}

function unreadable(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return 'is no regular file';
    return readFileSync(file).length === 0 ? 'is empty' : undefined;
  } catch (error) {
    return explain(error);
  }
}

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return 'may not be read by this user (EACCES)';
  return `cannot be read (${String(error instanceof Error ? error.message : error)})`;
}
