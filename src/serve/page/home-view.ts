import { relativeTime } from '../../trace/relative-time.ts';
import { type ListedTrace, recentTraces } from './api-client.ts';
import { count, el, levelClass, localTime } from './dom.ts';

const REFRESH_MS = 3_000;

/** The list of recent traces, fresh while it is open. */
export function homeView(root: HTMLElement, signal: AbortSignal): void {
  const onlyBad = el('input', { type: 'checkbox', id: 'only-bad' });
  const search = el('input', {
    type: 'search',
    placeholder: 'Filter the list',
    'aria-label': 'Filter the list',
  });
  const note = el('p', { class: 'dim', role: 'status' }, 'Loading …');
  const body = el('tbody');
  const headings = [
    ['Began', ''],
    ['Took', 'num'],
    ['Lines', 'num'],
    ['Pods', 'num'],
    ['Worst', ''],
    ['What it says', ''],
    ['All there?', ''],
    ['Trace', ''],
  ] as const;
  const table = el(
    'table',
    { class: 'recent' },
    el('caption', { class: 'hidden' }, 'Recent traces, newest first'),
    el(
      'thead',
      {},
      el('tr', {}, ...headings.map(([text, name]) => el('th', { scope: 'col', class: name }, text))),
    ),
    body,
  );
  root.replaceChildren(
    el('h2', {}, 'Recent traces'),
    el('div', { class: 'bar' }, search, el('label', { for: 'only-bad' }, onlyBad, ' only with errors')),
    el('div', { class: 'scroll' }, table),
    note,
  );
  let traces: readonly ListedTrace[] = [];
  const draw = (): void => {
    const words = search.value.trim().toLowerCase();
    const shown = traces.filter(
      (one) =>
        (!onlyBad.checked || /ERROR|FATAL/.test(one.level)) &&
        `${one.traceId} ${one.message} ${one.pods.join(' ')}`.toLowerCase().includes(words),
    );
    const focused = document.activeElement?.getAttribute('href');
    body.replaceChildren(...shown.map(row));
    if (focused !== undefined && focused !== null) {
      [...body.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
    }
    if (traces.length > 0 && shown.length === 0) note.textContent = 'No recent trace is like that.';
  };
  search.addEventListener('input', draw);
  onlyBad.addEventListener('change', draw);
  const refresh = async (): Promise<void> => {
    if (document.hidden) return;
    try {
      const found = await recentTraces(signal);
      ({ traces } = found);
      note.textContent =
        found.note ?? (traces.length === 0 ? 'There is no trace yet; this list looks again.' : '');
      draw();
    } catch (error) {
      if (!signal.aborted) note.textContent = `The list cannot be read: ${(error as Error).message}`;
    }
  };
  void refresh();
  const timer = setInterval(() => void refresh(), REFRESH_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

function row(trace: ListedTrace): HTMLTableRowElement {
  const { traceId, firstUnixNano, lastUnixNano, lines, pods, level, message, partial, linesKnown, state } =
    trace;
  const plus = partial ? '+' : '';
  return el(
    'tr',
    { class: /ERROR|FATAL/.test(level) ? 'bad' : '' },
    el('td', { class: 'began' }, localTime(firstUnixNano).slice(0, 19)),
    el('td', { class: 'num took' }, `${relativeTime(lastUnixNano, firstUnixNano).replace('+', '')}${plus}`),
    el('td', { class: 'num extra' }, `${lines.toLocaleString('en')}${linesKnown === true ? '' : plus}`),
    el('td', { class: 'num extra', title: pods.join('\n') }, `${pods.length}${plus}`),
    el('td', { class: 'worst' }, el('span', { class: levelClass(level) }, level || '–')),
    el('td', { class: 'says' }, message),
    el('td', { class: 'there' }, el('span', { class: `chip ${state ?? ''}` }, state ?? '–')),
    el(
      'td',
      { class: 'id' },
      el(
        'a',
        {
          href: `?trace=${encodeURIComponent(traceId)}`,
          'aria-label': `Trace ${traceId}, ${count(lines, 'line')}`,
        },
        traceId,
      ),
    ),
  );
}
