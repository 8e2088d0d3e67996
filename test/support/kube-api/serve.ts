import { KubeApi } from './kube-api.ts';

/**
 * The pod API server as a process of its own, for torture runs: `fork(thisFile, [port])`. It sends
 * `{url, port}` when it listens, obeys messages `{id, call, args}` (the names of KubeApi's methods), answers
 * each with `{id}` or `{id, error}`, and ends with its parent.
 */
interface Order {
  readonly id: number;
  readonly call:
    | 'addPod'
    | 'updatePod'
    | 'deletePod'
    | 'break'
    | 'heal'
    | 'dropConnections'
    | 'silenceWatches'
    | 'endWatches'
    | 'expireWatches'
    | 'compact'
    | 'kubeconfig';
  readonly args: readonly unknown[];
}

const api = await KubeApi.start({ port: Number(process.argv[2] ?? 0), bookmarkMs: 5_000 });

process.on('message', (order: Order) => void obey(order));
process.on('disconnect', () => void api.close());
process.send?.({ url: api.url, port: api.port });

async function obey({ id, call, args }: Order): Promise<void> {
  try {
    // The parent is our own test code: its arguments are those of the method it names.
    await (api[call] as (...all: readonly unknown[]) => unknown).apply(api, [...args]);
    process.send?.({ id });
  } catch (error) {
    process.send?.({ id, error: String(error) });
  }
}
