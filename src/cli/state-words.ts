import { styleText } from 'node:util';
import type { LostPart, TraceState } from '../trace/trace-state.ts';
import { inert } from '../util/inert.ts';

/** What a script is told of a state by an exit code. */
export const stateCodes = { complete: 0, open: 3, incomplete: 4, unknown: 5 } as const;

const colours = { complete: 'green', open: 'yellow', incomplete: 'red', unknown: 'dim' } as const;
const MOST_GAPS = 5;

export interface StateWords {
  readonly traceId: string;
  readonly color: boolean;
  /** Whether the lines that may still come are waited for already. */
  readonly following: boolean;
}

/** The state of a trace for people: what it is, why, and what can be done; lines with their line feeds. */
export function stateWords(state: TraceState, { traceId, color, following }: StateWords): string {
  const word = state.state === 'unknown' ? 'complete? unknown' : state.state;
  const head = color ? styleText(['bold', colours[state.state]], word, { validateStream: false }) : word;
  const lines = [
    `── ${head} ── ${inert(state.reason)}`,
    ...state.gaps.slice(0, MOST_GAPS).map((gap) => `   lost on ${gapWords(gap)}`),
    ...(state.gaps.length > MOST_GAPS ? [`   and ${state.gaps.length - MOST_GAPS} more gaps`] : []),
    ...advice(state, { traceId, following }).map((line) => `   ${line}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function gapWords(gap: LostPart): string {
  const { node, namespace, pod, container, file, from, to, start, end, reason } = gap;
  const bytes = to === null ? `from byte ${from} on` : `bytes ${from} to ${to}`;
  const when = start === null ? `up to ${end}` : `${start} to ${end}`;
  return inert(`${node}: ${namespace}/${pod}/${container}, ${file} ${bytes}, ${when}: ${reason}`);
}

function advice(
  { state, doubts }: TraceState,
  { traceId, following }: Pick<StateWords, 'traceId' | 'following'>,
): string[] {
  const id = /^[\w.:-]+$/.test(traceId) ? traceId : '<traceId>';
  const silent = doubts.find(({ why }) => why === 'silent');
  return [
    ...(state === 'open' && !following
      ? [`Its last lines may still come: «frostbeat trace ${id} --follow --until-complete» waits for them.`]
      : []),
    ...(silent === undefined
      ? []
      : [
          `An agent that comes back on ${inert(silent.node)} reads on where it was, as long as the node keeps its files.`,
          `Is the node gone for good: frostbeat nodes --forget ${inert(silent.node)}`,
        ]),
  ];
}
