/** What a terminal would act on, or show in another order than it is written: controls (but the tab), lines, directions. */
const acting = /[[\p{Cc}--\t]\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gv;

/**
 * Text as a terminal may be given it: what is in the logs is hostile. Controls (escape sequences begin with one),
 * separators of lines and marks of direction become `\u001b` and the like. JSON text keeps its meaning.
 */
export function inert(text: string): string {
  return text.replace(acting, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
