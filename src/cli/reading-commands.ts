import { type Command, Option } from 'commander';
import { type LoadedConfig, validConfig } from '../config/load-config.ts';
import { readable, type Readable } from '../trace/select-reader.ts';
import { levels } from '../trace/levels.ts';
import type { Context } from './context.ts';
import { addSettings } from './flags.ts';
import { outputs, type TraceFlags, traceOptions } from './trace-flags.ts';

export interface ReadingCommands {
  readonly add: (name: string, description: string) => Command;
  /** Loads the settings; the mistakes given are told together with its own. */
  readonly load: (command: Command, mistakes?: readonly string[]) => LoadedConfig;
  readonly context: Context;
  readonly finish: (code: number) => void;
}

const sources = ['WRITERS', 'ETCD_', 'FILE_', 'STATE_DIR', 'TRACE_'];

const traceExamples = `
Examples:
  frostbeat trace 4bf92f3577b34da6                     the whole trace, in order
  frostbeat trace 4bf92f3577b34da6 --level warn        what went wrong
  frostbeat trace 4bf92f3577b34da6 --follow            and the lines that are still to come
  frostbeat trace 4bf92f3577b34da6 --until-complete    until the last of them is there
  frostbeat trace 4bf92f3577b34da6 --pod payments --since 15m
  frostbeat trace 4bf92f3577b34da6 --grep 'timeout|refused'
  frostbeat trace 4bf92f3577b34da6 --output csv > trace.csv
  frostbeat traces --level error                       which traces there are

Under the lines stands whether all of the trace is there: complete, open (some node is not that far yet: lines may
still come), incomplete (a node that may hold lines is silent, or lines of that time are lost), or unknown (no agent
tells how far it is). With --output json it is one JSON object on standard error, docs/api.md has
its members; with raw and csv it is said there in words, unless it is complete.

Exit codes: 0 lines were shown; 1 there are none, or they cannot be read.
With --until-complete or --state: 0 complete, 3 open, 4 incomplete, 5 unknown.
`;

const tracesExamples = `
Examples:
  frostbeat traces                         the newest 20
  frostbeat traces --level error -n 200    those of the newest 200 that have an error
  frostbeat traces -o json | jq -r .traceId

Span, pods and worst level are those of a trace's first 200 lines; a + says that it has more.
`;

const nodesExamples = `
Examples:
  frostbeat nodes                  live or silent, the watermark (every line before it is stored), its lag, gaps
  frostbeat nodes -o json | jq 'select(.live | not) | .node'
  frostbeat nodes --forget n3      n3 will never come back

A node that is silent keeps traces «incomplete», since it may hold lines of them. Of one that is gone for good
nothing more will come: with --forget neither what it still held nor its gaps count any longer, and traces that they
may be of say so. It is the only write of the reading commands. A live node is not forgotten; one that comes back
tells of itself again.

Exit codes: 0 done; 1 no node tells of itself, or the one to forget is live or not known.
`;

const serveExamples = `
Examples:
  frostbeat serve                                           http://localhost:8080/ over etcd
  frostbeat serve --from file --file-path records.ndjson    over the file writer's output
  SERVE_HOST=0.0.0.0 SERVE_USERNAME=ops SERVE_PASSWORD_FILE=./password frostbeat serve

It reads and never writes. The API under it: docs/api.md.
`;

