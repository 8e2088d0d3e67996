import type { Config } from '../config/config.ts';
import { loadApiAccess } from '../pods/api-access.ts';
import { explainFailure } from '../pods/api-failure.ts';
import { bodyText, createApiClient, type ApiClient, type Query } from '../pods/api-request.ts';
import type { Rule } from './explanation.ts';

/** A pod as the API tells it: core/v1 Pod. */
interface ApiPod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>> | null;
    readonly annotations?: Readonly<Record<string, string>> | null;
  };
  readonly spec: { readonly nodeName?: string };
}

/**
 * What the API says of a pod: whether it exists, on which node, and whether its labels and annotations select it.
 * Never throws: what cannot be asked is such a rule too.
 */
export async function askApi(
  { namespace, pod }: { readonly namespace: string; readonly pod: string },
  { nodeName, selector }: Pick<Config, 'nodeName' | 'selector'>,
  signal: AbortSignal,
): Promise<Rule[]> {
  let server = '';
  try {
    const access = await loadApiAccess();
    ({ server } = access);
    const client = createApiClient(access, 'frostbeat-explain');
    const named = { fieldSelector: `metadata.name=${pod}` };
    const [found] = await list(client, namespace, named, signal);
    if (found === undefined)
      return [{ met: false, text: 'The API knows no such pod: it is gone, and its files will go.' }];
    const selected =
      selector === ''
        ? [found]
        : await list(client, namespace, { ...named, labelSelector: selector }, signal);
    return rules(found, selected.length > 0, { nodeName, selector });
  } catch (error) {
    const text =
      server === ''
        ? error instanceof Error
          ? error.message
          : String(error)
        : explainFailure(error, 'list', `in namespace ${namespace}`, server);
    return [{ met: null, text: `The API cannot be asked. ${text}` }];
  }
}

function rules(
  { metadata, spec }: ApiPod,
  selected: boolean,
  { nodeName, selector }: Pick<Config, 'nodeName' | 'selector'>,
): Rule[] {
  const labels = Object.entries(metadata.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  const exclude = metadata.annotations?.['frostbeat.io/exclude']?.trim() ?? '';
  return [
    nodeRule(spec.nodeName, nodeName),
    {
      met: selected,
      text: `SELECTOR is ${selector === '' ? 'empty' : selector}; its labels are ${labels.join(', ') || 'none'}.`,
    },
    {
      met: exclude !== 'true',
      text:
        exclude === '' || exclude === 'false'
          ? 'It does not opt out (annotation frostbeat.io/exclude).'
          : exclude === 'true'
            ? 'It opts out: its annotation frostbeat.io/exclude is "true".'
            : `Its annotation frostbeat.io/exclude leaves out the containers ${exclude}.`,
    },
  ];
}

function nodeRule(runsOn: string | undefined, here: string): Rule {
  if (here === '')
    return {
      met: null,
      text: `It runs on ${runsOn ?? 'no node yet'}; NODE_NAME does not tell which one this is.`,
    };
  if (runsOn === here) return { met: true, text: `It runs on ${here}, this node.` };
  return { met: false, text: `It runs on ${runsOn ?? 'no node yet'}; this is ${here}.` };
}

async function list(
  client: ApiClient,
  namespace: string,
  query: Query,
  signal: AbortSignal,
): Promise<readonly ApiPod[]> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const answer = await client.get(path, query, { accept: 'application/json', signal });
  return (JSON.parse(await bodyText(answer, 1e8)) as { items?: ApiPod[] | null }).items ?? [];
}
