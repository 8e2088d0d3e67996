import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Paths of PEM files. */
export interface Certificates {
  readonly caFile: string;
  readonly server: KeyPair;
  /** For the client's side of mutual TLS; its common name is `frostbeat`. */
  readonly client: KeyPair;
}

export interface KeyPair {
  readonly certFile: string;
  readonly keyFile: string;
}

/**
 * Makes an authority, a server certificate for 127.0.0.1 and localhost, and a client certificate, by openssl.
 *
 * @param names more that the certificates are for.
 */
export async function makeCertificates(
  directory: string,
  names: readonly string[] = [],
): Promise<Certificates> {
  const caFile = join(directory, 'ca.crt');
  const subject = ['-subj', '/CN=frostbeat test authority'];
  await openssl([
    'req',
    '-x509',
    ...newKey,
    ...subject,
    '-keyout',
    join(directory, 'ca.key'),
    '-out',
    caFile,
  ]);
  return {
    caFile,
    server: await issue(directory, 'server', ['localhost', ...names]),
    client: await issue(directory, 'client', ['frostbeat']),
  };
}

/** Makes a new key and has the authority in `directory` sign it, replacing the files of that name. */
async function issue(directory: string, name: string, names: readonly string[]): Promise<KeyPair> {
  const [certFile, keyFile] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const [request, extensions] = [join(directory, `${name}.csr`), join(directory, `${name}.ext`)];
  await writeFile(
    extensions,
    `subjectAltName=${names.map((one) => `DNS:${one},`).join('')}IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n`,
  );
  const authority = [
    '-CA',
    join(directory, 'ca.crt'),
    '-CAkey',
    join(directory, 'ca.key'),
    '-CAcreateserial',
  ];
  await openssl(['req', '-new', ...newKey, '-subj', `/CN=${names[0]}`, '-keyout', keyFile, '-out', request]);
  await openssl(['x509', '-req', '-in', request, '-extfile', extensions, ...authority, '-out', certFile]);
  return { certFile, keyFile };
}

/** Makes an RSA key pair for etcd's JWT tokens and returns the value of its flag `--auth-token`. */
export async function jwtTokenFlag(directory: string): Promise<string> {
  const [privateKey, publicKey] = [join(directory, 'jwt.key'), join(directory, 'jwt.pub')];
  await openssl(['genrsa', '-out', privateKey, '2048']);
  await openssl(['rsa', '-in', privateKey, '-pubout', '-out', publicKey]);
  return `jwt,pub-key=${publicKey},priv-key=${privateKey},sign-method=RS256,ttl=1h`;
}

async function openssl(args: readonly string[]): Promise<void> {
  await run('openssl', args);
}
