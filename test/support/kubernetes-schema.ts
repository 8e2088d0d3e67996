import * as client from '@kubernetes/client-node';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

/** The classes that the client generates from the API's own OpenAPI document, by name. */
const models = client as unknown as Readonly<
  Record<string, { getAttributeTypeMap?: () => readonly Attribute[] } | undefined>
>;

/**
 * Where a value is not what the Kubernetes API takes for this type: unknown fields (which `kubectl apply`
 * refuses, and which a spelling mistake makes) and wrong kinds of values. Empty when all is well.
 *
 * @param type as the client names it, `V1DaemonSet` or `Array<V1Container>`.
 */
export function schemaFaults(type: string, value: unknown, path = type): string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((item, index) => schemaFaults(list, item, `${path}[${index}]`));
  }
  const map = /^{ \[key: string\]: (.+); }$/.exec(type)?.[1];
  if (map !== undefined) {
    if (!isObject(value)) return [`${path} is no map`];
    return Object.entries(value).flatMap(([key, item]) => schemaFaults(map, item, `${path}.${key}`));
  }
  if (type === 'string' || type === 'number' || type === 'boolean') {
    return typeof value === type ? [] : [`${path} is no ${type}: ${JSON.stringify(value)}`];
  }
  if (type === 'IntOrString') {
    return ['string', 'number'].includes(typeof value) ? [] : [`${path} is neither a number nor a string`];
  }
  const attributes = models[type]?.getAttributeTypeMap?.();
  if (attributes === undefined) return [`${path} is of an unknown type ${type}`];
  if (!isObject(value)) return [`${path} is no object`];
  return Object.entries(value).flatMap(([key, item]) => {
    const attribute = attributes.find(({ baseName }) => baseName === key);
    return attribute === undefined
      ? [`${path}.${key} is an unknown field`]
      : schemaFaults(attribute.type, item, `${path}.${key}`);
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
