import pino from 'pino';
import { type LogLevel, Threshold } from './threshold.ts';

/** The agent's own log. Parts take a child of it that names them: `log.child({ part: 'pods' })`. */
export type Log = pino.Logger;

export interface LogOptions {
  readonly level: LogLevel | Threshold;
  /** For people instead of machines. */
  readonly pretty: boolean;
  /** Where the lines go; standard error, written at once, unless told otherwise. */
  readonly destination?: pino.DestinationStream;
  /** Told of each line that is written with the level warn, error or fatal: the level, and the line as JSON. */
  readonly onTrouble?: (level: string, line: string) => void;
}

/**
 * Makes the log: one JSON object a line with `level`, `time` (RFC 3339), `msg` and the members of the call.
 * An error belongs in the member `err`.
 */
export async function createLog({ level, pretty, destination, onTrouble }: LogOptions): Promise<Log> {
  const threshold = level instanceof Threshold ? level : new Threshold(level);
  // Synchronous: what is said right before an exit must not be lost, and the agent says little.
  const out = destination ?? pino.destination({ fd: 2, sync: true });
  const stream = pretty ? await prettyStream(out) : out;
  const options: pino.LoggerOptions = {
    // A child keeps the level that its parent had: the threshold, which may change, is asked for each line.
    level: 'trace',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: {
      logMethod(args, method, value) {
        if (threshold.passes(value)) method.apply(this, args);
      },
    },
  };
  return pino(options, onTrouble === undefined ? stream : watched(stream, onTrouble));
}

/** The level is the first member of a line. */
const trouble = /^\{"level":"(warn|error|fatal)"/;

function watched(
  stream: pino.DestinationStream,
  onTrouble: (level: string, line: string) => void,
): pino.DestinationStream {
  return {
    write: (line) => {
      const [, level] = trouble.exec(line) ?? [];
      if (level !== undefined) onTrouble(level, line);
      stream.write(line);
    },
  };
}

async function prettyStream(destination: pino.DestinationStream): Promise<pino.DestinationStream> {
  // Loaded only for a terminal: in a pod it would cost memory for nothing.
  const { prettyFactory } = await import('pino-pretty');
  const format = prettyFactory({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', levelFirst: false });
  return { write: (line) => destination.write(format(line)) };
}
