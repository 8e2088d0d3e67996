import { humanBytes, humanCount, humanSeconds } from '../../util/human.ts';
import type { CanaryStatus, ContainerState, ContainerStatus, Status, WriterStatus } from '../status.ts';
import { type Html, html } from './html.ts';
import { nameOf, type Problem, problems, SOON_SECONDS } from './problems.ts';
import { ago, skippedOf, stateCell, tile } from './words.ts';

/** More rows than this are told, not shown: the search finds them. */
const MOST_ROWS = 300;
const MOST_TROUBLES = 15;
/** A watermark that is so close rests now on one container and now on another. */
const USUAL_LAG_SECONDS = 10;

/** The states, those that a person should see first. */
const order: readonly ContainerState[] = [
  'failing',
  'waiting',
  'behind',
  'no records',
  'draining',
  'held',
  'empty',
  'reading',
  'quiet',
];

/** Everything on one page: what is wrong and what to do, the sums, the writers, the containers, the rest. */
export function overview(status: Status, query: URLSearchParams): Html {
  const parts = {
    problems: banner(problems(status)),
    glance: tiles(status),
    writers: writers(status),
    containers: containers(status, query),
    others: notFollowed(status),
    gaps: gaps(status),
    log: troubles(status),
  };
  // Each has a place of its own, so that what appears in one moves nothing in the others.
  return html`${Object.entries(parts).map(([key, part]) => html`<section data-key="${key}">${part}</section>`)}`;
}

function banner(found: readonly Problem[]): Html {
  const grave = found.some((one) => one.grave);
  if (found.length === 0) {
    return html`<p class="banner good" role="status">
      All is well: what is written is read, and what is read is stored.
    </p>`;
  }
  const [first, ...others] = found.map(({ title }) => title);
  const more = others.length === 0 ? '' : `, and ${others.length} more to look after`;
  return html`<p class="banner ${grave ? 'bad' : 'warn'}" role="status">${first}${more}.</p>
    <ul class="problems">
      ${found.map(
        ({ grave: bad, title, detail, todo }) => html`
<li${bad ? html` class="bad"` : null} data-key="${title}"><strong>${title}</strong><p>${detail}</p><p class="todo">${todo}</p></li>`,
      )}
    </ul>`;
}

function tiles({ containers: all, totals, agent, watermark, gaps: lost }: Status): Html {
  const followed = all.filter(({ state }) => state !== 'held');
  const behind = followed.reduce((sum, { behindBytes }) => sum + behindBytes, 0);
  const oldest = Math.max(0, ...followed.map(({ behindSeconds }) => behindSeconds));
  const left = Math.min(Infinity, ...followed.map(({ deletionSeconds }) => deletionSeconds ?? Infinity));
  const lag = watermark?.lagSeconds ?? null;
  const skipped = Object.values(totals.skipped).reduce((sum, count) => sum + count, 0);
  return html`<h2>At a glance</h2>
    <dl class="tiles">
      ${tile('Containers', humanCount(followed.length), all.length > followed.length ? `+ ${all.length - followed.length} held` : '')}
      ${tile('Unread', humanBytes(behind), oldest >= 1 ? `up to ${humanSeconds(oldest)} old` : '')}
      ${tile('Time left', left === Infinity ? '—' : humanSeconds(left), left === Infinity ? 'nothing at risk' : 'until deleted')}
      ${tile('Stored up to', lag === null ? '—' : `${humanSeconds(lag)} ago`, lag !== null && lag < USUAL_LAG_SECONDS ? '' : (watermark?.restsOn ?? ''))}
      ${tile('Delivered', humanCount(totals.delivered))} ${tile('In flight', humanCount(totals.inFlight))}
      ${tile('Skipped', humanCount(skipped))} ${tile('Dead letters', humanCount(totals.deadLettered))}
      ${tile('Gaps', humanCount(lost.length))} ${tile('Memory', humanBytes(agent.residentBytes))}
    </dl>`;
}

