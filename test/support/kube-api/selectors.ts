/** What a selector is held against: the object's labels, or its selectable fields. */
export type Attributes = Readonly<Record<string, string>>;

export type Matcher = (attributes: Attributes) => boolean;

/** A selector the API would refuse with 400. */
export class BadSelectorError extends Error {
  override readonly name = 'BadSelectorError';
}

const requirement =
  /^(?:!\s*(?<absent>[^\s!=,()]+)|(?<key>[^\s!=,()]+)\s*(?:(?<operator>==|=|!=)\s*(?<value>[^\s!=,()]*)|\s(?<set>in|notin)\s*\((?<values>[^()]*)\))?)$/;

/**
 * A label selector in the API's full grammar: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`.
 * As in the API, `!=` and `notin` hold where the label is absent.
 *
 * @throws BadSelectorError
 */
export function parseLabelSelector(text: string): Matcher {
  const matchers = splitOutsideParentheses(text).map(parseRequirement);
  return (labels) => matchers.every((matches) => matches(labels));
}

/**
 * A field selector: `a=b`, `a==b`, `a!=b`, joined by commas.
 *
 * @throws BadSelectorError also for a field that pods cannot be selected by.
 */
export function parseFieldSelector(text: string, fields: ReadonlySet<string>): Matcher {
  const matchers = text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [, key, operator, value] = /^([^=!]+)(==|=|!=)([^=!]*)$/.exec(part) ?? [];
      if (key === undefined || value === undefined || !fields.has(key)) {
        throw new BadSelectorError(`field label not supported: ${part}`);
      }
      return (attributes: Attributes) => ((attributes[key] ?? '') === value) === (operator !== '!=');
    });
  return (attributes) => matchers.every((matches) => matches(attributes));
}

function parseRequirement(part: string): Matcher {
  const groups = requirement.exec(part.trim())?.groups;
  if (groups === undefined) throw new BadSelectorError(`unable to parse requirement: ${part}`);
  const { absent, key = '', operator, value = '', set, values = '' } = groups;
  if (absent !== undefined) return (labels) => labels[absent] === undefined;
  if (operator !== undefined) {
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  if (set !== undefined) {
    const wanted = new Set(values.split(',').map((word) => word.trim()));
    return set === 'in'
      ? (labels) => labels[key] !== undefined && wanted.has(labels[key])
      : (labels) => labels[key] === undefined || !wanted.has(labels[key]);
  }
  return (labels) => labels[key] !== undefined;
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/).filter((part) => part.trim() !== '');
}
