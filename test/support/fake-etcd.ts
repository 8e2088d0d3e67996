import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A call that was made: `KV/Range`, say, and the protobuf message that was sent. */
export interface FakeCall {
  readonly method: string;
  readonly message: Buffer;
}

/** Takes every call of etcd's API, notes it, and answers with an empty message: nothing found, no error. */
export interface FakeEtcd extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly FakeCall[];
}

/** Compression flag and length, before each message of gRPC. */
const PREFIX_BYTES = 5;

export async function startFakeEtcd(): Promise<FakeEtcd> {
  const calls: FakeCall[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    const method = String(headers[':path']).replace('/etcdserverpb.', '');
    void answer(stream, (message) => calls.push({ method, message }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(stream: ServerHttp2Stream, note: (message: Buffer) => void): Promise<void> {
  note((await buffer(stream)).subarray(PREFIX_BYTES));
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
  stream.end(Buffer.alloc(PREFIX_BYTES));
}
