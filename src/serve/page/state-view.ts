import type { LostPart, TraceState } from '../../trace/trace-state.ts';
import { type ApiNode, nodesOf } from './api-client.ts';
import { count, el } from './dom.ts';

const REFRESH_MS = 3_000;
const MOST_GAPS = 10;

const meanings = {
  complete: 'Complete',
  open: 'Open',
  incomplete: 'Incomplete',
  unknown: 'Complete? Unknown',
} as const;

/** Whether all of a trace is there, why not, what can be done, and how far each node is. */
export class StateView {
  readonly element = el('section', {
    class: 'trace-state',
    hidden: true,
    'aria-label': 'Whether it is complete',
  });
  readonly #said = el('p', { role: 'status' });
  readonly #more = el('div');
  readonly #watermark = el('summary');
  readonly #nodes = el('tbody');

  constructor(signal: AbortSignal) {
    const headings = ['Node', 'State', 'Stored up to', 'Containers', 'Agent', 'Gaps'];
    const details = el(
      'details',
      {},
      this.#watermark,
      el(
        'div',
        { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'How far each node is' },
        el(
          'table',
          {},
          el('thead', {}, el('tr', {}, ...headings.map((text) => el('th', { scope: 'col' }, text)))),
          this.#nodes,
        ),
      ),
    );
    this.element.append(this.#said, this.#more, details);
    const refresh = (): void => void this.#refresh(signal).catch(() => undefined);
    refresh();
    const timer = setInterval(() => {
      if (!document.hidden && !this.element.hidden) refresh();
    }, REFRESH_MS);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  }

  show(state: TraceState): void {
    this.element.hidden = false;
    this.element.className = `trace-state ${state.state}`;
    this.#said.replaceChildren(el('strong', {}, meanings[state.state]), ` ${state.reason}`);
    const silent = state.doubts.find(({ why }) => why === 'silent');
    this.#more.replaceChildren(
      ...state.gaps.slice(0, MOST_GAPS).map((gap) => el('p', {}, lostWords(gap))),
      ...(state.gaps.length > MOST_GAPS ? [el('p', {}, `and ${state.gaps.length - MOST_GAPS} more`)] : []),
      ...(silent === undefined
        ? []
        : [
            el(
              'p',
              {},
              `An agent that comes back on ${silent.node} reads on where it was. Is the node gone for good: `,
              el('code', {}, `frostbeat nodes --forget ${silent.node}`),
            ),
          ]),
    );
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { nodes } = await nodesOf(signal);
    const there = nodes.filter(({ report }) => report?.forgotten === undefined);
    const watermarks = there.map(({ report }) => report?.watermark ?? '');
    const least = watermarks.includes('') ? undefined : watermarks.toSorted()[0];
    const upTo =
      least === undefined
        ? 'not all say how far they are'
        : `all have stored everything up to ${clock(least)}`;
    this.#watermark.textContent = `${count(there.length, 'node')}: ${upTo}`;
    this.#watermark.parentElement!.hidden = nodes.length === 0;
    this.#nodes.replaceChildren(...nodes.map(row));
  }
}

function row({ node, live, report }: ApiNode): HTMLTableRowElement {
  const state = live ? 'live' : goneAs(report);
  const lost = report === null ? 0 : report.gaps.length + report.gapsLeftOut;
  return el(
    'tr',
    { class: state === 'silent' ? 'bad' : '' },
    el('th', { scope: 'row' }, node),
    el('td', {}, state),
    el(
      'td',
      { class: 'num' },
      report?.watermark === undefined || report.watermark === null
        ? 'not known yet'
        : clock(report.watermark),
    ),
    el('td', { class: 'num' }, report === null ? '–' : String(report.containers)),
    el('td', {}, report?.agent ?? '–'),
    el('td', { class: 'num' }, lost === 0 ? '–' : String(lost)),
  );
}

function goneAs(report: ApiNode['report']): string {
  if (report?.forgotten !== undefined) return 'forgotten';
  return report?.stopped === true ? 'stopped' : 'silent';
}

function lostWords({
  node,
  namespace,
  pod,
  container,
  file,
  from,
  to,
  start,
  end,
  reason,
}: LostPart): string {
  const bytes = to === null ? `from byte ${from} on` : `bytes ${from} to ${to}`;
  const when = start === null ? `up to ${end}` : `${start} to ${end}`;
  return `Lost on ${node}: ${namespace}/${pod}/${container}, ${file} ${bytes}, ${when}: ${reason}`;
}

/** Local time of day, and how long ago. */
function clock(time: string): string {
  const date = new Date(time);
  const ago = Math.max(0, (Date.now() - date.getTime()) / 1_000);
  const words = ago < 100 ? `${ago.toFixed(0)} s` : `${Math.round(ago / 60).toLocaleString('en')} min`;
  return `${date.toLocaleTimeString('en-GB')} (${words} ago)`;
}