function writers({ writers: all, watches, canaries, now }: Status): Html {
  return html`<h2>Writers and watches</h2>
    <div class="scroll">
      <table class="cards">
        <caption>
          The destinations, and the watches on the Kubernetes API
        </caption>
        <thead>
          <tr>
            <th scope="col">Writer</th>
            <th scope="col">State</th>
            <th scope="col" class="num">Batches waiting</th>
            <th scope="col" class="num">being written</th>
            <th scope="col" class="num">to try again</th>
            <th scope="col" class="num">Last write</th>
          </tr>
        </thead>
        <tbody>
          ${all.map((one) => writerRow(one, now))}${canaries.map((one) => canaryRow(one, now))}${watches.map(
            ({ namespace, open, trouble }) =>
              html` <tr data-key="watch ${namespace}">
                <th scope="row">Pod watch, ${namespace === '' ? 'all namespaces' : namespace}</th>
                <td data-label="State">
                  <span class="cell"
                    >${
                      open
                        ? html`<span class="state good">open</span>`
                        : html`<span class="state ${trouble === null ? 'warn' : 'bad'}">not open</span>`
                    }${trouble === null ? null : html`<span class="why">${trouble}</span>`}</span
                  >
                </td>
                <td class="empty" colspan="4"></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function writerRow(
  { name, failure, full, batches, writing, failed, lastWriteAt }: WriterStatus,
  now: string,
): Html {
  const [tone, word] = failure !== null ? ['bad', 'fails'] : full ? ['warn', 'full'] : ['good', 'works'];
  return html` <tr data-key="writer ${name}">
    <th scope="row">${name}</th>
    <td data-label="State">
      <span class="cell"
        ><span class="state ${tone}">${word}</span>${
          failure === null ? null : html`<span class="why">${failure}</span>`
        }</span
      >
    </td>
    <td class="num" data-label="Batches waiting">${batches}</td>
    <td class="num" data-label="being written">${writing}</td>
    <td class="num" data-label="to try again">${failed}</td>
    <td class="num" data-label="Last write">${ago(lastWriteAt, now)}</td>
  </tr>`;
}

function canaryRow(
  { destination, sent, lost, late, losing, lastAt, lastSeconds }: CanaryStatus,
  now: string,
): Html {
  const [tone, word] = losing
    ? ['bad', 'lost']
    : lastAt === null
      ? ['warn', 'awaited']
      : ['good', 'comes back'];
  const took = lastSeconds === null ? '' : `, the last in ${lastSeconds.toFixed(1)} s`;
  const after = late === 0 ? '' : ` (${humanCount(late)} came late)`;
  return html` <tr data-key="canary ${destination}">
    <th scope="row">Canary, ${destination}</th>
    <td data-label="State">
      <span class="cell"
        ><span class="state ${tone}">${word}</span
        ><span class="why">${humanCount(sent)} sent, ${humanCount(lost)} lost${after}${took}</span></span
      >
    </td>
    <td class="empty" colspan="3"></td>
    <td class="num" data-label="Last back">${ago(lastAt, now)}</td>
  </tr>`;
}

function containers({ containers: all, now }: Status, query: URLSearchParams): Html {
  const text = query.get('q') ?? '';
  const state = query.get('state') ?? '';
  const chosen = all
    .filter(
      (one) => (state === '' || one.state === state) && `${nameOf(one)} ${one.uid}`.includes(text.trim()),
    )
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (nameOf(a) < nameOf(b) ? -1 : 1));
  const shown = chosen.slice(0, MOST_ROWS);
  const counts = order.map((name) => [name, all.filter((one) => one.state === name).length] as const);
  return html`<h2>Containers</h2>
    <form role="search" method="get">
      <label
        >Find
        <input
          type="search"
          name="q"
          value="${text}"
          placeholder="namespace, pod or container"
          autocomplete="off"
          spellcheck="false"
      /></label>
      <label
        >State
        <select name="state">
          <option value="">all (${all.length})</option>
          ${counts.map(([name, count]) =>
            count === 0 && name !== state
              ? null
              : html`<option value="${name}" ${name === state ? html` selected` : null}>
                  ${name} (${count})
                </option>`,
          )}
        </select></label
      >
      <noscript><button>Show</button></noscript>
    </form>
    ${
      shown.length === 0
        ? html`<p class="dim">
            ${all.length === 0 ? 'No container is followed. «Not followed» below says why, or POD_LOG_DIR is empty.' : 'No container is like that.'}
          </p>`
        : html`<div class="scroll">
            <table class="cards">
              <caption>
                Containers that are followed, those in trouble first
              </caption>
              <thead>
                <tr>
                  <th scope="col">Container</th>
                  <th scope="col">State</th>
                  <th scope="col" class="num">Unread</th>
                  <th scope="col" class="num">Age of it</th>
                  <th scope="col" class="num">Time left</th>
                  <th scope="col" class="num">Writes</th>
                  <th scope="col" class="num">Last read</th>
                  <th scope="col" class="num">Last record</th>
                  <th scope="col" class="num">Records</th>
                  <th scope="col" class="num">Skipped</th>
                </tr>
              </thead>
              <tbody>
                ${shown.map((one) => containerRow(one, now))}
              </tbody>
            </table>
          </div>`
    }
    ${chosen.length > shown.length ? html`<p class="dim">${chosen.length - shown.length} more; find them by name.</p>` : null}`;
}