/** Adds the commands that read: trace, traces, nodes, serve. */
export function addReadingCommands({ add, load, context, finish }: ReadingCommands): void {
  const trace = add('trace', 'print every record of a trace, in order')
    .argument('<traceId>', 'the trace ID')
    .option('-f, --follow', 'go on with the lines that come, until Ctrl-C')
    .option('--until-complete', 'follow it until all nodes have stored what they had of it, then end')
    .option('--state', 'say only whether all of it is there')
    .option(
      '--since <time>',
      'only lines since: a duration back from now (15m) or a time (2026-11-24T10:00:00Z)',
    )
    .option('--until <time>', 'only lines before')
    .option('--level <level>', `only lines of at least this level: ${levels.join(', ').toLowerCase()}`)
    .option(
      '--grep <regex>',
      "only lines whose JSON matches, in RE2's syntax: it never hangs; (?i) ignores case",
    )
    .option('--pod <text>', 'only lines of pods with this in their <pod>/<container>')
    .addOption(
      new Option(
        '-o, --output <format>',
        'pretty: for people; json: a record a line, as it is stored; raw: messages and stacks alone; csv. ' +
          'Default: pretty on a terminal, else json',
      ).choices(outputs),
    )
    .addOption(fromOption())
    .addHelpText('after', traceExamples)
    .action(async (traceId: string, flags: TraceFlags, command: Command) => {
      const { options, mistakes } = await traceOptions(flags, Date.now());
      const config = validConfig(load(command, mistakes));
      const { traceCommand } = await import('./trace.ts');
      finish(await traceCommand({ ...context, ...options, traceId, config }));
    });
  addSettings(trace, sources);

  const traces = add(
    'traces',
    'list the newest traces: when, how long, how many lines and pods, the worst level',
  )
    .option('-n, --limit <n>', 'how many, 1 to 1000', '20')
    .option(
      '--level <level>',
      `only those with a line of at least this level: ${levels.join(', ').toLowerCase()}`,
    )
    .addOption(
      new Option(
        '-o, --output <format>',
        'for people (on a terminal), or one trace a line (elsewhere)',
      ).choices(['pretty', 'json']),
    )
    .addOption(fromOption())
    .addHelpText('after', tracesExamples)
    .action(async (flags: TracesFlags, command: Command) => {
      const limit = /^\d{1,4}$/.test(flags.limit) ? Number(flags.limit) : 0;
      const mistakes: string[] = [];
      if (limit < 1 || limit > 1_000) {
        mistakes.push(`--limit is "${flags.limit}": it must be a whole number from 1 to 1000`);
      }
      const level = flags.level?.toUpperCase();
      if (level !== undefined && !levels.some((one) => one === level)) {
        mistakes.push(`--level is "${flags.level}": it must be one of ${levels.join(', ').toLowerCase()}`);
      }
      const config = validConfig(load(command, mistakes));
      const { tracesCommand } = await import('./traces.ts');
      finish(await tracesCommand({ ...context, ...flags, limit, level, config }));
    });
  addSettings(traces, sources);

  const nodes = add('nodes', 'list the nodes that write here: how far each is, and what was lost on them')
    .addOption(
      new Option('--forget <node>', 'of a node that is gone for good: no trace waits for it any longer'),
    )
    .addOption(
      new Option('-o, --output <format>', 'for people (on a terminal), or one node a line').choices([
        'pretty',
        'json',
      ]),
    )
    .addOption(fromOption())
    .addHelpText('after', nodesExamples)
    .action(async (flags: NodesFlags, command: Command) => {
      const config = validConfig(load(command));
      const { nodesCommand } = await import('./nodes.ts');
      finish(await nodesCommand({ ...context, ...flags, config }));
    });
  addSettings(nodes, sources);

  const serve = add('serve', 'a web page to find and read traces, and an HTTP API')
    .addOption(fromOption())
    .addHelpText('after', serveExamples)
    .action(async (flags: { from?: Readable }, command: Command) => {
      const config = validConfig(load(command));
      const { serveCommand } = await import('./serve.ts');
      finish(await serveCommand({ ...context, ...flags, config }));
    });
  addSettings(serve, [...sources, 'SERVE_', 'HTTP_PORT', 'LOG_LEVEL']);
}

interface NodesFlags {
  readonly forget?: string;
  readonly output?: 'pretty' | 'json';
  readonly from?: Readable;
}

interface TracesFlags {
  readonly limit: string;
  readonly level?: string;
  readonly output?: 'pretty' | 'json';
  readonly from?: Readable;
}

function fromOption(): Option {
  return new Option(
    '--from <destination>',
    'where the records were written to; without it, what WRITERS names first',
  ).choices(readable);
}
