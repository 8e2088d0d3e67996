import type { Parsed } from './parse.ts';

const name = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const spaces = /^[\t\n\r ]+|[\t\n\r ]+$/g;

const mustBe = 'a label selector, for example app=snowplow, tier!=test or env in (prod,stage),!legacy';

/**
 * Checks a label selector by the API's own grammar (kubernetes/apimachinery, pkg/labels/selector.go): a
 * mistake is told at the start and not by a 400 of the API later. The text itself is kept.
 */
export function selector(text: string): Parsed<string> {
  if (text.trim() === '') return { value: '' };
  const wrong = splitRequirements(text).find(
    (requirement) => !isRequirement(requirement.replace(spaces, '')),
  );
  if (wrong === undefined) return { value: text };
  const quoted =
    wrong.trim() === '' ? 'what stands beside a comma must not be empty' : `«${wrong.trim()}» is none`;
  return { mustBe: `${mustBe}; ${quoted}` };
}

/** Splits at the commas outside of brackets. */
function splitRequirements(text: string): string[] {
  return text.split(/,(?![^()]*\))/);
}

function isRequirement(text: string): boolean {
  // The API takes no other spaces for spaces.
  if (/[^\t\n\r -~]/.test(text)) return false;
  const exists = /^!?\s*([^\s=!<>(),]+)$/.exec(text);
  if (exists !== null) return isKey(exists[1] ?? '');

  const sets = /^([^\s=!<>(),]+)\s+(?:in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (sets !== null) {
    const values = (sets[2] ?? '').split(',').map((value) => value.trim());
    return isKey(sets[1] ?? '') && values.every(isValue);
  }

  const compares = /^([^\s=!<>(),]+)\s*(?:==?|!=)\s*([^\s=!<>(),]*)$/.exec(text);
  if (compares !== null) return isKey(compares[1] ?? '') && isValue(compares[2] ?? '');

  // A number of the API's: it must be a label's value too, which begins with no sign.
  const orders = /^([^\s=!<>(),]+)\s*[<>]\s*(\d{1,63})$/.exec(text);
  return orders !== null && isKey(orders[1] ?? '') && BigInt(orders[2] ?? '') < 2n ** 63n;
}

function isKey(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash === -1) return name.test(text);
  const prefix = text.slice(0, slash);
  return prefix.length <= 253 && subdomain.test(prefix) && name.test(text.slice(slash + 1));
}

/** A label's value may be empty. */
function isValue(text: string): boolean {
  return text === '' || name.test(text);
}
