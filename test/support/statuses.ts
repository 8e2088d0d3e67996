import type { ContainerStatus, Status } from '../../src/ops/status.ts';

const now = '2026-11-24T03:00:00.000Z';
const before = (seconds: number) => new Date(Date.parse(now) - seconds * 1000).toISOString();

/** A container where all is well, but for `part`. */
export function aContainer(part: Partial<ContainerStatus> = {}): ContainerStatus {
  const { namespace = 'shop', pod = 'checkout-7d9f8b6c5-x2x4z', container = 'app' } = part;
  return {
    namespace,
    pod,
    container,
    uid: 'uid',
    directory: `/var/log/pods/${namespace}_${pod}_uid/${container}`,
    state: 'reading',
    why: '',
    behindBytes: 0,
    behindSeconds: 0,
    deletionSeconds: null,
    bytesPerSecond: 8_400,
    lastDataAt: before(0.4),
    lastRecordAt: before(3),
    lines: 12_345,
    records: 12_300,
    delivered: 12_280,
    deadLettered: 0,
    inFlight: 20,
    skipped: { not_json: 45 },
    samples: [{ reason: 'not_json', text: 'Listening on port 8080', at: before(4000) }],
    files: [
      {
        name: '0.log.20261124-021500',
        offset: 10_485_760,
        read: 10_485_760,
        size: 10_485_760,
        state: 'done',
      },
      { name: '0.log', offset: 4_000_000, read: 4_100_000, size: 4_100_000, state: 'reading' },
    ],
    ...part,
  };
}

/** An agent where all is well, but for `part`. */
export function aStatus(part: Partial<Status> = {}): Status {
  return {
    version: 1,
    now,
    agent: {
      version: '0.1.0',
      node: 'node-1',
      startedAt: before(93_000),
      residentBytes: 88_000_000,
      podSource: 'kubernetes',
      namespaces: ['shop'],
      selector: 'app=snowplow',
      podLogDir: '/var/log/pods',
      stateDir: '/var/lib/frostbeat',
    },
    ready: { ok: true, reasons: [] },
    live: { ok: true, reasons: [] },
    totals: {
      bytes: 9_000_000,
      lines: 37_035,
      records: 36_900,
      delivered: 36_840,
      deadLettered: 0,
      inFlight: 60,
      skipped: { not_json: 135, not_object: 0, no_trace_id: 0, no_time: 0, bad_time: 0, too_long: 0 },
    },
    watermark: { at: before(1.4), lagSeconds: 1.4, restsOn: 'the log directories' },
    paused: false,
    writers: [
      {
        name: 'etcd',
        failure: null,
        full: false,
        batches: 3,
        writing: 2,
        failed: 0,
        bytes: 24_000,
        lastWriteAt: before(0.2),
      },
    ],
    watches: [{ namespace: 'shop', open: true, trouble: null }],
    canaries: [],
    containers: [
      aContainer(),
      aContainer({
        pod: 'cart-6bd5f7c9d8-9kq2n',
        state: 'quiet',
        lastDataAt: before(700),
        bytesPerSecond: 0,
      }),
      aContainer({ pod: 'payment-5c7d9f4b6-zzt8p' }),
    ],
    notFollowed: [
      {
        directory: 'kube-system_kube-proxy-abcde_uid',
        why: 'NAMESPACE is shop: its namespace is kube-system.',
      },
    ],
    gaps: [],
    troubles: [],
    ...part,
  };
}

/** A bad night: the store is down, so many containers wait, and time runs out. */
export function aBadNight(count: number): Status {
  const failure = 'Cannot write to etcd (https://etcd-0:2379): no connection (ECONNREFUSED)';
  const containers = Array.from({ length: count }, (_, index) => {
    const pod = `service-${String(index).padStart(3, '0')}-6bd5f7c9d8-9kq2n`;
    if (index === 1)
      return aContainer({ pod, state: 'failing', why: 'EACCES: permission denied, open …/0.log' });
    if (index === 2)
      return aContainer({
        pod,
        state: 'no records',
        why: 'Not one of its lines is a record (not_json).',
        records: 0,
      });
    if (index === 3)
      return aContainer({
        pod,
        state: 'held',
        why: 'It is not known yet whether its pod is selected: its files are held open.',
      });
    return aContainer({
      pod,
      state: 'waiting',
      why: 'The writer etcd fails.',
      behindBytes: 48_000_000 - index * 1000,
      behindSeconds: 1_260,
      deletionSeconds: 420 + index,
      lastDataAt: before(1_260),
    });
  });
  return aStatus({
    containers,
    paused: true,
    watermark: { at: before(1_260), lagSeconds: 1_260, restsOn: 'shop/service-000-6bd5f7c9d8-9kq2n/app' },
    ready: { ok: false, reasons: [{ part: 'writer etcd', reason: failure }] },
    writers: [
      {
        name: 'etcd',
        failure,
        full: true,
        batches: 16,
        writing: 4,
        failed: 12,
        bytes: 1_048_000,
        lastWriteAt: before(1_260),
      },
    ],
    gaps: [
      {
        container: 'shop_gone-5c7d9f4b6-zzt8p_uid/app',
        file: '0.log.20261124-013000',
        reason: 'held_files_budget',
        bytes: 10_485_760,
        until: before(300),
      },
    ],
    troubles: [
      {
        time: before(20),
        level: 'warn',
        message: `The writer etcd fails: ${failure}. Nothing is lost: it is tried until it works, and reading waits.`,
        details: { writer: 'etcd', failures: 402, failingForMs: 1_240_000 },
      },
    ],
  });
}
