import { homeView } from './home-view.ts';
import { TraceView } from './trace-view.ts';

const main = document.querySelector('main')!;
const form = document.querySelector('form')!;
const input = form.querySelector('input')!;
let shown = new AbortController();

/** Shows what the address says. */
function show(): void {
  shown.abort();
  shown = new AbortController();
  const query = new URLSearchParams(location.search);
  const traceId = query.get('trace') ?? '';
  input.value = traceId;
  document.title = traceId === '' ? 'Traces · Frostbeat' : `${traceId} · Frostbeat`;
  if (traceId === '') {
    homeView(main, shown.signal);
    return;
  }
  const view = {
    traceId,
    filter: { words: query.get('q') ?? '', level: query.get('level') ?? '' },
    onFilter: ({ words, level }: { words: string; level: string }) => {
      const next = new URLSearchParams({ trace: traceId });
      if (words !== '') next.set('q', words);
      if (level !== '') next.set('level', level);
      history.replaceState(null, '', `?${next}`);
    },
    signal: shown.signal,
  };
  void new TraceView(main, view);
}

function go(address: string): void {
  history.pushState(null, '', address);
  show();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const traceId = input.value.trim();
  go(traceId === '' ? '.' : `?trace=${encodeURIComponent(traceId)}`);
});
document.addEventListener('click', (event) => {
  const link = (event.target as Element).closest('a');
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (link === null || !plain || link.origin !== location.origin || link.hash !== '') return;
  event.preventDefault();
  go(link.href);
});
window.addEventListener('popstate', show);
show();
