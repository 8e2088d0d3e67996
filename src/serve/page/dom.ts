type Child = Node | string;

/** Makes an element. Texts become text, never markup: what is in the logs is hostile. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | boolean>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A class for a level: only for those that are told apart, whatever a record says. */
export function levelClass(level: string): string {
  return /^(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)$/.test(level) ? `level ${level.toLowerCase()}` : 'level';
}

/** «1 line», «1,234 lines». */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

/** Local time, to the millisecond; the digits where no date can say it. */
export function localTime(unixNano: string): string {
  const date = new Date(Number(unixNano.padStart(7, '0').slice(0, -6)));
  if (Number.isNaN(date.getTime())) return unixNano;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
