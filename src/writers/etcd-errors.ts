import { ClientClosedError, GRPCDeadlineExceededError, GRPCUnavailableError } from 'etcd3';

/**
 * What a failure of etcd asks for.
 *
 * - `again`: the usual back-off; the cause may pass by itself, or it is not known.
 * - `slowly`: somebody has to do something first; probing seldom is enough.
 * - `too-large`: never again as it is.
 * - `lease-gone`: again at once, under another lease.
 * - `new-client`: again at once, with a new client (a new connection, token, password and certificates).
 */
export type Remedy = 'again' | 'slowly' | 'too-large' | 'lease-gone' | 'new-client';

interface Rule {
  readonly when: RegExp | (new (message: string) => Error);
  readonly remedy: Remedy;
  /** With `slowly`: milliseconds between probes. */
  readonly delayMs?: number;
  /** The endpoint is at fault, or the connection or its secrets: the next attempt uses another, made anew. */
  readonly moveOn?: true;
  /** Said instead of the server's words: what it means and what an operator must do. */
  readonly help?: string;
}

/**
 * The first that fits counts. etcd3 drops the gRPC code of an error: what is left is its class and its message.
 * The texts are those of etcd 3.4 to 3.6 (`api/v3rpc/rpctypes/error.go`) and of grpc-js.
 */
const rules: readonly Rule[] = [
  { when: /requested lease not found/, remedy: 'lease-gone' },
  { when: /request is too large|message larger than max|too many operations/, remedy: 'too-large' },
  {
    when: /database space exceeded/,
    remedy: 'slowly',
    delayMs: 15_000,
    help:
      'its database is full (NOSPACE). Compact it, defragment every member, then disarm the alarm ' +
      '(etcdctl compact, defrag, alarm disarm); a larger --quota-backend-bytes or a shorter TTL keeps it from filling up again',
  },
  { when: /revision of auth store is old|invalid auth token/, remedy: 'new-client', moveOn: true },
  {
    when: /authentication failed, invalid user/,
    remedy: 'slowly',
    delayMs: 5_000,
    moveOn: true,
    help: 'it refuses the user or the password: check ETCD_USERNAME and ETCD_PASSWORD or ETCD_PASSWORD_FILE',
  },
  {
    when: /user name is empty/,
    remedy: 'slowly',
    delayMs: 5_000,
    moveOn: true,
    help: 'it asks for a user: set ETCD_USERNAME and ETCD_PASSWORD or ETCD_PASSWORD_FILE',
  },
  {
    when: /authentication is not enabled/,
    remedy: 'slowly',
    delayMs: 5_000,
    moveOn: true,
    help: 'its authentication is not enabled: enable it, or unset ETCD_USERNAME',
  },
  {
    when: /permission denied/,
    remedy: 'slowly',
    delayMs: 5_000,
    help:
      'the user lacks a permission: writing needs «write» and reading traces «read» on the prefix logs/ ' +
      '(etcdctl role grant-permission ROLE --prefix=true readwrite logs/)',
  },
  { when: /too many requests/, remedy: 'again', help: 'it has too many requests to do' },
  {
    when: /alert (bad certificate|certificate required|unknown ca|handshake failure)|alert number (42|116)/,
    remedy: 'again',
    moveOn: true,
    help: "it refuses the agent's certificate: check ETCD_CERT_FILE and ETCD_KEY_FILE",
  },
  {
    when: /unable to verify|unable to get .*issuer|self-signed/,
    remedy: 'again',
    moveOn: true,
    help: 'its certificate is not signed by an authority that is known: check ETCD_CA_FILE',
  },
  {
    when: /key values mismatch/,
    remedy: 'again',
    moveOn: true,
    help: 'ETCD_CERT_FILE and ETCD_KEY_FILE do not belong together',
  },
  {
    when: /before secure TLS connection|wrong version number/,
    remedy: 'again',
    moveOn: true,
    help: 'no TLS connection: is http:// meant in ETCD_SERVERS?',
  },
  {
    when: /Last error: Failed to connect/,
    remedy: 'again',
    moveOn: true,
    help: 'it closes the connection: is https:// meant in ETCD_SERVERS?',
  },
  {
    when: /no leader|leader changed|request timed out|server stopped|not capable|learner/,
    remedy: 'again',
    moveOn: true,
    help: 'it has no quorum or no leader now',
  },
  { when: GRPCDeadlineExceededError, remedy: 'again', moveOn: true, help: 'no answer in time' },
  { when: GRPCUnavailableError, remedy: 'again', moveOn: true },
  { when: ClientClosedError, remedy: 'new-client', moveOn: true },
];

/** A failed call of etcd, and what it asks for. The message holds no secret. */
export class EtcdFailure extends Error {
  override readonly name = 'EtcdFailure';
  readonly remedy: Remedy;
  readonly delayMs: number | undefined;
  readonly moveOn: boolean;

  constructor(cause: unknown) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const rule = rules.find(({ when }) => (when instanceof RegExp ? when.test(text) : cause instanceof when));
    super(rule?.help ?? plainWords(text), { cause });
    this.remedy = rule?.remedy ?? 'again';
    this.delayMs = rule?.delayMs;
    // Of what is not known, a bad connection is the likeliest cause that a new one mends.
    this.moveOn = rule === undefined || rule.moveOn === true;
  }
}

/** The words without what varies from one attempt to the next, so that a repeated failure reads the same. */
function plainWords(text: string): string {
  const connecting = /Last error: (?:Error: )?(.+?)\.? ?(?:Resolution note:.*)?$/s.exec(text)?.[1];
  if (connecting === undefined) {
    return text.replace(/^(\d+ [A-Z_]+|[A-Za-z]+Error): /, '').replace(/^etcdserver: /, '');
  }
  const code = /\bE[A-Z]{4,}\b/.exec(connecting)?.[0];
  return `no connection (${code ?? connecting.replace(/\s*\(\d{4}-[^)]*\)/, '').trim()})`;
}
