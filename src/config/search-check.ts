import type { Endpoint } from './parse-lists.ts';

/** What only shows when the settings of Elasticsearch or OpenSearch are seen together. */
export function checkSearch(
  values: object,
  product: 'elasticsearch' | 'opensearch',
  say: (variable: string, text: string) => unknown,
): void {
  const prefix = product.toUpperCase();
  const all = values as Readonly<Record<string, unknown>>;
  const isSet = (key: string): boolean => all[`${product}${key}`] !== undefined;
  // Not given, as opposed to given and wrong.
  const isAbsent = (key: string): boolean => `${product}${key}` in all && !isSet(key);
  const hasPassword = isSet('Password') || isSet('PasswordFile');

  if (isSet('Password') && isSet('PasswordFile'))
    say(`${prefix}_PASSWORD_FILE`, `is set: it must not be set together with ${prefix}_PASSWORD`);
  if (isSet('ApiKey') && isSet('ApiKeyFile'))
    say(`${prefix}_API_KEY_FILE`, `is set: it must not be set together with ${prefix}_API_KEY`);
  if ((isSet('ApiKey') || isSet('ApiKeyFile')) && isSet('Username'))
    say(`${prefix}_USERNAME`, 'is set: it must not be set together with an API key');
  if (hasPassword && isAbsent('Username'))
    say(`${prefix}_USERNAME`, 'is not set: with a password it must be the name of the user');
  if (isSet('Username') && isAbsent('Password') && isAbsent('PasswordFile'))
    say(
      `${prefix}_PASSWORD_FILE`,
      `is not set: with ${prefix}_USERNAME it must be a file, or ${prefix}_PASSWORD be set`,
    );
  if (isSet('CertFile') && isAbsent('KeyFile'))
    say(`${prefix}_KEY_FILE`, `is not set: with ${prefix}_CERT_FILE it must be the file of its key`);
  if (isSet('KeyFile') && isAbsent('CertFile'))
    say(`${prefix}_CERT_FILE`, `is not set: with ${prefix}_KEY_FILE it must be the file of its certificate`);

  const servers = (all[`${product}Servers`] ?? []) as readonly Endpoint[];
  const plain = servers.find(({ scheme }) => scheme === 'http');
  if (plain !== undefined && (isSet('CaFile') || isSet('CertFile')))
    say(
      `${prefix}_SERVERS`,
      `names http://${plain.host}: with ${prefix}_CA_FILE or ${prefix}_CERT_FILE it must be https:// or host:port`,
    );
}
