import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

/** Who may read. */
export interface Access {
  /** Basic authentication. */
  readonly basic?: { readonly username: string; readonly password: string } | undefined;
  /** The header in which a proxy in front says who asks, in lower case; who has none is refused. */
  readonly userHeader?: string | undefined;
  /** Only this machine is served: then only its own names are, so that no site's name can be made to lead here. */
  readonly onlyLocal: boolean;
}

const localNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/** @throws Problem where the request is refused. */
export function guard(request: IncomingMessage, { basic, userHeader, onlyLocal }: Access): void {
  const { headers } = request;
  if (onlyLocal && !localNames.has((headers.host ?? '').replace(/:\d+$/, '').toLowerCase())) {
    throw new Problem(421, 'This server answers to localhost only; SERVE_HOST opens it');
  }
  // No other site's page has any business here, but to lead a person to ours.
  if (headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate') {
    throw new Problem(403, 'Not for other sites');
  }
  if (userHeader !== undefined) {
    const user = headers[userHeader];
    if (typeof user !== 'string' || user.trim() === '')
      throw new Problem(403, 'The proxy did not say who asks');
  }
  if (basic !== undefined && !isKnown(headers.authorization, basic)) {
    throw new Problem(401, 'Who are you?', {
      'www-authenticate': 'Basic realm="Frostbeat", charset="UTF-8"',
    });
  }
}

function isKnown(authorization: string | undefined, basic: NonNullable<Access['basic']>): boolean {
  const given = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) return false;
  const wanted = `${basic.username}:${basic.password}`;
  return timingSafeEqual(digest(Buffer.from(given, 'base64')), digest(Buffer.from(wanted, 'utf8')));
}

/** Of one length, so that the time of the comparison tells nothing. */
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
