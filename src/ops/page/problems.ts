import { humanCount, humanSeconds } from '../../util/human.ts';
import type { ContainerState, ContainerStatus, Status } from '../status.ts';

/** Something that a person has to know, or to do something about. */
export interface Problem {
  readonly grave: boolean;
  /** The same text as long as it is the same problem: it is read aloud when it changes. */
  readonly title: string;
  /** What there is to say of it now. */
  readonly detail: string;
  readonly todo: string;
}

/** The kubelet is going to delete something unread within so long. */
export const SOON_SECONDS = 3_600;
const FRESH_MS = 3_600_000;

/** What is wrong, the gravest first, and a cause before what follows from it. Empty where all is well. */
export function problems(status: Status): Problem[] {
  const found = [
    ...stuck(status),
    ...notReady(status),
    ...deletions(status),
    ...gaps(status),
    ...containers(status),
    ...canaries(status),
    ...deadLetters(status),
  ];
  return found.toSorted((a, b) => Number(b.grave) - Number(a.grave));
}

function stuck({ live }: Status): Problem[] {
  return live.reasons.map(({ part, reason }) => ({
    grave: true,
    title: `Stuck: ${part}`,
    detail: reason,
    todo: 'The kubelet restarts the agent by itself, and nothing is lost. Should it come back, keep the log: it is a bug.',
  }));
}

function deletions({ containers: all, paused }: Status): Problem[] {
  const soon = all
    .filter(({ deletionSeconds, state }) => state !== 'held' && (deletionSeconds ?? Infinity) < SOON_SECONDS)
    .toSorted((a, b) => a.deletionSeconds! - b.deletionSeconds!);
  const [first] = soon;
  if (first === undefined) return [];
  const when =
    first.deletionSeconds === 0
      ? 'is deleted already, and held open'
      : `goes in ${humanSeconds(first.deletionSeconds!)}`;
  return [
    {
      grave: true,
      title: 'The kubelet is about to delete what is not read yet',
      detail: `${countOf(soon.length, 'container')}; the oldest unread file of ${nameOf(first)} ${when}.`,
      todo: `${paused ? 'Mend the writer' : 'Find out below what keeps reading'}. Until then do not restart the agent: it holds deleted files open, up to MAX_HELD_BYTES. A larger containerLogMaxSize of the kubelet gives more time.`,
    },
  ];
}

function gaps({ gaps: all, now }: Status): Problem[] {
  const fresh = all.filter(({ until }) => Date.parse(now) - Date.parse(until) < FRESH_MS);
  if (fresh.length === 0) return [];
  return [
    {
      grave: true,
      title: 'Lines were lost in the last hour',
      detail: `${countOf(fresh.length, 'gap')}, see below.`,
      todo: 'What was lost is recorded in the offsets file and in the log. See what made reading wait so long, or what removed the files.',
    },
  ];
}

function notReady({ ready, agent }: Status): Problem[] {
  return ready.reasons.map(({ part, reason }) => ({
    grave: true,
    title: part.startsWith('writer ') ? `The ${part} does not work` : (titles[part] ?? `Not ready: ${part}`),
    detail: reason,
    todo: part.startsWith('writer ')
      ? 'Nothing is lost: reading waits, and the log files of the node are the buffer. Bring the destination back; the agent goes on by itself.'
      : (todos[part]?.(agent) ?? 'The log of the agent says more.'),
  }));
}

const titles: Readonly<Record<string, string>> = {
  pods: 'The pods of this node are not known',
  logs: 'The log directory cannot be listed',
  state: 'The offsets cannot be saved',
};

const todos: Readonly<Record<string, (agent: Status['agent']) => string>> = {
  pods: () =>
    'Pods that were known go on. Check that the API answers and that the service account may list and watch pods: frostbeat doctor does.',
  logs: ({ podLogDir }) => `Check that ${podLogDir} is mounted into the agent's pod, and readable.`,
  state: ({ stateDir }) =>
    `Make room at ${stateDir}, or give back the right to write there. Reading and delivery go on; a restart now repeats what was delivered since.`,
};

interface Group {
  readonly title: string;
  readonly todo: string;
  readonly grave: boolean;
}

const groups: Partial<Readonly<Record<ContainerState, Group>>> = {
  failing: {
    title: 'Log files that cannot be read',
    todo: 'The state below says why; it is tried again every few seconds.',
    grave: true,
  },
  behind: {
    title: 'Containers that write faster than is read',
    todo: 'After a start or an outage this passes. If it lasts, the destination is too slow: raise MAX_IN_FLIGHT or BATCH_SIZE, or see the writer below.',
    grave: false,
  },
  'no records': {
    title: 'Containers none of whose lines is a record',
    todo: 'A record is a JSON object with a traceId and a time (RFC 3339, with a zone). The container’s own page shows a line that was skipped.',
    grave: false,
  },
};

function containers({ containers: all }: Status): Problem[] {
  return Object.entries(groups).flatMap(([state, { title, todo, grave }]): Problem[] => {
    const such = all.filter((one) => one.state === state);
    if (such.length === 0) return [];
    const more = such.length > 3 ? ` and ${such.length - 3} more` : '';
    return [{ grave, title, todo, detail: `${such.slice(0, 3).map(nameOf).join(', ')}${more}.` }];
  });
}

/** Where a writer fails, that is said already. */
function canaries({ canaries: all, writers }: Status): Problem[] {
  return all
    .filter(({ losing, destination }) => {
      const failure = writers.find(({ name }) => name === destination)?.failure ?? null;
      return losing && failure === null;
    })
    .map(({ destination, lost, late }) => ({
      grave: true,
      title: `Canaries do not come back from ${destination}`,
      detail: `${humanCount(lost)} lost since the start, of which ${humanCount(late)} came late.`,
      todo: 'Lines may be read late, not stored, or not be readable there: docs/runbook.md#frostbeatcanarylost says where to look.',
    }));
}

function deadLetters({ totals, agent }: Status): Problem[] {
  if (totals.deadLettered === 0) return [];
  return [
    {
      grave: false,
      title: 'Records that a destination refused for good',
      detail: `${humanCount(totals.deadLettered)} lines since the start.`,
      todo: `They are kept in ${agent.stateDir}/dead-letters. The log says why; mend that, then send them again with frostbeat replay.`,
    },
  ];
}

export function nameOf({
  namespace,
  pod,
  container,
}: Pick<ContainerStatus, 'namespace' | 'pod' | 'container'>): string {
  return `${namespace}/${pod}/${container}`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
