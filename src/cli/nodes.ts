import { styleText } from 'node:util';
import type { Config } from '../config/config.ts';
import { forgetNode } from '../trace/forget-node.ts';
import type { KnownNode, Nodes } from '../trace/known-node.ts';
import { type Telling, telling, tellingStore } from '../trace/nodes-elsewhere.ts';
import { type Readable, selectTraceReader } from '../trace/select-reader.ts';
import { humanSeconds } from '../util/human.ts';
import { inert } from '../util/inert.ts';
import { hasColor } from './colour.ts';
import type { Context } from './context.ts';
import { destinationOf } from './reader-of.ts';

export interface NodesRequest extends Pick<Context, 'env' | 'stdout' | 'stderr' | 'signal'> {
  readonly config: Config;
  readonly from?: Readable | undefined;
  readonly output?: 'pretty' | 'json' | undefined;
  /** The node that is gone for good. */
  readonly forget?: string | undefined;
}

/**
 * `frostbeat nodes`: what the agents tell of their nodes; with `forget`, says of one that it is gone for good.
 *
 * @returns 0; 1 where there are none, they cannot be read, or the node cannot be forgotten; 2 where no destination
 *   can be asked.
 */
export async function nodesCommand(request: NodesRequest): Promise<number> {
  const { config, stderr, signal, forget } = request;
  const from = destinationOf(request);
  if (from === undefined) return 2;
  const reader = await selectTraceReader(from, config);
  try {
    if (forget !== undefined) {
      const told = telling.find((name) => name === from) ?? tellingStore(config);
      if (told !== undefined) return await forgetOne(request, { from: told, node: forget });
      stderr.write(`frostbeat: Cannot forget ${inert(forget)}: no agent tells ${from} of its node\n`);
      return 1;
    }
    return list(request, { ...(await reader.nodes(signal)), name: reader.name });
  } catch (error) {
    if (signal.aborted) return 0;
    const reason = error instanceof Error ? error.message : String(error);
    stderr.write(`frostbeat: Cannot ask ${reader.name} for the nodes: ${inert(reason)}\n`);
    return 1;
  } finally {
    await reader.close();
  }
}

async function forgetOne(
  { config, stdout, stderr, signal }: NodesRequest,
  { from, node }: { from: Telling; node: string },
): Promise<number> {
  const found = await forgetNode({ from, config, node }, signal);
  if (found === 'forgotten') {
    stdout.write(`${inert(node)} is forgotten: no trace waits for its lines any longer.\n`);
    return 0;
  }
  stderr.write(
    found === 'live'
      ? `frostbeat: Cannot forget ${inert(node)}: its agent is heard. Stop it first, and wait until it is silent\n`
      : `frostbeat: Cannot forget ${inert(node)}: no node of that name has told of itself. «frostbeat nodes» lists them\n`,
  );
  return 1;
}

function list(request: NodesRequest, { nodes, trouble, name }: Nodes & { readonly name: string }): number {
  const { stdout, stderr } = request;
  if (trouble !== undefined) stderr.write(`frostbeat: ${inert(trouble)}\n`);
  const output = request.output ?? (stdout.isTTY === true ? 'pretty' : 'json');
  if (output === 'json') {
    for (const one of nodes) stdout.write(`${inert(JSON.stringify(one))}\n`);
  } else if (nodes.length > 0) {
    stdout.write(table(nodes, { color: hasColor(request), nowMs: Date.now() }));
  }
  if (nodes.length > 0) return 0;
  if (trouble === undefined) stderr.write(`frostbeat: no node tells of itself in ${inert(name)}\n`);
  return 1;
}

const head = ['NODE', 'STATE', 'STORED UP TO', 'BEHIND', 'CONTAINERS', 'AGENT', 'RUNS SINCE', 'GAPS'];

function table(nodes: readonly KnownNode[], { color, nowMs }: { color: boolean; nowMs: number }): string {
  const rows = nodes.map((one) => row(one, nowMs).map(inert));
  const wide = head.map((title, n) => Math.max(title.length, ...rows.map((cells) => cells[n]!.length)));
  const line = (cells: readonly string[]): string => cells.map((cell, n) => cell.padEnd(wide[n]!)).join('  ');
  const paint = (style: 'dim' | 'red', text: string): string =>
    color ? styleText(style, text, { validateStream: false }) : text;
  return [
    paint('dim', line(head).trimEnd()),
    ...rows.map((cells) =>
      cells[1] === 'silent' ? paint('red', line(cells).trimEnd()) : line(cells).trimEnd(),
    ),
  ]
    .map((text) => `${text}\n`)
    .join('');
}

function row({ node, report, live }: KnownNode, nowMs: number): string[] {
  if (report === undefined) return [node, 'unreadable', '–', '–', '–', '–', '–', '–'];
  const { watermark, containers, agent, since, stopped, forgotten, gaps, gapsLeftOut } = report;
  const behind = watermark === null ? '–' : humanSeconds(Math.max(0, nowMs - Date.parse(watermark)) / 1_000);
  const lost = gaps.length + gapsLeftOut;
  return [
    node,
    live ? 'live' : forgotten !== undefined ? 'forgotten' : stopped ? 'stopped' : 'silent',
    watermark === null ? 'not known yet' : new Date(watermark).toISOString(),
    behind,
    String(containers),
    agent,
    new Date(since).toISOString().slice(0, 19).replace('T', ' '),
    lost === 0 ? '–' : String(lost),
  ];
}
