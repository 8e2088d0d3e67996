import { readFile } from 'node:fs/promises';
import type { SASLOptions } from '@platformatic/kafka';

export interface TokenOptions {
  /** KAFKA_TOKEN_FILE. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * OAUTHBEARER with the token of a file, which is read for each connection, and again before a connection's token
 * expires: who renews the file need tell nobody.
 */
export function tokenLogin({ file, now = Date.now }: TokenOptions): SASLOptions {
  let expiry: number | undefined;
  return {
    mechanism: 'OAUTHBEARER',
    token: async () => {
      const token = await readToken(file);
      expiry = expiryOf(token);
      return token;
    },
    // What a broker answers to a good token is empty; to another it says why, and waits to be told that this is seen.
    authBytesValidator: (answer, callback) => {
      if (answer.length === 0) return callback(null, answer);
      const expired = expiry !== undefined && expiry <= now();
      const when = expired ? `, which expired at ${new Date(expiry ?? 0).toISOString()}` : '';
      callback(new Error(`it refuses the token in KAFKA_TOKEN_FILE (${file})${when}: ${statusIn(answer)}`));
    },
  };
}

async function readToken(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error(`Cannot read KAFKA_TOKEN_FILE: ${(cause as Error).message}`, { cause });
  }
  const token = text.trim();
  if (token === '') throw new Error(`Cannot use KAFKA_TOKEN_FILE: ${file} is empty`);
  return token;
}

/** When a JWT expires, in milliseconds since 1970; undefined where it does not say, or is none. */
function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const { exp } = claims as { exp?: unknown };
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

function statusIn(answer: Buffer): string {
  const text = answer.toString('utf8');
  try {
    const { status } = JSON.parse(text) as { status?: string };
    return status ?? text;
  } catch {
    return text;
  }
}
