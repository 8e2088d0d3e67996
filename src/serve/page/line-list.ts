import { relativeTime } from '../../trace/relative-time.ts';
import { el, levelClass } from './dom.ts';
import { laneName } from './lane-name.ts';
import type { Line } from './line.ts';

/** What style.ts gives a row, in pixels. */
const ROW = 26;
const BEYOND = 8;
/** Browsers do not draw higher elements; further lines are reached by the filter. */
const MOST_HEIGHT = 15_000_000;

/**
 * A list of any length, of which only the rows that can be seen are in the page. It is one stop for the keyboard:
 * the arrow keys, Home, End and Page keys move within it, Enter opens a line.
 */
export class LineList {
  readonly element: HTMLElement;
  readonly #inner = el('div', { class: 'inner' });
  readonly #onOpen: (line: Line) => void;
  readonly #hueOf: (lane: string) => string;
  #lines: readonly Line[] = [];
  #base = '0';
  #active = -1;
  #drawing = 0;

  constructor(options: { onOpen: (line: Line) => void; hueOf: (lane: string) => string }) {
    this.#onOpen = options.onOpen;
    this.#hueOf = options.hueOf;
    this.element = el(
      'div',
      { class: 'lines', role: 'listbox', tabindex: '0', 'aria-label': 'Lines of the trace' },
      this.#inner,
    );
    this.element.addEventListener('scroll', () => this.#later());
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.#inner.addEventListener('click', (event) => {
      const row = (event.target as Element).closest<HTMLElement>('[data-index]');
      if (row !== null) this.activate(Number(row.dataset['index']), { open: true });
    });
    new ResizeObserver(() => this.#later()).observe(this.element);
  }

  /** @param base the time that the others are told from. */
  show(lines: readonly Line[], base: string): void {
    const active = this.#lines[this.#active];
    this.#lines = lines;
    this.#base = base;
    this.#active = active === undefined ? -1 : lines.indexOf(active);
    this.#inner.style.height = `${Math.min(MOST_HEIGHT, lines.length * ROW)}px`;
    this.#later();
  }

  activate(index: number, { open = false } = {}): void {
    if (this.#lines.length === 0) return;
    this.#active = Math.max(0, Math.min(this.#lines.length - 1, index));
    const top = this.#active * ROW;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) this.element.scrollTop = top + ROW - clientHeight;
    this.#draw();
    const line = this.#lines[this.#active];
    if (open && line !== undefined) this.#onOpen(line);
  }

  /** Shows a line, in the middle where it was out of sight. */
  reveal(line: Line): void {
    const index = this.#lines.indexOf(line);
    if (index < 0) return;
    this.element.scrollTop = index * ROW - this.element.clientHeight / 2;
    this.activate(index, { open: true });
  }

  #key(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 1);
    const to = {
      ArrowDown: this.#active + 1,
      ArrowUp: this.#active - 1,
      PageDown: this.#active + page,
      PageUp: this.#active - page,
      Home: 0,
      End: this.#lines.length - 1,
      Enter: this.#active,
      ' ': this.#active,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.activate(to, { open: event.key === 'Enter' || event.key === ' ' });
  }

  #later(): void {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const last = Math.min(this.#lines.length, Math.ceil((scrollTop + clientHeight) / ROW) + BEYOND);
    const rows = this.#lines.slice(first, last).map((line, n) => this.#row(line, first + n));
    this.#inner.replaceChildren(...rows);
    const active = this.#active >= first && this.#active < last ? `line-${this.#active}` : '';
    this.element.setAttribute('aria-activedescendant', active);
  }

  #row(line: Line, index: number): HTMLElement {
    const { level, message, stack } = line.view;
    const before = this.#lines[index - 1]?.unixNano ?? line.unixNano;
    const gapMs = Number(BigInt(line.unixNano) - BigInt(before)) / 1e6;
    const gap = el('span', { class: gapMs >= 100 ? 'gap long' : 'gap', 'aria-hidden': 'true' });
    gap.style.width = `${Math.min(40, Math.max(0, gapMs <= 0 ? 0 : 8 * Math.log10(1 + gapMs)))}px`;
    const row = el(
      'div',
      {
        class: `row ${levelClass(level)}`,
        role: 'option',
        id: `line-${index}`,
        'data-index': String(index),
        'aria-selected': String(index === this.#active),
        'aria-setsize': String(this.#lines.length),
        'aria-posinset': String(index + 1),
      },
      el('span', { class: 'time' }, relativeTime(line.unixNano, this.#base)),
      el('span', { class: 'gaps' }, gap),
      el('span', { class: levelClass(level) }, level || '–'),
      laneName(line.lane, this.#hueOf(line.lane)),
      el('span', { class: 'message' }, (message || line.json).slice(0, 500), stack === '' ? '' : ' ⏎'),
      el('span', { class: 'fields' }, line.fields),
    );
    row.style.top = `${index * ROW}px`;
    return row;
  }
}
