import type { SearchAccess } from './config.ts';
import { oneOf, optionalFile, optionalText, type Parsed } from './parse.ts';
import { type Endpoint, endpoints, maskUserInfo } from './parse-lists.ts';
import { setting, type Setting } from './setting.ts';

type Product = 'elasticsearch' | 'opensearch';

const names = { elasticsearch: 'Elasticsearch', opensearch: 'OpenSearch' } as const;

/** The settings of a writer of either product: `ELASTICSEARCH_SERVERS`, `OPENSEARCH_SERVERS` and so on. */
export function searchSettings<P extends Product>(product: P): Prefixed<P> {
  const prefix = product.toUpperCase();
  const group = names[product];
  const own = table(prefix, group);
  return Object.fromEntries(
    Object.entries(own).map(([key, value]) => [prefixed(product, key), value]),
  ) as unknown as Prefixed<P>;
}

/** What the settings of a product say together. */
export function searchAccess(values: object, product: Product): SearchAccess {
  const of = <K extends keyof Table>(key: K): ValueOf<Table[K]> =>
    (values as Record<string, unknown>)[prefixed(product, key)] as ValueOf<Table[K]>;
  const tls = of('caFile') ?? of('certFile');
  return {
    servers: of('servers').map(
      ({ scheme, host }) => `${scheme ?? (tls === undefined ? 'http' : 'https')}://${host}`,
    ),
    index: of('index'),
    fields: of('fields'),
    installTemplate: of('template') === 'install',
    username: of('username'),
    password: of('password'),
    passwordFile: of('passwordFile'),
    apiKey: of('apiKey'),
    apiKeyFile: of('apiKeyFile'),
    caFile: of('caFile'),
    certFile: of('certFile'),
    keyFile: of('keyFile'),
  };
}

type Rest<T> = Omit<T, keyof Prefixed<'elasticsearch'> | keyof Prefixed<'opensearch'>>;

/** The values of all settings but those of the two products. */
export function withoutSearch<T extends object>(values: T): Rest<T> {
  const others = Object.entries(values).filter(([key]) => !/^(elasticsearch|opensearch)[A-Z]/.test(key));
  return Object.fromEntries(others) as Rest<T>;
}

type Table = ReturnType<typeof table>;
type ValueOf<S> = S extends Setting<infer T> ? T : never;
type Prefixed<P extends Product> = { [K in keyof Table as `${P}${Capitalize<K>}`]: Table[K] };

function prefixed(product: Product, key: string): string {
  return `${product}${key.charAt(0).toUpperCase()}${key.slice(1)}`;
}

function table(prefix: string, group: (typeof names)[Product]) {
  return {
    servers: setting<readonly Endpoint[]>({
      variable: `${prefix}_SERVERS`,
      group,
      default: 'localhost:9200',
      parse: endpoints(prefix),
      mask: maskUserInfo,
      placeholder: 'endpoints',
      meaning: 'Comma-separated endpoints, host:port or URL',
    }),
    index: setting<string>({
      variable: `${prefix}_INDEX`,
      group,
      default: 'frostbeat-{date}',
      parse: indexName,
      placeholder: 'name',
      meaning: 'Index; {date} is the day of a record, and without it the name is a data stream',
    }),
    fields: setting<'record' | 'ecs'>({
      variable: `${prefix}_FIELDS`,
      group,
      default: 'record',
      parse: oneOf('record', 'ecs'),
      placeholder: 'names',
      meaning: 'Names of fields: record (as the container wrote them) or ecs (the Elastic Common Schema)',
    }),
    template: setting<'install' | 'none'>({
      variable: `${prefix}_TEMPLATE`,
      group,
      default: 'install',
      parse: oneOf('install', 'none'),
      placeholder: 'what',
      meaning: 'Index template: install it where it is missing, or none',
    }),
    username: setting<string | undefined>({
      variable: `${prefix}_USERNAME`,
      group,
      default: '',
      parse: optionalText,
      placeholder: 'name',
      meaning: `User, where ${group} asks for one`,
    }),
    password: setting<string | undefined>({
      variable: `${prefix}_PASSWORD`,
      group,
      default: '',
      parse: optionalText,
      placeholder: 'password',
      meaning: `Its password; better ${prefix}_PASSWORD_FILE`,
      mask: () => '********',
      verbatim: true,
    }),
    passwordFile: setting<string | undefined>({
      variable: `${prefix}_PASSWORD_FILE`,
      group,
      default: '',
      parse: optionalFile,
      placeholder: 'path',
      meaning: 'File that holds the password',
    }),
    apiKey: setting<string | undefined>({
      variable: `${prefix}_API_KEY`,
      group,
      default: '',
      parse: optionalText,
      placeholder: 'key',
      meaning: `API key (encoded), in place of a user; better ${prefix}_API_KEY_FILE`,
      mask: () => '********',
      verbatim: true,
    }),
    apiKeyFile: setting<string | undefined>({
      variable: `${prefix}_API_KEY_FILE`,
      group,
      default: '',
      parse: optionalFile,
      placeholder: 'path',
      meaning: 'File that holds the API key',
    }),
    caFile: setting<string | undefined>({
      variable: `${prefix}_CA_FILE`,
      group,
      default: '',
      parse: optionalFile,
      placeholder: 'path',
      meaning: "PEM of the authority that signed the server's certificate",
    }),
    certFile: setting<string | undefined>({
      variable: `${prefix}_CERT_FILE`,
      group,
      default: '',
      parse: optionalFile,
      placeholder: 'path',
      meaning: "PEM of the client's certificate, for mutual TLS",
    }),
    keyFile: setting<string | undefined>({
      variable: `${prefix}_KEY_FILE`,
      group,
      default: '',
      parse: optionalFile,
      placeholder: 'path',
      meaning: "PEM of the client's key, for mutual TLS",
    }),
  };
}

/** As both products want it. */
function indexName(text: string): Parsed<string> {
  const name = text.replaceAll('{date}', '2000.01.01');
  return /^[a-z0-9][-a-z0-9_.]{0,199}$/.test(name)
    ? { value: text }
    : { mustBe: 'lower-case letters, digits, - _ and . (200 at most), and {date} for the day of a record' };
}
