import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { installDebianPackage } from './debian-package.ts';

const run = promisify(execFile);

/** A network of its own for one server, which can be cut off: packets vanish then, and nobody is told. */
export interface IsolatedNetwork extends AsyncDisposable {
  /** The server's IPv4 address. */
  readonly address: string;
  /** This machine's address in it. */
  readonly hostAddress: string;
  /** The command, with its first arguments, that runs a command inside of it. */
  readonly enter: readonly string[];
  cut(): Promise<void>;
  mend(): Promise<void>;
}

let serial = 0;

/** A network namespace at the other end of a veth pair. @throws where that needs root or `ip` (Linux, iproute2). */
export async function isolatedNetwork(): Promise<IsolatedNetwork> {
  const name = `fb${process.pid}-${serial++}`;
  const [inside, outside] = [`${name}i`, `${name}o`];
  // 198.18.0.0/15 is for tests of networks (RFC 2544): nobody routes it.
  const net = `198.18.${(process.pid >> 6) & 255}`;
  const first = ((process.pid & 31) * 2 + (serial & 1)) * 4;
  const [hostAddress, address] = [`${net}.${first + 1}`, `${net}.${first + 2}`];
  const remove = (): void => {
    execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  };
  try {
    await ip('-V').catch(() => installDebianPackage('iproute2'));
    await ip('netns', 'add', name);
  } catch (cause) {
    throw new Error(`Cannot make a network namespace: ${(cause as Error).message.trim()}`, { cause });
  }
  process.once('exit', remove);
  await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
  await ip('addr', 'add', `${hostAddress}/30`, 'dev', outside);
  await ip('link', 'set', outside, 'up');
  await ip('-n', name, 'addr', 'add', `${address}/30`, 'dev', inside);
  await ip('-n', name, 'link', 'set', inside, 'up');
  await ip('-n', name, 'link', 'set', 'lo', 'up');
  return {
    address,
    hostAddress,
    enter: ['ip', 'netns', 'exec', name],
    // At its own end: the other would take this machine's address away from the other members.
    cut: () => ip('-n', name, 'link', 'set', inside, 'down'),
    mend: () => ip('-n', name, 'link', 'set', inside, 'up'),
    async [Symbol.asyncDispose]() {
      process.off('exit', remove);
      await ip('netns', 'del', name);
    },
  };
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}
