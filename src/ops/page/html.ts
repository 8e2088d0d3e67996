import { inert } from '../../util/inert.ts';

/** HTML that is safe to send. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A text of our own, a style or a script, that goes out as it is. */
export function trusted(text: string): Html {
  return new Html(text);
}

type Part = Html | string | number | null | undefined | false | readonly Part[];

/**
 * HTML with whatever is put in as text: markup in it is shown and does nothing, as do controls and marks of
 * direction. Only what this function made itself is taken as HTML.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, index) => text + render(parts[index - 1]) + string));
}

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  if (isList(part)) return part.map(render).join('');
  if (part === null || part === undefined || part === false) return '';
  return escape(inert(typeof part === 'number' ? String(part) : part));
}

/** `Array.isArray` does not tell a list that is read-only. */
function isList(part: Part): part is readonly Part[] {
  return Array.isArray(part);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
