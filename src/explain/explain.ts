import type { Config } from '../config/config.ts';
import type { ContainerStatus, Status } from '../ops/status.ts';
import { selectContainers } from '../pods/select-containers.ts';
import { askAgent } from './ask-agent.ts';
import { askApi } from './ask-api.ts';
import { containersOf, podsOfNode, savedOffsets } from './ask-node.ts';
import type { ContainerExplanation, Explanation, PodExplanation, Rule } from './explanation.ts';
import { meant, type PodNames } from './pod-name.ts';

/** More pods than this are too many to explain at once. */
const MOST_PODS = 20;

/** Explains the pods that a word means: by the agent that runs here, else by what is on the node. */
export async function explain(word: string, asked: Config, signal: AbortSignal): Promise<Explanation> {
  const status = await askAgent(asked.httpPort, signal);
  const config = typeof status === 'string' ? asked : withSettingsOf(status, asked);
  const onNode = await podsOfNode(config.podLogDir);
  const inAgent = typeof status === 'string' ? [] : status.containers;
  const targets = onNode.map(({ namespace, pod, uid, directory }) => ({ namespace, pod, uid, directory }));
  const known = unique([...targets, ...inAgent.map(podNames)]);
  const candidates: PodNames[] = meant(word, known).slice(0, MOST_PODS);
  if (candidates.length === 0 && config.podSource === 'kubernetes')
    candidates.push(...elsewhere(word, config));
  const saved = typeof status === 'string' ? await savedOffsets(config.stateDir) : undefined;
  const pods = await Promise.all(
    candidates.map(async (names): Promise<PodExplanation> => {
      const target = onNode.find(({ uid, pod, namespace }) => samePod(names, { uid, pod, namespace }));
      const followed = inAgent.filter((one) => samePod(names, one));
      const containers =
        followed.length > 0
          ? followed.map(ofAgent)
          : target === undefined
            ? []
            : await containersOf(target, saved);
      return {
        ...names,
        followed: followed.some(({ state }) => state !== 'held'),
        rules: [
          ...(await rulesFor(names, target !== undefined, config, signal)),
          ...containerRules(containers, config),
        ],
        containers,
      };
    }),
  );
  // What neither the node nor the API knows is no pod.
  const real = pods.filter(
    ({ uid, rules }) => uid !== '' || rules.some(({ text }) => text.startsWith('It runs on')),
  );
  return typeof status === 'string'
    ? { from: 'node', note: `${status}: told by ${config.podLogDir} and ${config.stateDir}`, pods: real }
    : {
        from: 'agent',
        note: `told by the agent on port ${config.httpPort}, version ${status.agent.version}`,
        pods: real,
      };
}

async function rulesFor(
  { namespace, pod, uid }: PodNames,
  hasDirectory: boolean,
  config: Config,
  signal: AbortSignal,
): Promise<Rule[]> {
  const { namespaces, podLogDir, podSource } = config;
  const watched = namespaces?.includes(namespace) ?? true;
  return [
    {
      met: hasDirectory,
      text: hasDirectory
        ? `Its log directory is ${podLogDir}/${namespace}_${pod}_${uid}.`
        : `It has no log directory under ${podLogDir}.`,
    },
    { met: watched, text: `NAMESPACE is ${namespaces?.join(',') ?? '*'}; its namespace is ${namespace}.` },
    ...(podSource === 'kubernetes' ? await askApi({ namespace, pod }, config, signal) : []),
  ];
}

function containerRules(containers: readonly ContainerExplanation[], config: Config): Rule[] {
  const selects = selectContainers(config);
  return containers
    .filter(({ container }) => !selects(container))
    .map(({ container }) => ({
      met: false,
      text: `CONTAINERS or EXCLUDE_CONTAINERS leave the container ${container} out.`,
    }));
}

/** What counts are the settings that the agent runs with. */
function withSettingsOf({ agent }: Status, config: Config): Config {
  const { node: nodeName, namespaces, ...others } = agent;
  return { ...config, ...others, nodeName, namespaces: namespaces ?? undefined };
}

/** A pod that has left no trace on this node may be known to the API, in the namespaces that are watched. */
function elsewhere(word: string, { namespaces }: Config): PodNames[] {
  const [first = '', second] = word.split('/');
  if (second !== undefined) return [{ namespace: first, pod: second, uid: '' }];
  return (namespaces ?? []).map((namespace) => ({ namespace, pod: first, uid: '' }));
}

function ofAgent(one: ContainerStatus): ContainerExplanation {
  const { container, state, why, behindBytes, behindSeconds, samples, files } = one;
  const { lines, records, delivered, deadLettered, inFlight, skipped } = one;
  const counts = { lines, records, delivered, deadLettered, inFlight, skipped };
  return { container, state, why, counts, behindBytes, behindSeconds, samples, files };
}

function podNames({ namespace, pod, uid }: PodNames): PodNames {
  return { namespace, pod, uid };
}

function samePod(a: PodNames, b: PodNames): boolean {
  return a.namespace === b.namespace && a.pod === b.pod && a.uid === b.uid;
}

function unique(all: readonly PodNames[]): PodNames[] {
  return [...new Map(all.map((one) => [`${one.namespace}/${one.pod}/${one.uid}`, podNames(one)])).values()];
}
