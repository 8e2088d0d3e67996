import { createHash } from 'node:crypto';
import { humanSeconds } from '../../util/human.ts';
import { type Answer, html as htmlAnswer } from '../routes.ts';
import type { Status } from '../status.ts';
import { containerPage } from './container-page.ts';
import { type Html, html, trusted } from './html.ts';
import { overview } from './overview.ts';
import { problems } from './problems.ts';
import { script } from './script.ts';
import { style } from './style.ts';

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but what this page brings along may run, load or be sent: what is in the logs is hostile. */
const policy = [
  "default-src 'none'",
  `style-src ${hash(style)}`,
  `script-src ${hash(script)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The page for people: what is wrong and what to do, then how it stands with everything.
 *
 * @param query `container` shows one by its directory under POD_LOG_DIR; `q` and `state` choose among all.
 */
export function statusPage(status: Status, query: URLSearchParams): Answer {
  const container = query.get('container');
  const body = container === null ? overview(status, query) : containerPage(status, container);
  return htmlAnswer(document(status, body).text, {
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
  });
}

function document(status: Status, body: Html): Html {
  const { agent, now } = status;
  const found = problems(status);
  const grave = found.filter((one) => one.grave).length;
  const mark = grave > 0 ? '✖ ' : found.length > 0 ? '▲ ' : '';
  const up = (Date.parse(now) - Date.parse(agent.startedAt)) / 1000;
  const name = agent.node === '' ? 'this node' : agent.node;
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <meta name="color-scheme" content="light dark" />
      <title>${mark}Frostbeat on ${name}</title>
      <link rel="icon" href="data:," />
      <noscript><meta http-equiv="refresh" content="5" /></noscript>
      ${trusted(`<style>${style}</style>`)}
      <a class="skip" href="#live">To the content</a>
      <header>
        <h1>Frostbeat <span class="dim">on</span> ${name}</h1>
        <div class="right">
          <a href="metrics">Metrics</a> <a href="status.json">JSON</a>
          <button id="pause" type="button" aria-pressed="false" hidden>Pause updates</button>
        </div>
      </header>
      <main>
        <p id="silent" class="banner bad" role="alert" hidden>
          The agent has not answered since <time></time>: what is below is older. Is its pod restarting?
        </p>
        <div id="live">
          ${body}
          <footer>
            Frostbeat ${agent.version}, up ${humanSeconds(up)}. Times are UTC; it is
            <time>${clock(now)}</time>. <a href="readyz">/readyz</a> <a href="healthz">/healthz</a>
          </footer>
        </div>
      </main>
      ${trusted(`<script>${script}</script>`)}
    </html> `;
}

function clock(time: string): string {
  return time.slice(11, 19);
}
