import dns from 'node:dns';
import { createServer as createHttp1 } from 'node:http';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, it, vi } from 'vitest';
import { GrpcChannel, MESSAGE_HEAD } from '../../src/writers/grpc-channel.ts';
import { until } from '../support/until.ts';

const path = '/package.Service/Method';
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).toReversed()) await undo();
});

/** A server that gives each call to `answer`. */
async function serve(answer: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => unknown) {
  const server = createServer();
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    void answer(stream, headers);
  });
  const url = await listen(server);
  cleanUp.push(() => sessions.forEach((session) => session.destroy()));
  return { url, sessions };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function channelTo(url: string): GrpcChannel {
  const channel = new GrpcChannel(url, {});
  cleanUp.push(() => channel.close());
  return channel;
}

function call(channel: GrpcChannel, { text = 'x', ms = 5_000, begins = noted().begins } = {}) {
  const message = Buffer.from(' '.repeat(MESSAGE_HEAD) + text);
  return channel.call(path, message, { timeoutMs: ms, headers: { token: 'T' }, begins });
}

/** Keeps the function that ends a call. */
function noted() {
  const kept: (() => void)[] = [];
  return {
    begins: (cancel: () => void): void => void kept.push(cancel),
    end: () => kept.forEach((cancel) => cancel()),
  };
}

