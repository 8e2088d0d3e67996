import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A TCP port of 127.0.0.1 that nothing listens on now, below those that outgoing connections take on Linux: none of
 * them gets it while the server that it is meant for is down for a moment, nor does another process that asks here,
 * as long as this one lives.
 *
 * @throws Error where a hundred tries find none.
 */
export async function lastingPort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!(await reserve(port))) continue;
    const server = createServer().listen(port, '127.0.0.1');
    const free = await once(server, 'listening').then(
      () => true,
      () => false, // Taken: the next one may be free.
    );
    if (!free) continue;
    await once(server.close(), 'close');
    return port;
  }
  throw new Error('Cannot find a port: a hundred from 20,000 on are taken');
}

/** Takes the UDP port of that number, which nothing else uses: it stands for the other. False where another has it. */
async function reserve(port: number): Promise<boolean> {
  const socket = createSocket('udp4').unref().bind(port, '127.0.0.1');
  return await once(socket, 'listening').then(
    () => true,
    () => false,
  );
}

/** As many such ports as asked for, all different. */
export async function freePorts(count: number): Promise<number[]> {
  return await Promise.all(Array.from({ length: count }, lastingPort));
}
