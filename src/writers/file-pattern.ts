import { join } from 'node:path';
import { keySegment } from './etcd-key.ts';

/** `.YYYYMMDD-HHMMSS.mmm`, in UTC, behind the name of a file that was rotated. */
const stamp = String.raw`\.\d{8}-\d{6}\.\d{3}`;

/** FILE_PATH, whose segments may hold `{node}` and `{date}` (the day in UTC). */
export class FilePattern {
  /** The deepest directory above which and in whose name there is no placeholder. */
  readonly base: string;
  /** What is below it: directories, and last the file. */
  readonly segments: readonly string[];

  /** @param path absolute. */
  constructor(path: string) {
    const all = path.split('/');
    const first = all.findIndex((segment) => placeholder.test(segment));
    const depth = first === -1 ? all.length - 1 : first;
    this.base = all.slice(0, depth).join('/') || '/';
    this.segments = all.slice(depth);
  }

  /** The file that a node writes to at a time. */
  at(node: string, now: Date): string {
    const day = now.toISOString().slice(0, 10);
    const fill = (segment: string): string =>
      segment.replaceAll('{node}', () => nodeSegment(node)).replaceAll('{date}', day);
    return join(this.base, ...this.segments.map(fill));
  }

  /**
   * Matches what the first `depth` directories below the base may be called, with `/` between them.
   *
   * @param node whose they are; undefined for those of any.
   */
  directories(depth: number, node: string | undefined): RegExp {
    return new RegExp(`^${sourceOf(this.segments.slice(0, depth), node)}$`);
  }

  /**
   * Matches what a file may be called below the base: the groups `stem`, `rotation` and `gz` are its parts, `node` is
   * the node where its name is in the path.
   */
  files(node: string | undefined): RegExp {
    return new RegExp(`^(?<stem>${sourceOf(this.segments, node)})(?<rotation>${stamp})?(?<gz>\\.gz)?$`);
  }
}

const placeholder = /\{(?:node|date)\}/;

/** A node's name as a part of a segment: it stays within it, and is neither hidden nor `..`. */
function nodeSegment(node: string): string {
  return keySegment(node).replace(/^\./, '%2E');
}

/** A placeholder is the same throughout a path. */
function sourceOf(segments: readonly string[], node: string | undefined): string {
  const seen = new Set<string>();
  const group = (name: string, source: string): string => {
    if (seen.has(name)) return `\\k<${name}>`;
    seen.add(name);
    return `(?<${name}>${source})`;
  };
  // As short as may be, so that what was rotated is seen as such also where the name ends with it. The root of a file
  // system may have a `lost+found`, which only root may read.
  const anyNode = String.raw`(?!lost\+found(?:/|$))[^/.][^/]*?`;
  return segments
    .join('/')
    .split(/(\{(?:node|date)\})/)
    .map((part) => {
      if (part === '{node}')
        return group('node', node === undefined ? anyNode : RegExp.escape(nodeSegment(node)));
      return part === '{date}' ? group('date', String.raw`\d{4}-\d\d-\d\d`) : RegExp.escape(part);
    })
    .join('');
}
