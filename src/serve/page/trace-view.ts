import { isWorse, levels, severity } from '../../trace/levels.ts';
import { relativeTime } from '../../trace/relative-time.ts';
import { followTrace, tracePage } from './api-client.ts';
import { detail } from './detail.ts';
import { count, el, levelClass, localTime } from './dom.ts';
import { compareLines, type Line, toLine } from './line.ts';
import { LineList } from './line-list.ts';
import { StateView } from './state-view.ts';
import { Timeline } from './timeline.ts';

/** Beyond so many lines a browser is the wrong tool; the API and `frostbeat trace` have them all. */
const MOST_LINES = 100_000;

/** What is shown of a trace; it is in the address, so that a link shows the same. */
export interface Filter {
  readonly words: string;
  readonly level: string;
}

/** One trace: what went wrong, its lines on their time, the lines themselves; live while it is open. */
export class TraceView {
  readonly #root: HTMLElement;
  readonly #traceId: string;
  readonly #signal: AbortSignal;
  readonly #lanes: string[] = [];
  readonly #ids = new Set<string>();
  readonly #timeline: Timeline;
  readonly #list: LineList;
  readonly #words: HTMLInputElement;
  readonly #level: HTMLSelectElement;
  readonly #summary = el('p', { class: 'dim' });
  readonly #state: StateView;
  readonly #cause = el('div', {});
  readonly #shown = el('span', { class: 'dim', role: 'status' });
  readonly #live = el('span', { class: 'live' }, 'loading');
  readonly #detail = el('div', { class: 'aside' });
  #lines: Line[] = [];
  #visible: Line[] = [];
  #selected: Line | undefined;
  #stopped = false;

