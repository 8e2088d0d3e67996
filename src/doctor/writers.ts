import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { createLog } from '../ops/log.ts';
import { ConfigError } from '../util/config-error.ts';
import { FileNames } from '../writers/file-names.ts';
import type { LogWriter } from '../writers/log-writer.ts';
import { builtInNames, selectWriters } from '../writers/select-writer.ts';
import { type Check, fail, type Finding, messageOf, ok, skip, warn } from './finding.ts';

/**
 * Whether each writer of WRITERS can be loaded and reached, with the rights it needs. No record is written; a search
 * writer makes what it makes for the agent too: its index template, and today's index.
 */
export const checkWriters: Check = async ({ config, signal }) => {
  const heard: string[] = [];
  const write = (line: string) => void heard.push((JSON.parse(line) as { msg: string }).msg);
  const log = await createLog({ level: 'warn', pretty: false, destination: { write } });
  let writers: readonly LogWriter[];
  try {
    writers = await selectWriters({ config, log });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map((mistake) => fail('WRITERS', mistake, 'Mend the setting, or the module.'));
  }
  const findings = await Promise.all(
    writers.map(async (writer) => await checkWriter(writer, config, signal)),
  );
  const warnings = heard.map((text) => warn('writers', text, 'It is no hindrance now, and may become one.'));
  return [...findings, ...warnings];
};

async function checkWriter(
  writer: LogWriter,
  { file, nodeName }: Config,
  signal: AbortSignal,
): Promise<Finding> {
  const what = `writer ${writer.name}`;
  if (writer.name === 'stdout') return ok(what, 'needs nothing');
  // Not opened: it would mend what it takes for the torn end of a crash, while an agent writes that very line.
  if (writer.name === 'file') return await checkFile(what, new FileNames(file.path), nodeName);
  // What a module of somebody's own does when it is opened beside the agent's is not known.
  if (!builtInNames.includes(writer.name))
    return skip(what, 'can be loaded; whether it works only the agent tells');
  try {
    await writer.open?.(signal);
    await writer.check?.(signal);
    return ok(what, 'can be reached, and may write');
  } catch (error) {
    const reason = error instanceof ConfigError ? error.mistakes.join('; ') : messageOf(error);
    return fail(what, reason, 'Nothing is lost meanwhile: reading waits until it works.');
  } finally {
    await writer.close?.();
  }
}

async function checkFile(what: string, names: FileNames, node: string): Promise<Finding> {
  const path = names.current(node, new Date());
  let trouble = await names.checkDirectories(path).then(() => mayWrite(path), messageOf);
  // The file is made, and so are the directories of the node and the day.
  for (let at = path; trouble === 'ENOENT' && at !== names.base;) {
    at = dirname(at);
    trouble = await mayWrite(at);
  }
  if (trouble === undefined) return ok(what, `${path} can be written`);
  return fail(
    what,
    `${path} cannot be written: ${trouble}`,
    'FILE_PATH must be a file in a directory that is there and may be written.',
  );
}

/** The error's code; undefined where there is none. */
async function mayWrite(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.W_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}
