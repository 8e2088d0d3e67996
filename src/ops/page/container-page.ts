import { humanBytes, humanCount, humanSeconds } from '../../util/human.ts';
import type { ContainerStatus, Status } from '../status.ts';
import { type Html, html } from './html.ts';
import { containerKey } from './overview.ts';
import { ago, skippedOf, stateCell, tile } from './words.ts';

/** What a reason for skipping means, and what would help. */
const meanings: Readonly<Record<string, string>> = {
  not_json: 'The line is no JSON.',
  not_object: 'The line is JSON, but no object.',
  no_trace_id: 'The object has no member traceId that is a text and not empty.',
  no_time: 'The object has no member time.',
  bad_time: 'The member time is no RFC 3339 time with a zone, such as 2026-11-24T10:00:00.5Z.',
  too_long: 'The line is longer than MAX_RECORD_BYTES.',
};

/** One container in full. @param key as `containerKey` gives it. */
export function containerPage(status: Status, key: string): Html {
  const one = status.containers.find((candidate) => containerKey(candidate) === key);
  const back = html`<p><a href="./">← All containers</a></p>`;
  if (one === undefined) {
    const why = status.notFollowed.find(
      ({ directory }) => directory === key || key.startsWith(`${directory}/`),
    )?.why;
    return html`${back}
      <p class="banner warn" role="status">
        ${key} is not followed. ${why ?? 'There is no such directory.'}
      </p>`;
  }
  return html`${back}
    <h2>${one.namespace}/${one.pod}/${one.container}</h2>
    <p>${stateCell(one)}</p>
    ${figures(one, status.now)} ${files(one)} ${skips(one, status.now)}
    <p class="dim">${one.directory}</p>`;
}

function figures(one: ContainerStatus, now: string): Html {
  return html`<dl class="tiles">
    ${tile('Unread', humanBytes(one.behindBytes))}
    ${tile('Age of the oldest', one.behindBytes === 0 ? '—' : humanSeconds(one.behindSeconds))}
    ${tile('Time left', one.deletionSeconds === null ? '—' : humanSeconds(one.deletionSeconds))}
    ${tile('Writes', one.bytesPerSecond === null ? '—' : `${humanBytes(one.bytesPerSecond)}/s`)}
    ${tile('Last read', ago(one.lastDataAt, now))} ${tile('Last record', ago(one.lastRecordAt, now))}
    ${tile('Lines', humanCount(one.lines))} ${tile('Delivered', humanCount(one.delivered))}
    ${tile('In flight', humanCount(one.inFlight))} ${tile('Skipped', humanCount(skippedOf(one)))}
    ${tile('Dead letters', humanCount(one.deadLettered))}
  </dl>`;
}

function files({ files: all }: ContainerStatus): Html {
  if (all.length === 0) return html``;
  return html`<h2>Files, the oldest first</h2>
    <div class="scroll">
      <table class="cards">
        <caption>
          The log files of the container
        </caption>
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col">State</th>
            <th scope="col" class="num">Settled up to</th>
            <th scope="col" class="num">Read up to</th>
            <th scope="col" class="num">Size</th>
          </tr>
        </thead>
        <tbody>
          ${all.map(
            ({ name, state, offset, read, size }) =>
              html` <tr>
                <th scope="row">${name}</th>
                <td data-label="State">${state}</td>
                <td class="num" data-label="Settled up to">${humanCount(offset)}</td>
                <td class="num" data-label="Read up to">${humanCount(read)}</td>
                <td class="num" data-label="Size">${humanCount(size)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function skips({ skipped, samples }: ContainerStatus, now: string): Html {
  const reasons = Object.entries(skipped);
  if (reasons.length === 0)
    return html`<h2>Skipped lines</h2>
      <p class="dim">None: every line is part of a record.</p>`;
  return html`<h2>Skipped lines</h2>
    ${reasons.map(([reason, count]) => {
      const sample = samples.find((one) => one.reason === reason);
      return html`<section data-key="${reason}">
        <p><strong>${reason}</strong>: ${humanCount(count)} lines. ${meanings[reason]}</p>
        ${
          sample === undefined
            ? null
            : html`<p class="dim">One of them, ${ago(sample.at, now)}:</p>
                <pre>${sample.text}</pre>`
        }
      </section>`;
    })}`;
}
