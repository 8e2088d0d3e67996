import { relativeTime } from '../../trace/relative-time.ts';
import { el, levelClass, localTime } from './dom.ts';
import type { Line } from './line.ts';

/** A line, whole: its message, its stack, its JSON. */
export function detail(line: Line, base: string, onClose: () => void): HTMLElement {
  const { level, message, stack } = line.view;
  const close = el('button', { type: 'button', class: 'close' }, 'Close');
  close.addEventListener('click', onClose);
  return el(
    'section',
    { class: 'detail', 'aria-label': 'The line' },
    el(
      'div',
      { class: 'bar' },
      el('span', { class: levelClass(level) }, level || '–'),
      el('strong', {}, line.lane),
      el('span', { class: 'dim' }, `${localTime(line.unixNano)} · ${relativeTime(line.unixNano, base)}`),
      close,
    ),
    el('p', { class: 'text' }, message),
    ...(stack === '' ? [] : [el('h3', {}, 'Stack'), el('pre', { tabindex: '0' }, stack)]),
    el('h3', {}, 'JSON'),
    el('pre', { tabindex: '0' }, indented(line.json)),
  );
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
