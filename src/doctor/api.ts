import { explainFailure } from '../pods/api-failure.ts';
import { bodyText } from '../pods/api-request.ts';
import {
  type Api,
  type Check,
  type CheckContext,
  fail,
  type Finding,
  messageOf,
  ok,
  skip,
  warn,
} from './finding.ts';

const CLOCK_SECONDS = 2;

interface Review {
  readonly status?: { readonly allowed?: boolean; readonly reason?: string };
}

/** Whether the API answers, grants what is needed, and knows pods of this node that are selected. */
export const checkApi: Check = async (context) => {
  const { api, config } = context;
  if (api === undefined) return [skip('Kubernetes API', 'POD_SOURCE=directory does without it')];
  if (api.client === undefined) {
    return [
      fail(
        'Kubernetes API',
        api.trouble,
        'In a pod the service account is found by itself; elsewhere set KUBECONFIG.',
      ),
    ];
  }
  const namespaces = config.namespaces ?? [undefined];
  const access = await Promise.all(
    namespaces.flatMap((namespace) =>
      (['list', 'watch'] as const).map(async (verb) => await mayDo(context, api, namespace, verb)),
    ),
  );
  const denied = access.filter(({ status }) => status === 'fail');
  if (denied.length > 0) return denied;
  const allowed = ok('permissions', `list and watch pods ${whereOf(config.namespaces)}`);
  return [allowed, await selectedPods(context, api)];
};

type Reachable = Extract<Api, { readonly server: string }>;

async function mayDo(
  { signal }: CheckContext,
  { client, server }: Reachable,
  namespace: string | undefined,
  verb: 'list' | 'watch',
): Promise<Finding> {
  const where = whereOf(namespace === undefined ? undefined : [namespace]);
  const what = 'permissions';
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { ...(namespace && { namespace }), verb, resource: 'pods' } },
  };
  try {
    const answer = await client.post(
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      review,
      signal,
    );
    const { allowed, reason } = (answer as Review).status ?? {};
    if (allowed === true) return ok(what, `${verb} pods ${where}`);
    const why = reason === undefined || reason === '' ? '' : ` (${reason})`;
    return fail(
      what,
      `the account may not ${verb} pods ${where}${why}`,
      `Grant the verbs list and watch on pods ${where}: a Role and a RoleBinding, or with NAMESPACE=* a ClusterRole and a ClusterRoleBinding.`,
    );
  } catch (error) {
    const found = explainFailure(error, verb, where, server);
    return fail(
      'Kubernetes API',
      found,
      'Check the network policy, the address and the credentials of the API.',
    );
  }
}

async function selectedPods(
  { config, signal }: CheckContext,
  { client, server }: Reachable,
): Promise<Finding> {
  const { nodeName, namespaces, selector } = config;
  const what = 'pods';
  let count = 0;
  for (const namespace of namespaces ?? [undefined]) {
    const path =
      namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
    const query = {
      fieldSelector: `spec.nodeName=${nodeName}`,
      labelSelector: selector === '' ? undefined : selector,
      resourceVersion: '0',
    };
    try {
      const answer = await client.get(path, query, { accept: 'application/json', signal });
      count += ((JSON.parse(await bodyText(answer, 1e8)) as { items?: unknown[] | null }).items ?? []).length;
    } catch (error) {
      return fail(
        what,
        explainFailure(error, 'list', whereOf(namespaces), server),
        'The log of the agent will say the same.',
      );
    }
  }
  const found = `${count} on ${nodeName} ${whereOf(namespaces)} match SELECTOR=${selector}`;
  const todo =
    'If there should be some: check NODE_NAME (spec.nodeName, by the downward API), NAMESPACE and SELECTOR.';
  return count === 0 ? warn(what, found, todo) : ok(what, found);
}

/** Whether this node's clock is that of the API server: traces of several nodes are put in order by time. */
export const checkClock: Check = async ({ api, signal }) => {
  const what = 'clock';
  if (api?.client === undefined) return [skip(what, 'there is no API server to compare it with')];
  try {
    const begun = Date.now();
    const answer = await api.client.get('/version', {}, { accept: 'application/json', signal, fresh: true });
    const tookMs = Date.now() - begun;
    answer.resume();
    const theirs = Date.parse(answer.headers.date ?? '');
    // Their time is told in whole seconds, and the answer took its time.
    const seconds = (begun + tookMs / 2 - theirs - 500) / 1000;
    if (Number.isNaN(seconds)) return [skip(what, 'the API server does not tell its time')];
    const off = Math.abs(seconds) - 0.5 - tookMs / 2000;
    if (off < CLOCK_SECONDS) return [ok(what, 'that of the API server')];
    const found = `${Math.round(Math.abs(seconds))} s ${seconds > 0 ? 'ahead of' : 'behind'} the API server's`;
    return [
      warn(
        what,
        found,
        'Synchronize the clocks (chrony, systemd-timesyncd): records of a trace are put in order by their times.',
      ),
    ];
  } catch (error) {
    return [skip(what, `the API server does not answer: ${messageOf(error)}`)];
  }
};

function whereOf(namespaces: readonly string[] | undefined): string {
  if (namespaces === undefined) return 'in all namespaces';
  return `in namespace ${namespaces.join(', ')}`;
}
