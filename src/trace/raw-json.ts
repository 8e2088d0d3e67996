/**
 * Places in JSON text, found without reading what stands there: numbers and texts keep every byte, which they do not
 * where JSON is parsed and written again. Only for text that is known to be JSON.
 */
export interface Place {
  readonly from: number;
  /** Behind its last byte. */
  readonly to: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** The values of the members of the object that begins at `from`, by their names as they are written. */
export function membersAt(json: Buffer, from: number): Map<string, Place> {
  const members = new Map<string, Place>();
  for (let at = afterSpace(json, from + 1); at < json.length && json[at] !== CLOSE;) {
    const nameEnd = endOfText(json, at);
    const valueFrom = afterSpace(json, json.indexOf(COLON, nameEnd) + 1);
    const to = endOfValue(json, valueFrom);
    members.set(json.toString('utf8', at + 1, nameEnd - 1), { from: valueFrom, to });
    at = afterComma(json, to);
  }
  return members;
}

/** The items of the list that begins at `from`. */
export function itemsAt(json: Buffer, from: number): Place[] {
  const items: Place[] = [];
  for (let at = afterSpace(json, from + 1); at < json.length && json[at] !== CLOSE_LIST;) {
    const to = endOfValue(json, at);
    items.push({ from: at, to });
    at = afterComma(json, to);
  }
  return items;
}

function endOfValue(json: Buffer, from: number): number {
  const first = json[from];
  if (first === QUOTE) return endOfText(json, from);
  if (first !== OPEN && first !== OPEN_LIST) return endOfWord(json, from);
  let depth = 0;
  for (let at = from; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfText(json, at) - 1;
    else if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) return at + 1;
  }
  return json.length;
}

function endOfText(json: Buffer, from: number): number {
  for (let at = from + 1; ;) {
    const quote = json.indexOf(QUOTE, at);
    if (quote < 0) return json.length;
    let slashes = 0;
    while (json[quote - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

/** Of a number, or of true, false and null. */
function endOfWord(json: Buffer, from: number): number {
  let at = from;
  while (at < json.length && /[-+.\w]/.test(String.fromCharCode(json[at]!))) at++;
  return at;
}

function afterComma(json: Buffer, from: number): number {
  const at = afterSpace(json, from);
  return json[at] === COMMA ? afterSpace(json, at + 1) : at;
}

function afterSpace(json: Buffer, from: number): number {
  let at = from;
  while (json[at] === 0x20 || json[at] === 0x0a || json[at] === 0x0d || json[at] === 0x09) at++;
  return at;
}
