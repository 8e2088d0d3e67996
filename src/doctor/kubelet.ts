import { readFile } from 'node:fs/promises';
import { bodyText } from '../pods/api-request.ts';
import { formatBytes, parseBytes } from '../util/bytes.ts';
import { type Check, type CheckContext, ok, skip, warn } from './finding.ts';

interface Rotation {
  readonly containerLogMaxSize?: string;
  readonly containerLogMaxFiles?: number;
}

/** Whether KUBELET_LOG_MAX_SIZE and KUBELET_LOG_MAX_FILES are what the kubelet rotates by. */
export const checkKubelet: Check = async (context) => {
  const what = 'log rotation';
  const { kubeletLogMaxSize, kubeletLogMaxFiles, nodeName } = context.config;
  const rotation = (await fromFile(context)) ?? (await fromApi(context));
  if (rotation === undefined) {
    return [
      skip(
        what,
        `the kubelet's settings cannot be read from here; ${formatBytes(kubeletLogMaxSize)} and ${kubeletLogMaxFiles} files are taken for true`,
        `Compare: kubectl get --raw /api/v1/nodes/${nodeName || 'NODE'}/proxy/configz shows containerLogMaxSize and containerLogMaxFiles.`,
      ),
    ];
  }
  const { containerLogMaxSize = '10Mi', containerLogMaxFiles = 5 } = rotation;
  const size = parseBytes(containerLogMaxSize);
  const found = `the kubelet keeps ${containerLogMaxFiles} files of ${containerLogMaxSize}`;
  if (size === kubeletLogMaxSize && containerLogMaxFiles === kubeletLogMaxFiles) return [ok(what, found)];
  return [
    warn(
      what,
      `${found}, and the agent reckons with ${kubeletLogMaxFiles} of ${formatBytes(kubeletLogMaxSize)}`,
      `Set KUBELET_LOG_MAX_SIZE=${containerLogMaxSize} and KUBELET_LOG_MAX_FILES=${containerLogMaxFiles}: else the time that is left for unread data is told wrong.`,
    ),
  ];
};

async function fromFile({ kubeletConfigPath }: CheckContext): Promise<Rotation | undefined> {
  const text = await readFile(kubeletConfigPath, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { load } = await import('js-yaml');
  return load(text) ?? {};
}

async function fromApi({ api, config, signal }: CheckContext): Promise<Rotation | undefined> {
  if (api?.client === undefined || config.nodeName === '') return undefined;
  try {
    const path = `/api/v1/nodes/${encodeURIComponent(config.nodeName)}/proxy/configz`;
    const answer = await api.client.get(path, {}, { accept: 'application/json', signal });
    return (JSON.parse(await bodyText(answer, 1e6)) as { kubeletconfig?: Rotation }).kubeletconfig;
  } catch {
    return undefined; // The agent's own account may not, and needs not.
  }
}