function containerRow(one: ContainerStatus, now: string): Html {
  const { namespace, pod, container, behindBytes, behindSeconds, deletionSeconds, bytesPerSecond } = one;
  const key = containerKey(one);
  const skipped = skippedOf(one);
  const soon = (deletionSeconds ?? Infinity) < SOON_SECONDS;
  return html` <tr data-key="${key}">
    <th scope="row">
      <span class="dim">${namespace}/</span><a href="?container=${encodeURIComponent(key)}">${pod}</a
      ><span class="dim">/${container}</span>
    </th>
    <td data-label="State">${stateCell(one)}</td>
    ${cell('Unread', behindBytes === 0 ? null : humanBytes(behindBytes))}
    ${cell('Age of it', behindBytes === 0 ? null : humanSeconds(behindSeconds))}
    ${cell('Time left', deletionSeconds === null ? null : humanSeconds(deletionSeconds), soon ? 'bad' : '')}
    ${cell('Writes', bytesPerSecond === null ? null : `${humanBytes(bytesPerSecond)}/s`)}
    ${cell('Last read', ago(one.lastDataAt, now))} ${cell('Last record', ago(one.lastRecordAt, now))}
    ${cell('Records', humanCount(one.records))}
    ${cell('Skipped', humanCount(skipped), skipped > one.records ? 'warn' : '')}
  </tr>`;
}

/** A figure; on a narrow page one that there is none of is left out. */
function cell(label: string, value: Html | string | null, tone = ''): Html {
  return html`<td class="num ${value === null ? 'empty' : tone}" data-label="${label}">${value ?? '—'}</td>`;
}

/** Names a container in a link: its directory under POD_LOG_DIR. */
export function containerKey({ directory }: Pick<ContainerStatus, 'directory'>): string {
  return directory.split('/').slice(-2).join('/');
}

function notFollowed({ notFollowed: all, agent }: Status): Html {
  if (all.length === 0) return html``;
  return html`<h2>Not followed</h2>
    <details data-key="not-followed">
      <summary>
        ${all.length} ${all.length === 1 ? 'directory' : 'directories'} under ${agent.podLogDir}
      </summary>
      <div class="scroll">
        <table>
          <caption>
            Directories that are not followed, and why
          </caption>
          <thead>
            <tr>
              <th scope="col">Directory</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            ${all.slice(0, MOST_ROWS).map(
              ({ directory, why }) =>
                html` <tr data-key="${directory}">
                  <th scope="row">${directory}</th>
                  <td>${why}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>`;
}

function gaps({ gaps: all, now }: Status): Html {
  if (all.length === 0) return html``;
  return html`<h2>Gaps</h2>
    <div class="scroll">
      <table class="cards">
        <caption>
          What could not be read, the latest first
        </caption>
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col">Why</th>
            <th scope="col" class="num">Bytes</th>
            <th scope="col" class="num">When</th>
          </tr>
        </thead>
        <tbody>
          ${all.map(
            ({ container, file, reason, bytes, until }) =>
              html` <tr>
                <th scope="row">${container}/${file}</th>
                <td data-label="Why">${reason}</td>
                <td class="num" data-label="Bytes">${bytes === null ? 'unknown' : humanBytes(bytes)}</td>
                <td class="num" data-label="When">${ago(until, now)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function troubles({ troubles: all, now }: Status): Html {
  return html`<h2>Last warnings and errors</h2>
    ${
      all.length === 0
        ? html`<p class="dim">None since the start.</p>`
        : html`<ol class="log scroll">
            ${all.slice(0, MOST_TROUBLES).map(
              ({ time, level, message, details }) =>
                html` <li>
                  <span class="state ${level === 'warn' ? 'warn' : 'bad'}">${level}</span> ${message}
                  <span class="what"
                    >${ago(time, now)}${Object.entries(details).map(([name, value]) => (isTold(value, message) ? null : html` · ${name}: ${short(value)}`))}</span
                  >
                </li>`,
            )}
          </ol>`
    }`;
}

/** The message says it already: an error's text, most often. */
function isTold(value: unknown, message: string): boolean {
  return typeof value === 'string' && value.length > 3 && message.includes(value.slice(0, 40));
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
