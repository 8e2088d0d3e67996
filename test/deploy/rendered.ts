import type { V1Container, V1DaemonSet, V1PodSpec } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { helmTemplate, valueFlags } from '../support/helm.ts';
import { schemaFaults } from '../support/kubernetes-schema.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The manifests that the chart renders to with these values. */
export async function rendered(
  helm: string,
  values: Readonly<Record<string, unknown>> = {},
): Promise<Manifests> {
  return new Manifests(await helmTemplate(helm, 'deploy/chart', valueFlags(values)));
}

/** What YAML documents say, found by kind. */
export class Manifests {
  readonly all: readonly Manifest[];

  constructor(yaml: string) {
    this.all = parseAllDocuments(yaml)
      .map((document) => document.toJS() as Manifest | null)
      .filter((manifest) => manifest !== null);
  }

  get kinds(): string[] {
    return this.all.map(({ kind }) => kind).toSorted();
  }

  /** @throws where there is not exactly one of the kind, and of the name where that is given. */
  one<T = Manifest>(kind: string, name?: string): T {
    const found = this.all.filter(
      (manifest) => manifest.kind === kind && (name === undefined || manifest.metadata.name === name),
    );
    if (found.length !== 1) throw new Error(`Cannot take the ${kind}: there are ${found.length}`);
    return found[0] as T;
  }

  get pod(): V1PodSpec {
    const spec = this.one<V1DaemonSet>('DaemonSet').spec?.template.spec;
    if (!spec) throw new Error('Cannot find the pod: the DaemonSet has none');
    return spec;
  }

  get agent(): V1Container {
    const [agent, ...others] = this.pod.containers;
    if (agent === undefined || others.length > 0) throw new Error('Cannot tell which container is the agent');
    return agent;
  }

  /** The agent's environment variables of fixed values. */
  get env(): Record<string, string> {
    const fixed = (this.agent.env ?? []).flatMap(({ name, value }) =>
      value === undefined ? [] : [[name, value]],
    );
    return Object.fromEntries(fixed) as Record<string, string>;
  }

  /** Where one is not what the Kubernetes API takes. The kinds of the Prometheus operator are not known here. */
  get faults(): string[] {
    return this.all
      .filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.coreos.com/'))
      .flatMap((manifest) => schemaFaults(`V1${manifest.kind}`, manifest));
  }
}
