import pino from 'pino';

/** The agent's own log. Parts take a child of it that names them: `log.child({ part: 'pods' })`. */
export type Log = pino.Logger;
export type LogLevel = pino.LevelWithSilent;

export interface LogOptions {
  readonly level: LogLevel;
  /** For people instead of machines. */
  readonly pretty: boolean;
  /** Where the lines go; standard error, written at once, unless told otherwise. */
  readonly destination?: pino.DestinationStream;
}

/**
 * Makes the log: one JSON object a line with `level`, `time` (RFC 3339), `msg` and the members of the call.
 * An error belongs in the member `err`.
 */
export async function createLog({ level, pretty, destination }: LogOptions): Promise<Log> {
  // Synchronous: what is said right before an exit must not be lost, and the agent says little.
  const out = destination ?? pino.destination({ fd: 2, sync: true });
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return pino(options, pretty ? await prettyStream(out) : out);
}

async function prettyStream(destination: pino.DestinationStream): Promise<pino.DestinationStream> {
  // Loaded only for a terminal: in a pod it would cost memory for nothing.
  const { prettyFactory } = await import('pino-pretty');
  const format = prettyFactory({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', levelFirst: false });
  return { write: (line) => destination.write(format(line)) };
}
