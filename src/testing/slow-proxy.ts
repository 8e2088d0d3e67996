import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** So long what is sent is on its way, in each direction, in milliseconds: an answer takes twice that at the least. */
export const LATE_MS = 500;
/** In a slow network bytes trickle: so many come at a time, with a pause between, in milliseconds. */
const PIECE_BYTES = 4_096;
const PIECE_MS = 2;

export interface SlowProxy {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** What the server answers waits here, until `release()`. */
  hold(): void;
  release(): void;
  /** Ends all connections, too. */
  close(): Promise<void>;
}

/**
 * A slow network in front of a server that works: all that is sent arrives, late and in pieces, also where who sent
 * it has closed his connection meanwhile.
 *
 * @param server `host:port`, or a URL.
 * @param port where it listens; 0 is any that is free.
 */
export async function startSlowProxy(server: string, port = 0): Promise<SlowProxy> {
  const url = new URL(server.includes('://') ? server : `tcp://${server}`);
  const address = {
    host: url.hostname.replaceAll(/[[\]]/g, ''),
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    allowHalfOpen: true,
  };
  const open = new Set<Socket>();
  let held: PromiseWithResolvers<void> | undefined;
  const closing = new AbortController();
  const { signal } = closing;
  const keep = (socket: Socket): Socket => {
    open.add(socket);
    // How a connection ends is seen by who reads from it or writes to it.
    return socket.on('error', ignore).on('close', () => open.delete(socket));
  };
  const proxy = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect(address);
    upstream.setNoDelay(true);
    void pass(keep(client), upstream, () => undefined, signal);
    void pass(keep(upstream), client, () => held?.promise, signal);
  }).listen(port, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    hold: () => (held ??= Promise.withResolvers()),
    release() {
      held?.resolve();
      held = undefined;
    },
    async close() {
      const closed = once(proxy.close(), 'close');
      held?.resolve();
      closing.abort();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** @param held what it waits for before it lets something through. */
async function pass(
  from: Socket,
  to: Socket,
  held: () => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      await sleep(LATE_MS, undefined, { signal });
      await held();
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        if (at > 0) await sleep(PIECE_MS, undefined, { signal });
        if (!to.write(chunk.subarray(at, at + PIECE_BYTES))) await once(to, 'drain', { signal });
      }
    }
    to.end();
  } catch {
    to.destroy();
  }
}

function ignore(): void {
  // See where it is used.
}