/** Sockets of this process that are open. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap').length;
}

function succeed(stream: ServerHttp2Stream): void {
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(Buffer.alloc(100_000));
}

it('makes calls as gRPC wants them, over one connection', async () => {
  const seen: unknown[] = [];
  const { url, sessions } = await serve(async (stream, headers) => {
    seen.push({ ...headers, message: await buffer(stream) });
    succeed(stream);
  });
  const channel = channelTo(url);
  for (let n = 0; n < 100; n++) await call(channel, { text: 'hello' });
  expect(sessions).toHaveLength(1);
  expect(seen).toHaveLength(100);
  expect(seen[0]).toMatchObject({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': expect.stringMatching(/^[45]\d{3}m$/),
    token: 'T',
    message: Buffer.from('\0\0\0\0\x05hello'),
  });
});

it('has many megabytes under way at once', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let begun = 0;
  let bytes = 0;
  const { url } = await serve(async (stream) => {
    begun++;
    await released;
    const { length } = await buffer(stream);
    bytes += length;
    succeed(stream);
  });
  const channel = channelTo(url);
  const calls = Array.from({ length: 32 }, () => call(channel, { text: 'x'.repeat(2 ** 20), ms: 30_000 }));
  await until(() => begun === 32, { what: 'the calls' });
  release();
  await Promise.all(calls);
  expect(bytes).toBe(32 * (2 ** 20 + MESSAGE_HEAD));
});

it.each([
  ['8', 'etcdserver%3A%20too%20many%20requests', '8 RESOURCE_EXHAUSTED: etcdserver: too many requests'],
  ['5', 'a%zz', '5 NOT_FOUND: a%zz'],
  ['99', 'x', '99 UNKNOWN: x'],
])('fails with the status %s of an answer without trailers', async (status, message, text) => {
  const { url } = await serve((stream) =>
    stream.respond({ 'grpc-status': status, 'grpc-message': message }, { endStream: true }),
  );
  const failed = call(channelTo(url));
  await expect(failed).rejects.toThrow(text);
  await expect(failed).rejects.toMatchObject({ code: Number(status) });
});

it('fails at its deadline, and tells the server', async () => {
  const reset: number[] = [];
  const { url } = await serve((stream) => stream.on('close', () => reset.push(stream.rstCode)));
  const failed = call(channelTo(url), { ms: 50 });
  await expect(failed).rejects.toMatchObject({ code: 4, message: '4 DEADLINE_EXCEEDED: Deadline exceeded' });
  await until(() => reset.length === 1, { what: 'the end of the stream' });
  expect(reset).toEqual([8]);
});

it('is ended by who made it, and the others go on', async () => {
  const waiting: ServerHttp2Stream[] = [];
  const { url } = await serve((stream) => waiting.push(stream));
  const channel = channelTo(url);
  const { begins, end } = noted();
  const ended = call(channel, { begins });
  const other = call(channel);
  await until(() => waiting.length === 2, { what: 'both calls' });
  end();
  await expect(ended).rejects.toMatchObject({ code: 1 });
  succeed(waiting[1]!);
  await other;
});

it('fails when its connection is lost, and connects anew for the next', async () => {
  let broken = true;
  const { url, sessions } = await serve((stream) => (broken ? stream.session!.destroy() : succeed(stream)));
  const channel = channelTo(url);
  await expect(call(channel)).rejects.toMatchObject({ code: 14 });
  broken = false;
  await call(channel);
  expect(sessions).toHaveLength(2);
});

it('lets calls end on a connection that the server takes leave of, and makes the next on another', async () => {
  const waiting: ServerHttp2Stream[] = [];
  const { url, sessions } = await serve((stream) => {
    if (waiting.length > 0) succeed(stream);
    else waiting.push(stream);
  });
  const channel = channelTo(url);
  const first = call(channel);
  await until(() => waiting.length === 1, { what: 'the first call' });
  sessions[0]!.goaway(0, waiting[0]!.id);
  const other = (): Promise<boolean> =>
    call(channel).then(
      () => sessions.length === 2,
      () => false,
    );
  await until(other, { what: 'a call on another connection' });
  succeed(waiting[0]!);
  await first;
  await call(channel);
  expect(sessions).toHaveLength(2);
});

it('says that nothing listens, each time', async () => {
  const channel = channelTo('http://127.0.0.1:1');
  for (let n = 0; n < 3; n++) await expect(call(channel)).rejects.toThrow(/^14 UNAVAILABLE: .*ECONNREFUSED/);
});

it('says so of a name with several addresses, too', async () => {
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
  const lookup = vi.spyOn(dns, 'lookup').mockImplementation((...args: unknown[]) => {
    (args.at(-1) as (error: null, found: unknown) => void)(null, addresses);
  });
  cleanUp.push(() => lookup.mockRestore());
  await expect(call(channelTo('http://several.test:1'))).rejects.toThrow(/^14 UNAVAILABLE: .*ECONNREFUSED/);
});

it('says that a server does not speak HTTP/2', async () => {
  const url = await listen(createHttp1((_, response) => response.end('hello')));
  await expect(call(channelTo(url))).rejects.toMatchObject({ code: 14 });
});

it('says that an answer is not of gRPC', async () => {
  const { url } = await serve((stream) => stream.respond({ ':status': 503 }, { endStream: true }));
  await expect(call(channelTo(url))).rejects.toThrow('14 UNAVAILABLE: the answer is HTTP 503, not gRPC');
});

it('fails in time where a server takes the connection and is silent', async () => {
  const url = await listen(createTcp((socket) => void cleanUp.push(() => socket.destroy())));
  await expect(call(channelTo(url), { ms: 50 })).rejects.toMatchObject({ code: 4 });
});

it('lets calls that are under way end when it is closed, and the connection with the last of them', async () => {
  const waiting: ServerHttp2Stream[] = [];
  const { url, sessions } = await serve((stream) => waiting.push(stream));
  const channel = channelTo(url);
  const calls = [call(channel), call(channel)];
  await until(() => waiting.length === 2, { what: 'the calls' });
  channel.close();
  succeed(waiting[0]!);
  await calls[0];
  expect(sessions[0]!.destroyed).toBe(false);
  succeed(waiting[1]!);
  await calls[1];
  await until(() => sessions[0]!.destroyed, { what: 'the end of the connection' });
});

it('makes no call whose time is over', async () => {
  let calls = 0;
  const { url } = await serve((stream) => {
    calls++;
    succeed(stream);
  });
  const channel = channelTo(url);
  await call(channel);
  for (let n = 0; n < 20; n++) await expect(call(channel, { ms: -1 })).rejects.toMatchObject({ code: 4 });
  await call(channel);
  expect(calls).toBe(2);
});

it('leaves no socket behind when a server takes nothing more', async () => {
  // Windows of HTTP/2 that are larger than the kernel's buffers: what is written waits in the client.
  const settings = Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0xff, 0xff, 0xff]);
  const update = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]);
  const url = await listen(
    createTcp((socket) => {
      cleanUp.push(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.write(Buffer.concat([settings, update]));
      socket.once('data', () => socket.pause());
    }),
  );
  const channel = channelTo(url);
  const calls = Array.from({ length: 16 }, () => call(channel, { text: 'x'.repeat(1e6), ms: 500 }));
  for (const one of calls) await expect(one).rejects.toMatchObject({ code: 4 });
  const before = sockets();
  channel.close();
  // The server's side of it stays.
  await until(() => sockets() < before, { what: 'the end of the socket' });
});
