import { statSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { didYouMean } from '../util/did-you-mean.ts';
import type { Parse, Parsed } from './parse.ts';

/** An address, or a name of one. */
export function hostName(text: string): Parsed<string> {
  return /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$|^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(text)
    ? { value: text }
    : { mustBe: 'an address or a name of this machine, for example localhost, 0.0.0.0 or ::' };
}

/** The name of an HTTP header; undefined where it is empty. */
export function headerName(text: string): Parsed<string | undefined> {
  if (text === '') return { value: undefined };
  return /^[A-Za-z0-9-]+$/.test(text)
    ? { value: text }
    : { mustBe: 'the name of a header, for example X-Forwarded-User' };
}

/** The writers that come with Frostbeat, by the names that WRITERS knows. */
export const builtInWriters: readonly string[] = [
  'etcd',
  'file',
  's3',
  'gcs',
  'stdout',
  'elasticsearch',
  'opensearch',
  'kafka',
];

/** An endpoint of a destination; `scheme` is undefined where only `host:port` was given. */
export interface Endpoint {
  readonly scheme: 'http' | 'https' | undefined;
  /** `host:port`. */
  readonly host: string;
}

/** The namespaces to watch; undefined is all of them. */
export function namespaces(text: string): Parsed<readonly string[] | undefined> {
  if (text === '*') return { value: undefined };
  const names = list(text);
  const wrong = names.find((name) => name.length > 63 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name));
  if (wrong === undefined) return { value: [...new Set(names)] };
  return { mustBe: `* for all namespaces, or their names with commas between them; «${wrong}» is none` };
}

/** Patterns of containers' names, with * and ?; none where the text is empty. */
export function containerPatterns(text: string): Parsed<readonly string[]> {
  if (text === '') return { value: [] };
  const patterns = list(text);
  const wrong = patterns.find((pattern) => !isContainerPattern(pattern));
  if (wrong === undefined) return { value: [...new Set(patterns)] };
  return {
    mustBe:
      'names of containers (lower-case letters, digits and -, 63 at most), * in them for any characters and ? ' +
      `for one, several with commas between them; «${wrong}» is none`,
  };
}

function isContainerPattern(pattern: string): boolean {
  return /^(?!-)[-a-z0-9*?]+(?<!-)$/.test(pattern) && pattern.replaceAll('*', '').length <= 63;
}

/** A node's name, as it can stand in the API's field selector. */
export function nodeName(text: string): Parsed<string> {
  return text === '' || (text.length <= 253 && /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(text))
    ? { value: text }
    : { mustBe: 'the name of this node: letters, digits, - and .' };
}

/** @param prefix of the variables that the user and the password belong into: `ETCD`. */
export function endpoints(prefix: string): Parse<readonly Endpoint[]> {
  const mustBe = 'host:port or http(s)://host:port, several with commas between them';
  return (text) =>
    // A part of it may be a password: none is repeated.
    text.includes('@')
      ? { mustBe: `${mustBe}, without a user: that is for ${prefix}_USERNAME and ${prefix}_PASSWORD_FILE` }
      : parseEndpoints(text, mustBe);
}

function parseEndpoints(text: string, mustBe: string): Parsed<readonly Endpoint[]> {
  const parsed: Endpoint[] = [];
  for (const item of list(text)) {
    const read = endpoint(item);
    if (read === undefined) return { mustBe: `${mustBe}; «${item}» is neither` };
    parsed.push(read);
  }
  return { value: parsed };
}

function endpoint(text: string): Endpoint | undefined {
  const scheme = /^(https?):\/\//.exec(text)?.[1];
  const url = URL.parse(scheme === undefined ? `http://${text}` : text);
  // URL drops the scheme's own port: it is looked for in the text.
  const port = /:(\d+)\/?$/.exec(text)?.[1];
  if (url === null || port === undefined || Number(port) === 0 || (!scheme && text.includes('://')))
    return undefined;
  if (
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  )
    return undefined;
  return { scheme: scheme as Endpoint['scheme'], host: `${url.hostname}:${Number(port)}` };
}

/** Hides whatever may be a user and a password of URLs: all before the last @. */
export function maskUserInfo(text: string): string {
  return text.replace(/^.*@/s, '********@');
}

/** Names of writers: built-in ones, paths of modules that exist, or packages that are installed. */
export function writers(text: string, cwd: string): Parsed<readonly string[]> {
  const names = list(text);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    return { mustBe: `names of writers, none of them twice; «${twice}» is there twice` };
  const unknown = names.filter((name) => !isWriter(name, cwd));
  return unknown.length === 0 ? { value: names } : { mustBe: writersMustBe(unknown, cwd) };
}

function isWriter(name: string, cwd: string): boolean {
  if (builtInWriters.includes(name)) return true;
  if (isPath(name)) return statSync(resolve(cwd, name), { throwIfNoEntry: false })?.isFile() === true;
  return isInstalled(name, cwd);
}

function writersMustBe(unknown: readonly string[], cwd: string): string {
  const why = unknown.map((name) => {
    if (isPath(name)) return `the file ${resolve(cwd, name)} does not exist`;
    const guess = didYouMean(name, builtInWriters);
    return `«${name}» is none${guess === undefined ? '' : ` (did you mean ${guess}?)`}`;
  });
  return (
    `${builtInWriters.join(', ')}, a module's path that begins with ./ or /, or an installed package, ` +
    `several with commas between them; ${why.join('; ')}`
  );
}

/** A module's path, and not a package's name. */
function isPath(name: string): boolean {
  return /^\.{0,2}\//.test(name);
}

function isInstalled(name: string, cwd: string): boolean {
  if (!/^(@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*(\/[^\s]+)?$/.test(name)) return false;
  return [pathToFileURL(join(cwd, 'x')), import.meta.url].some((base) => {
    try {
      return findPackageJSON(name, base) !== undefined;
    } catch {
      return false; // It throws where there is no such package.
    }
  });
}

function list(text: string): string[] {
  return text.split(',').map((item) => item.trim());
}
