import type { Gap } from '../offsets/offsets-file.ts';
import type { NodeGap } from '../writers/node-report.ts';

const MOST = 100;

/** The pod of a log directory's name. */
export type ParseDirectory = (
  name: string,
) => { readonly namespace: string; readonly pod: string } | undefined;

/** The latest gaps as a report tells them, and how many there are besides. @param all the oldest first. */
export function nodeGaps(
  all: readonly Gap[],
  parse: ParseDirectory,
): { gaps: readonly NodeGap[]; leftOut: number } {
  const latest = all.slice(-MOST).toReversed();
  return { gaps: latest.map((gap) => nodeGap(gap, parse)), leftOut: all.length - latest.length };
}

function nodeGap(
  { container: key, file, from, to, since, until, reason }: Gap,
  parse: ParseDirectory,
): NodeGap {
  const [directory = '', container = ''] = key.split('/');
  const { namespace, pod } = parse(directory) ?? { namespace: '', pod: directory };
  return { namespace, pod, container, file, from, to, start: since, end: until, reason };
}
