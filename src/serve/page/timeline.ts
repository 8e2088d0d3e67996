import { relativeTime } from '../../trace/relative-time.ts';
import { el, levelClass } from './dom.ts';
import { laneName } from './lane-name.ts';
import type { Line } from './line.ts';

const LANE = 22;
const MOST_LANES = 40;
const AXIS = 18;
const STEPS = [1, 2, 5];

/** The lines on their time, to scale, a lane for each container. For the eye: the list says the same to all. */
export class Timeline {
  readonly element: HTMLElement;
  readonly #names = el('div', { class: 'names' });
  readonly #canvas = el('canvas', { 'aria-hidden': 'true' });
  readonly #hueOf: (lane: string) => string;
  #lines: readonly Line[] = [];
  #lanes: string[] = [];
  #selected: Line | undefined;
  #drawing = 0;

  constructor(options: { onPick: (line: Line) => void; hueOf: (lane: string) => string }) {
    this.#hueOf = options.hueOf;
    this.element = el(
      'div',
      { class: 'timeline', tabindex: '0', role: 'group', 'aria-label': 'Timeline' },
      this.#names,
      el('div', { class: 'track' }, this.#canvas),
    );
    this.#canvas.addEventListener('click', (event) => {
      const line = this.#at(event.offsetX, event.offsetY);
      if (line !== undefined) options.onPick(line);
    });
    this.#canvas.addEventListener('mousemove', (event) => {
      const line = this.#at(event.offsetX, event.offsetY);
      this.#canvas.title = line === undefined ? '' : `${line.view.level} ${line.view.message}`.slice(0, 200);
    });
    new ResizeObserver(() => this.#later()).observe(this.element);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#later());
  }

  /** @param lines in order; @param lanes all lanes, in the order of their first lines. */
  show(lines: readonly Line[], lanes: readonly string[], selected: Line | undefined): void {
    this.#lines = lines;
    this.#lanes = lanes.slice(0, MOST_LANES);
    this.#selected = selected;
    this.#later();
  }

  #later(): void {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#names.replaceChildren(...this.#lanes.map((lane) => laneName(lane, this.#hueOf(lane))));
    const width = this.#canvas.parentElement?.clientWidth ?? 0;
    const height = this.#lanes.length * LANE + AXIS;
    const context = this.#canvas.getContext('2d');
    if (context === null || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = width * ratio;
    this.#canvas.height = height * ratio;
    this.#canvas.style.height = `${height}px`;
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.element);
    const color = (name: string): string => style.getPropertyValue(name);
    this.#axis(context, { width, height, line: color('--line'), text: color('--dim') });
    // The worst on top of the others.
    const byLevel = ['', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'];
    const place = new Map(this.#lanes.map((lane, index) => [lane, index]));
    for (const name of byLevel) {
      context.fillStyle = color(name === '' ? '--dim' : `--${name}`);
      const size = name === 'error' || name === 'fatal' ? 7 : 4;
      for (const line of this.#lines) {
        const [, level = ''] = levelClass(line.view.level).split(' ');
        const lane = place.get(line.lane);
        if (level !== name || lane === undefined) continue;
        const inset = size === 7 ? 2 : 4;
        context.fillRect(this.#x(line, width) - size / 2, lane * LANE + inset, size, LANE - 2 * inset);
      }
    }
    if (this.#selected !== undefined) {
      context.fillStyle = color('--link');
      context.fillRect(this.#x(this.#selected, width) - 0.5, 0, 1.5, height - AXIS);
    }
  }

  #axis(
    context: CanvasRenderingContext2D,
    { width, height, line, text }: { width: number; height: number; line: string; text: string },
  ): void {
    context.strokeStyle = line;
    context.fillStyle = text;
    context.font = '11px system-ui, sans-serif';
    for (let lane = 0; lane <= this.#lanes.length; lane++) {
      context.beginPath();
      context.moveTo(0, lane * LANE + 0.5);
      context.lineTo(width, lane * LANE + 0.5);
      context.stroke();
    }
    const span = this.#spanNs();
    const wanted = span / Math.max(2, Math.floor(width / 90));
    const power = 10 ** Math.floor(Math.log10(Math.max(1, wanted)));
    const step = (STEPS.find((one) => one * power >= wanted) ?? 10) * power;
    const marks = span === 0 ? 0 : Math.floor(span / step) + 1;
    for (let mark = 0; mark < marks; mark++) {
      const at = mark * step;
      const x = 6 + (at / span) * (width - 12);
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, height - AXIS + 4);
      context.stroke();
      const label = relativeTime(String(Math.round(at)), '0');
      const wide = context.measureText(label).width;
      context.fillText(label, Math.min(width - wide - 2, Math.max(2, x - wide / 2)), height - 3);
    }
  }

  #spanNs(): number {
    const [first, last] = [this.#lines[0], this.#lines.at(-1)];
    if (first === undefined || last === undefined) return 0;
    return Number(BigInt(last.unixNano) - BigInt(first.unixNano));
  }

  #x(line: Line, width: number): number {
    const first = this.#lines[0];
    const span = this.#spanNs();
    if (first === undefined || span === 0) return 6;
    return 6 + (Number(BigInt(line.unixNano) - BigInt(first.unixNano)) / span) * (width - 12);
  }

  /** The line that is nearest to a place, of that lane. */
  #at(x: number, y: number): Line | undefined {
    const lane = this.#lanes[Math.floor(y / LANE)];
    const width = this.#canvas.clientWidth;
    let nearest: Line | undefined;
    let distance = 12;
    for (const line of this.#lines) {
      const away = line.lane === lane ? Math.abs(this.#x(line, width) - x) : Number.POSITIVE_INFINITY;
      if (away < distance) [nearest, distance] = [line, away];
    }
    return nearest;
  }
}
