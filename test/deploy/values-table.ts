import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/** One value of the chart. */
export interface Value {
  /** `image.tag`. */
  readonly path: string;
  /** Its default, as JSON. */
  readonly value: string;
  /** From the schema; undefined where that does not know it. */
  readonly meaning: string | undefined;
}

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** The values of the chart that the schema tells apart, in the order of values.yaml. */
export async function values(): Promise<Value[]> {
  const defaults: unknown = parse(await readFile('deploy/chart/values.yaml', 'utf8'));
  const schema = JSON.parse(await readFile('deploy/chart/values.schema.json', 'utf8')) as Schema;
  return leaves('', defaults, schema);
}

function leaves(path: string, value: unknown, schema: Schema | undefined): Value[] {
  // A described object is one value to a reader: resources, labels, the settings.
  if (isObject(value) && schema?.description === undefined) {
    return Object.entries(value).flatMap(([key, item]) =>
      leaves(path === '' ? key : `${path}.${key}`, item, schema?.properties?.[key]),
    );
  }
  return [{ path, value: JSON.stringify(value), meaning: schema?.description }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
