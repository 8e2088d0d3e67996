import { createLog } from '../ops/log.ts';
import { ConfigError } from '../util/config-error.ts';
import { selectWriters } from '../writers/select-writer.ts';
import { type Check, fail, type Finding, messageOf, ok, skip, warn } from './finding.ts';

/** Whether each writer of WRITERS can be loaded, opened and reached, with the rights it needs. */
export const checkWriters: Check = async ({ config, signal }) => {
  const heard: string[] = [];
  const write = (line: string) => void heard.push((JSON.parse(line) as { msg: string }).msg);
  const log = await createLog({ level: 'warn', pretty: false, destination: { write } });
  let writers: Awaited<ReturnType<typeof selectWriters>>;
  try {
    writers = await selectWriters({ config, log });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map((mistake) => fail('WRITERS', mistake, 'Mend the setting, or the module.'));
  }
  const findings = await Promise.all(
    writers.map(async (writer): Promise<Finding> => {
      const what = `writer ${writer.name}`;
      try {
        await writer.open?.(signal);
        if (writer.check === undefined) return skip(what, 'opens; whether it can write only a write tells');
        await writer.check(signal);
        return ok(what, 'can be reached, and may write');
      } catch (error) {
        const reason = error instanceof ConfigError ? error.mistakes.join('; ') : messageOf(error);
        return fail(what, reason, 'Nothing is lost meanwhile: reading waits until it works.');
      } finally {
        await writer.close?.();
      }
    }),
  );
  return [
    ...findings,
    ...heard.map((message) => warn('writers', message, 'It is no hindrance now, and may become one.')),
  ];
};
