import type { SearchAccess } from '../config/config.ts';
import type { Log } from '../ops/log.ts';
import type { SearchAnswer } from './search-client.ts';
import type { SearchConnection } from './search-connection.ts';
import { refusal, SearchFailure } from './search-errors.ts';
import { indexOf, indicesOf, isDataStream } from './search-index.ts';
import { indexTemplate } from './search-template.ts';

interface Setup {
  readonly access: SearchAccess;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Installs the index template, unless somebody has, and makes the index of today or the data stream. It changes
 * nothing that is there.
 *
 * @throws SearchFailure that says what cannot be made, and why.
 */
export async function makeReady(
  connection: SearchConnection,
  { access, log, now }: Setup,
  signal: AbortSignal,
): Promise<void> {
  const { index } = access;
  if (access.installTemplate) {
    const name = templateName(index);
    const path = `/_index_template/${encodeURIComponent(name)}`;
    const there = await connection.send({ method: 'HEAD', path }, signal, [403, 404]);
    if (there.status === 404) {
      const body = JSON.stringify(indexTemplate(index, access.fields));
      const answer = await connection.send({ method: 'PUT', path, body }, signal, [400, 403]);
      if (answer.status >= 400) throw cannot(connection, `install the index template ${name}`, answer);
      log.info({ template: name }, `Installed the index template ${name}.`);
    } else if (there.status === 403) {
      log.warn(
        { template: name },
        `Whether the index template ${name} is there cannot be seen: the privilege to manage index templates is missing. It is taken to be there; ${connection.product.toUpperCase()}_TEMPLATE=none says so.`,
      );
    }
  }
  await makeIndex(connection, { index, unixNano: `${now}000000` }, signal);
}

/** Makes the index of a time, or the data stream, where it is not there. */
export async function makeIndex(
  connection: SearchConnection,
  { index, unixNano }: { index: string; unixNano: string },
  signal: AbortSignal,
): Promise<void> {
  const name = indexOf(index, unixNano);
  const there = await connection.send(
    { method: 'HEAD', path: `/${encodeURIComponent(name)}` },
    signal,
    [403, 404],
  );
  // Who may only add documents cannot see or make it: the first batch tells.
  if (there.status !== 404) return;
  const path = `${isDataStream(index) ? '/_data_stream' : ''}/${encodeURIComponent(name)}`;
  const answer = await connection.send({ method: 'PUT', path }, signal, [400, 403]);
  if (answer.status === 403) return;
  // Another agent was quicker.
  if (answer.status >= 400 && !answer.body.includes('already_exists'))
    throw cannot(connection, `make ${isDataStream(index) ? 'the data stream' : 'the index'} ${name}`, answer);
}

/** Of `frostbeat-{date}`: `frostbeat`. */
function templateName(index: string): string {
  return indicesOf(index).replaceAll(/[-_.]*\*/g, '') || 'frostbeat';
}

function cannot(connection: SearchConnection, what: string, answer: SearchAnswer): SearchFailure {
  return new SearchFailure(`Cannot ${what}: ${refusal(connection.product, answer).message}`);
}
