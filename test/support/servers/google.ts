import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../certificates.ts';

const TOKEN_HOST = 'www.googleapis.com';
const STORAGE_HOST = 'storage.googleapis.com';
const account = 'frostbeat@shop.iam.gserviceaccount.com';

/** How Google sees the account. */
export type AccountState =
  | 'works'
  /** It gets no token. */
  | 'disabled'
  /** Its token is of no use, as when it was revoked. */
  | 'revoked'
  /** It may do nothing with the bucket. */
  | 'without rights';

/** Google as an agent sees it that comes by a proxy: it gives an account tokens, and lets none in without one. */
export interface TestGoogle extends AsyncDisposable {
  state: AccountState;
  /** What the agent needs to come by the proxy, and to name its account by a key. */
  readonly env: Readonly<Record<string, string>>;
}

/** @param storage a server of Cloud Storage that asks for no credentials: `http://127.0.0.1:<port>`. */
export async function startGoogle(storage: string): Promise<TestGoogle> {
  const directory = await mkdtemp(join(tmpdir(), 'frostbeat-google-'));
  const certificates = await makeCertificates(directory, [TOKEN_HOST, STORAGE_HOST]);
  const keyFile = join(directory, 'account.json');
  await writeFile(keyFile, JSON.stringify(serviceAccountKey()));
  const state: { now: AccountState } = { now: 'works' };

  const pems = {
    key: await readFile(certificates.server.keyFile),
    cert: await readFile(certificates.server.certFile),
  };
  const google = createTlsServer(pems, (asked, answer) => {
    if (asked.headers.host === TOKEN_HOST) giveToken(state.now, answer);
    else if (isLetIn(state.now, asked, answer)) forward(storage, asked, answer);
  });
  // Whatever host is asked for, it is this one: nothing leaves the machine.
  const proxy = createServer().on('connect', (_, client: Socket) => {
    const tunnel = connect(portOf(google), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    for (const [from, to] of [
      [client, tunnel],
      [tunnel, client],
    ] as const)
      from.pipe(to).on('error', () => from.destroy());
  });
  for (const server of [google, proxy]) await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    get state() {
      return state.now;
    },
    set state(now) {
      state.now = now;
    },
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`,
      NODE_EXTRA_CA_CERTS: certificates.caFile,
      GOOGLE_APPLICATION_CREDENTIALS: keyFile,
    },
    async [Symbol.asyncDispose]() {
      for (const server of [proxy, google]) {
        server.close();
        server.closeAllConnections();
      }
      await rm(directory, { recursive: true });
    },
  };
}

function serviceAccountKey(): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    type: 'service_account',
    project_id: 'shop',
    private_key_id: '0123456789abcdef',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: account,
    client_id: '1234567890',
    token_uri: 'https://oauth2.googleapis.com/token',
  };
}

function giveToken(state: AccountState, answer: ServerResponse): void {
  if (state === 'disabled')
    say(answer, 400, { error: 'invalid_grant', error_description: 'Invalid grant: account not found' });
  else say(answer, 200, { access_token: `ya29.${state}`, expires_in: 3599, token_type: 'Bearer' });
}

/** Answers where it is not. */
function isLetIn(state: AccountState, { headers }: IncomingMessage, answer: ServerResponse): boolean {
  if (headers.authorization !== `Bearer ya29.${state}` || state === 'revoked') {
    refuse(answer, 401, { message: 'Invalid Credentials', reason: 'authError' });
    return false;
  }
  if (state === 'without rights') {
    const message = `${account} does not have storage.objects.create access to the Google Cloud Storage object.`;
    refuse(answer, 403, { message, reason: 'forbidden' });
    return false;
  }
  return true;
}

/** As its JSON API does. */
function refuse(answer: ServerResponse, code: number, error: { message: string; reason: string }): void {
  say(answer, code, {
    error: { code, message: error.message, errors: [{ ...error, domain: 'global' }] },
  });
}

function say(answer: ServerResponse, status: number, body: object): void {
  answer.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body));
}

function forward(storage: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { method = '', url = '', headers } = asked;
  const { host, port } = new URL(storage);
  const passed = request({ host: '127.0.0.1', port, method, path: url, headers: { ...headers, host } });
  passed.on('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  passed.on('error', () => answer.destroy());
  asked.pipe(passed);
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
