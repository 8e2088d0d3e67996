import { Command, CommanderError, Option } from 'commander';
import { loadConfig, type LoadedConfig, validConfig } from '../config/load-config.ts';
import { ConfigError } from '../util/config-error.ts';
import { didYouMean } from '../util/did-you-mean.ts';
import type { Context } from './context.ts';
import { type DemoFlags, demoOptions } from './demo-flags.ts';
import { addSettings, checkFlags, settingsOf } from './flags.ts';
import { configurationMistakes, explainError } from './mistakes.ts';
import { addReadingCommands } from './reading-commands.ts';
import { version } from './version.ts';

const examples = `
Examples:
  frostbeat demo                                     see it work, with nothing else installed
  frostbeat agent --node-name "$NODE_NAME"           collect this node's logs into etcd
  POD_SOURCE=directory POD_LOG_DIR=./pods WRITERS=file STATE_DIR=./state frostbeat agent
                                                     without Kubernetes and etcd
  frostbeat traces                                   the newest traces
  frostbeat trace 4bf92f3577b34da6                   every line of one trace, in order
  frostbeat trace 4bf92f3577b34da6 --follow          and those that are still to come
  frostbeat nodes                                    how far each node is
  frostbeat replay dead-letters-000001.ndjson        send again what a writer refused for good
  frostbeat explain checkout-7d9f8b6c5-x2x4z         why its lines are seen, or not
  frostbeat doctor                                   check what usually goes wrong on a node
  frostbeat config                                   check the settings, print what is in force

Every setting is an environment variable and a flag of the same name (BATCH_SIZE, --batch-size);
the flag wins. Durations are Go's: 300ms, 5s, 1h30m. «frostbeat agent --help» lists them all.

Exit codes:
  0  done, or stopped as asked
  1  failed
  2  the command line or the configuration is wrong; every mistake is listed
`;

/** Runs the command that the arguments name, and says with which code the process is to exit. Never throws. */
export async function runCommandLine(args: readonly string[], context: Context): Promise<number> {
  const result = { code: 0 };
  const parts = { context, mistakes: [] as string[], finish: (code: number) => void (result.code = code) };
  const program = buildProgram(parts);
  try {
    const [name = '', ...rest] = args;
    const command = program.commands.find((candidate) => candidate.name() === name);
    if (command === undefined) {
      refuseUnknown(args, program, context);
      await program.parseAsync(args, { from: 'user' });
    } else {
      const checked = checkFlags(command, rest);
      parts.mistakes.push(...checked.mistakes);
      await program.parseAsync([name, ...checked.args], { from: 'user' });
    }
    return result.code;
  } catch (error) {
    // Commander has said what is wrong by then; help and version «fail» with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const wrong = error instanceof ConfigError;
    context.stderr.write(
      wrong ? configurationMistakes(error.mistakes) : `frostbeat: ${explainError(error)}\n`,
    );
    return wrong ? 2 : 1;
  }
}

interface Parts {
  readonly context: Context;
  /** What is wrong with the flags, known before the settings are looked at. */
  readonly mistakes: readonly string[];
  readonly finish: (code: number) => void;
}