  constructor(
    root: HTMLElement,
    options: { traceId: string; filter: Filter; onFilter: (filter: Filter) => void; signal: AbortSignal },
  ) {
    this.#root = root;
    this.#traceId = options.traceId;
    this.#signal = options.signal;
    this.#state = new StateView(options.signal);
    const hueOf = (lane: string): string =>
      String((this.#lanes.indexOf(lane.split('/')[0] ?? lane) * 67 + 210) % 360);
    this.#timeline = new Timeline({ hueOf, onPick: (line) => this.#pick(line) });
    this.#list = new LineList({ hueOf, onOpen: (line) => this.#open(line) });
    this.#words = el('input', {
      type: 'search',
      id: 'words',
      placeholder: 'Filter: words, pods, JSON',
      'aria-label': 'Filter the lines',
    });
    this.#words.value = options.filter.words;
    this.#level = el(
      'select',
      { 'aria-label': 'Least level' },
      el('option', { value: '' }, 'all levels'),
      ...levels.slice(1).map((level) => el('option', { value: level }, `${level} and worse`)),
    );
    this.#level.value = levels.some((one) => one === options.filter.level) ? options.filter.level : '';
    const changed = (): void => {
      options.onFilter({ words: this.#words.value, level: this.#level.value });
      this.#draw();
    };
    this.#words.addEventListener('input', changed);
    this.#level.addEventListener('change', changed);
    root.replaceChildren(
      el('h2', { class: 'id' }, `Trace ${options.traceId}`),
      this.#summary,
      this.#state.element,
      this.#cause,
      this.#timeline.element,
      el('div', { class: 'bar' }, this.#words, this.#level, this.#shown, this.#live),
      el('div', { class: 'split' }, this.#list.element, this.#detail),
    );
    root.addEventListener(
      'keydown',
      (event) => {
        if (event.key === 'Escape' && this.#detail.hasChildNodes()) this.#close();
      },
      { signal: options.signal },
    );
    void this.#load();
  }

  async #load(): Promise<void> {
    try {
      let cursor: string | null = null;
      let mark = '';
      do {
        const page = await tracePage(this.#traceId, cursor, this.#signal);
        if (page.state !== undefined) this.#state.show(page.state);
        this.#add(page.records.map(toLine));
        cursor = page.next;
        mark = page.mark;
      } while (cursor !== null && this.#lines.length < MOST_LINES);
      if (cursor !== null) {
        this.#stopped = true;
        this.#live.textContent = `the first ${MOST_LINES.toLocaleString('en')} lines`;
        return;
      }
      if (this.#lines.length === 0) this.#draw();
      followTrace(
        this.#traceId,
        mark,
        {
          onLines: (lines) => this.#add(lines),
          onState: (state) => this.#state.show(state),
          onLive: (live) => {
            this.#live.textContent = live ? 'live' : 'connecting';
            this.#live.classList.toggle('on', live);
          },
        },
        this.#signal,
      );
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#root.append(
        el('p', { class: 'cause', role: 'alert' }, `The trace cannot be read: ${(error as Error).message}`),
      );
      this.#live.textContent = 'failed';
    }
  }

  /** Lines that are known are left out: after a lost connection some may come again. */
  #add(lines: readonly Line[]): void {
    const fresh = lines.filter((line) => {
      const key = `${line.unixNano}/${line.id}`;
      if (this.#ids.has(key)) return false;
      this.#ids.add(key);
      return true;
    });
    if (fresh.length === 0 || this.#stopped) return;
    const last = this.#lines.at(-1);
    this.#lines.push(...fresh);
    if (fresh.some((line, n) => compareLines(n === 0 ? (last ?? line) : fresh[n - 1]!, line) > 0))
      this.#lines.sort(compareLines);
    for (const { lane } of fresh) {
      const pod = lane.split('/')[0] ?? lane;
      if (!this.#lanes.includes(pod)) this.#lanes.push(pod);
    }
    this.#draw();
  }

  #draw(): void {
    const [first, last] = [this.#lines[0], this.#lines.at(-1)];
    if (first === undefined || last === undefined) {
      this.#summary.textContent =
        'No line of this trace is stored yet; should any come, it is shown at once.';
      return;
    }
    const words = this.#words.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    const least = this.#level.value === '' ? -1 : severity(this.#level.value);
    this.#visible = this.#lines.filter(
      (line) =>
        (least < 0 || severity(line.view.level) >= least) &&
        words.every((word) => line.searched.includes(word)),
    );
    const took = relativeTime(last.unixNano, first.unixNano).replace('+', '');
    this.#summary.textContent = `${localTime(first.unixNano)} · took ${took} · ${count(this.#lines.length, 'line')} · ${count(this.#lanes.length, 'pod')}`;
    const of =
      this.#visible.length === this.#lines.length ? '' : `${this.#visible.length.toLocaleString('en')} of `;
    this.#shown.textContent = `${of}${count(this.#lines.length, 'line')}`;
    this.#showCause();
    const containers = [...new Set(this.#lines.map(({ lane }) => lane))];
    this.#timeline.show(this.#lines, containers, this.#selected);
    this.#list.show(this.#visible, first.unixNano);
  }

  /** The first of the worst lines: where there is an error, it is what everything after it follows from. */
  #showCause(): void {
    let worst: Line | undefined;
    for (const line of this.#lines) {
      if (
        severity(line.view.level) >= severity('WARN') &&
        (worst === undefined || isWorse(line.view.level, worst.view.level))
      )
        worst = line;
    }
    if (worst === undefined) {
      this.#cause.replaceChildren();
      return;
    }
    const line = worst;
    const { level, message } = line.view;
    const button = el('button', { type: 'button' }, 'Show the line');
    button.addEventListener('click', () => this.#pick(line));
    const base = this.#lines[0]?.unixNano ?? line.unixNano;
    const nth = this.#lines.filter((one) => severity(one.view.level) >= severity('ERROR')).length;
    const more = nth > 1 ? ` · the first of ${count(nth, 'error')}` : '';
    this.#cause.replaceChildren(
      el(
        'section',
        { class: `cause ${levelClass(level)}`, 'aria-label': 'What went wrong first' },
        el(
          'div',
          { class: 'bar' },
          el('span', { class: levelClass(level) }, level),
          el('strong', {}, message.split('\n', 1)[0] ?? ''),
          button,
        ),
        el('p', {}, `${line.lane} at ${relativeTime(line.unixNano, base)}${more}`),
        el(
          'dl',
          {},
          ...line.view.fields
            .slice(0, 6)
            .flatMap(([name, value]) => [
              el('dt', {}, name),
              el('dd', {}, (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200)),
            ]),
        ),
      ),
    );
  }

  /** Shows a line in the list, whatever is filtered. */
  #pick(line: Line): void {
    if (!this.#visible.includes(line)) {
      this.#words.value = '';
      this.#level.value = '';
      this.#words.dispatchEvent(new Event('input'));
    }
    this.#list.reveal(line);
  }

  #open(line: Line): void {
    this.#selected = line;
    const base = this.#lines[0]?.unixNano ?? line.unixNano;
    this.#detail.replaceChildren(detail(line, base, () => this.#close()));
    this.#timeline.show(this.#lines, [...new Set(this.#lines.map(({ lane }) => lane))], line);
  }

  #close(): void {
    this.#selected = undefined;
    this.#detail.replaceChildren();
    this.#list.element.focus();
    this.#draw();
  }
}
