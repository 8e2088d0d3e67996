import type { Screen } from '../demo/screen.ts';
import type { Shop } from '../demo/shop/shop.ts';
import type { WrittenTrace } from '../demo/written-traces.ts';
import type { DemoPlace } from './demo-place.ts';

/** «1 line», «1,234 lines». */
function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

/** What the shop has done so far. */
export function written({ requests, lines, rotations }: Shop['counts']): string {
  return `${count(requests, 'request')}, ${count(lines, 'line')} written, ${count(rotations, 'file')} rotated`;
}

/** How far things are; short enough for a line of 80 columns. */
export function progress(so: {
  readonly seconds: number;
  readonly counts: Shop['counts'];
  /** Lines; undefined where the agent did not say. */
  readonly stored: number | undefined;
  readonly skipped: number | undefined;
}): string {
  const { lines, rotations } = so.counts;
  const agent =
    so.stored === undefined
      ? ''
      : `; ${so.stored.toLocaleString('en')} stored, ${so.skipped ?? 0} no records`;
  return `${String(so.seconds).padStart(3)} s  ${count(lines, 'line')} written, ${count(rotations, 'file')} rotated${agent}`;
}

/** What is running, where. */
export function headline(
  screen: Screen,
  { podLogDir, httpPort, store, agentLog }: DemoPlace,
  { pods, pid }: { pods: number; pid: number | undefined },
): string {
  const row = (name: string, what: string, where: string) =>
    `  ${screen.paint('cyan', name.padEnd(7))}${what}\n         ${screen.paint('dim', where)}`;
  return [
    `${pods} pods of a small shop write their logs as a kubelet and containerd would; the real agent follows them.`,
    '',
    row('node', 'simulated: rotated files, compressed files, lines in parts, noise', podLogDir),
    row(
      'agent',
      `process ${pid ?? '?'}, POD_SOURCE=directory, its log in ${agentLog}`,
      `http://localhost:${httpPort}/metrics`,
    ),
    row('store', store.kind === 'file' ? 'the file writer: NDJSON' : 'etcd', store.name),
    '',
  ].join('\n');
}

/** Whether the store holds what was written. */
export function verdict(
  screen: Screen,
  found: {
    chosen: WrittenTrace;
    traces: readonly WrittenTrace[];
    differing: readonly WrittenTrace[];
    rotations: number;
  },
): string {
  const { chosen, traces, differing, rotations } = found;
  const records = traces.reduce((sum, trace) => sum + trace.records.length, 0);
  const pods = new Set(chosen.records.map(({ pod }) => pod)).size;
  if (differing.length > 0) {
    const ids = differing.slice(0, 5).map(({ traceId }) => traceId);
    return screen.paint(
      'red',
      `\nNot as it was written: ${differing.length} of ${traces.length} traces, for example ${ids.join(', ')}`,
    );
  }
  return [
    '',
    screen.paint(
      'green',
      `Complete: its ${chosen.records.length} records from ${pods} pods are all there, once, in order.`,
    ),
    `So are all ${records.toLocaleString('en')} records of the ${traces.length} traces so far, byte for byte, through ${count(rotations, 'rotation')}.`,
  ].join('\n');
}

/** What to type next. */
export function nextSteps(
  screen: Screen,
  { httpPort, traceFlags, directory }: DemoPlace,
  next: {
    readonly command: string;
    readonly another: WrittenTrace;
    /** The trace that was shown. */
    readonly failed: WrittenTrace;
    /** Where the page of traces is; undefined where the demo ends now. */
    readonly pagePort: number | undefined;
  },
): string {
  const { command, another, failed, pagePort } = next;
  const ends = pagePort === undefined;
  const step = (what: string, how: string) => `  ${what}\n    ${screen.paint('bold', how)}`;
  const here = [
    step(`another trace (${another.title})`, `${command} trace ${another.traceId} ${traceFlags}`),
    step('the same for programs', `${command} trace ${another.traceId} ${traceFlags} --output json`),
  ];
  const live = [
    step('what the agent counts', `curl -s http://localhost:${httpPort}/metrics | grep ^frostbeat_`),
    step('the files of the node', `ls -R ${directory}/pods`),
  ];
  const cluster = [
    step('in a cluster, as a DaemonSet', 'kubectl apply -f deploy/install.yaml'),
    step(
      'on one node by hand, as root',
      `NODE_NAME=<node> NAMESPACE=<namespace> SELECTOR=app=<name> ETCD_SERVERS=<host>:2379 ${command} agent`,
    ),
  ];
  return [
    '',
    screen.paint('bold', ends ? 'Next:' : 'Next, in another terminal:'),
    ...here,
    ...(ends ? [] : live),
    ...cluster,
    ...(ends
      ? []
      : [
          '',
          screen.paint('bold', 'In a browser, live:'),
          step('the traces of the shop', `http://localhost:${pagePort}/`),
          step(`this one (${failed.title})`, `http://localhost:${pagePort}/?trace=${failed.traceId}`),
          '',
          `The shop goes on, at a gentler pace. ${screen.paint('bold', 'Ctrl-C')} ends it.`,
        ]),
  ].join('\n');
}