function buildProgram({ context, mistakes, finish }: Parts): Command {
  const { env, cwd, stdout, stderr } = context;
  const load = (
    command: Command,
    checks: { node: boolean; stateDir: boolean },
    more: readonly string[] = [],
  ): LoadedConfig => {
    const loaded = loadConfig({ env, flags: settingsOf(command), cwd, checks });
    const all = [...mistakes, ...excess(command), ...more, ...loaded.mistakes];
    return { ...loaded, mistakes: all, config: all.length === 0 ? loaded.config : undefined };
  };

  const program = new Command('frostbeat')
    .description(
      'Collects every log line of a trace from Kubernetes nodes, and gives the trace back in order.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this, or the help of a command')
    .addHelpText('after', examples)
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      outputError: (text, write) => write(`frostbeat: ${text.replace(/^error: /, '')}`),
    })
    .exitOverride()
    .allowExcessArguments();

  const add = (name: string, description: string): Command =>
    program.command(name).description(description).allowExcessArguments();

  const agent = add('agent', "collect this node's logs; the process of the DaemonSet").action(
    async (_options: unknown, command: Command) => {
      const config = validConfig(load(command, { node: true, stateDir: true }));
      const { agentCommand } = await import('./agent.ts');
      finish(await agentCommand(config, context));
    },
  );
  addSettings(agent);

  addReadingCommands({
    add,
    load: (command, more) => load(command, { node: false, stateDir: false }, more),
    context,
    finish,
  });

  const replay = add('replay', 'send dead letters again; the files are only read')
    .argument('<file...>', 'files of STATE_DIR/dead-letters')
    .addHelpText(
      'after',
      '\nEach record goes to the writer that refused it; with --writers, to all that it names.\nFailures are tried again until all is sent, or you interrupt it. Exit code 0: every record is stored.\n',
    )
    .action(async (files: string[], _options: unknown, command: Command) => {
      const loaded = load(command, { node: false, stateDir: false });
      const toAll = loaded.inForce.some(
        ({ variable, source }) => variable === 'WRITERS' && source === 'flag',
      );
      const { replayCommand } = await import('./replay.ts');
      finish(await replayCommand({ ...context, files, toAll, config: validConfig(loaded) }));
    });
  addSettings(replay, ['WRITERS', 'BATCH_', 'MAX_IN_FLIGHT', 'ETCD_', 'TTL', 'FILE_', 'STATE_DIR']);

  const explain = add('explain', "why a pod's lines are seen, or not; to be asked on its node")
    .argument('<pod>', 'its name, namespace/name, uid, or a part of its name')
    .addOption(outputOption(['text', 'json'], 'for people or for programs').default('text'))
    .addHelpText(
      'after',
      '\nAsks the agent that runs on this node (HTTP_PORT), else the log directories, the saved offsets and the API.\nIn its pod: kubectl exec <agent pod> -- /nodejs/bin/node /app/dist/main.js explain <pod>\nExit code 1: no such pod is known here.\n',
    )
    .action(async (pod: string, { output }: { output: 'text' | 'json' }, command: Command) => {
      const settled = validConfig(load(command, { node: false, stateDir: false }));
      const { explainCommand } = await import('./explain.ts');
      finish(await explainCommand({ ...context, pod, output, config: settled }));
    });
  addSettings(explain, ['NAMESPACE', 'SELECTOR', 'NODE_NAME', 'POD_', 'STATE_DIR', 'HTTP_PORT']);

  const doctor = add('doctor', 'check what usually goes wrong on a node, and say what to do')
    .addOption(outputOption(['text', 'json'], 'for people or for programs').default('text'))
    .addHelpText(
      'after',
      '\nIt writes a probe into STATE_DIR, and with the writers elasticsearch and opensearch what the\nagent makes at its start: the index template, and today’s index. Exit code 1: something must be mended.\n',
    )
    .action(async ({ output }: { output: 'text' | 'json' }, command: Command) => {
      const settled = validConfig(load(command, { node: true, stateDir: false }));
      const { doctorCommand } = await import('./doctor.ts');
      finish(await doctorCommand({ ...context, output, config: settled }));
    });
  addSettings(doctor);

  const config = add('config', 'check the settings and print what is in force, and where it comes from')
    .addOption(outputOption(['text', 'json'], 'for people or for programs').default('text'))
    .action(async (options: { output: 'text' | 'json' }, command: Command) => {
      const { configCommand } = await import('./config.ts');
      finish(configCommand(load(command, { node: true, stateDir: false }), options.output, context));
    });
  addSettings(config);

  add('demo', 'see it at work on a simulated node, with nothing else installed')
    .option('--once', 'end when one trace is shown and every record verified; exit code 1 where any differs')
    .option('--for <duration>', 'the same, after so much traffic')
    .option('--seed <n>', 'tell the same stories again')
    .action(async (flags: DemoFlags, command: Command) => {
      const options = demoOptions(flags, [...mistakes, ...excess(command)]);
      const { demoCommand } = await import('./demo.ts');
      finish(await demoCommand(options, context));
    });

  return program;
}

function outputOption(formats: readonly string[], meaning: string): Option {
  return new Option('-o, --output <format>', meaning).choices(formats);
}

/** Words that the command has no use for. */
function excess(command: Command): string[] {
  if (command.registeredArguments.some(({ variadic }) => variadic)) return [];
  return command.args
    .slice(command.registeredArguments.length)
    .map((word) => `«${word}» is one word too many for «frostbeat ${command.name()}»`);
}

/** Commander takes the help, the version and nothing at all; the rest is told here. */
function refuseUnknown(args: readonly string[], program: Command, { stderr }: Context): void {
  const [first = ''] = args;
  if (['', 'help', '-h', '--help', '-V', '--version'].includes(first)) return;
  const names = program.commands.map((command) => command.name());
  const guess = didYouMean(first, names);
  const hint = first.startsWith('-')
    ? 'the command comes first, for example «frostbeat agent --batch-size 128»'
    : `it must be one of ${names.join(', ')}${guess === undefined ? '' : `; did you mean ${guess}?`}`;
  stderr.write(`frostbeat: «${first}» is no command: ${hint}\n`);
  throw new CommanderError(2, 'frostbeat.unknownCommand', first);
}
