import { beforeEach, describe, expect, it } from 'vitest';
import { containerTarget, podTarget } from '../../src/pods/log-path.ts';
import { Fairness } from './fairness.ts';
import { MUST, RecordBook } from './record-book.ts';
import type { FileTrack, TortureContainer } from './torture-container.ts';

const target = containerTarget(podTarget('/pods', { namespace: 'demo', pod: 'web', uid: 'u' }), 'app');

let now: number;
let book: RecordBook;
let fairness: Fairness;
let behind: Map<string, number>;
let containers: TortureContainer[];

beforeEach(() => {
  now = 0;
  behind = new Map();
  containers = [];
  book = new RecordBook(() => now);
  fairness = new Fairness(book, { note: () => undefined });
  fairness.agentStarted();
});

/** Time goes by, and the agent is asked; with a share of the processor it answers so much more rarely. */
function pass(ms: number, share = 1, idle = true): void {
  for (const end = now + ms; now < end;) {
    now += 250 / share;
    fairness.scraped(now, { behind, idle }, containers);
  }
}

function container(): TortureContainer {
  const made = { target, createdAt: now, toldAt: now } as TortureContainer;
  containers.push(made);
  return made;
}

function file(): FileTrack {
  const seq = book.add({ traceId: 't', unixNano: '1', json: Buffer.from('{}') }, 0, MUST);
  book.finish(seq);
  return { createdAt: now, seqs: [seq] };
}

describe('Fairness', () => {
  it('asks for what the agent had said to have read, a while before it was killed', () => {
    pass(8_000);
    const app = container();
    const log = file();
    behind.set('demo/web/app', 0);
    pass(5_000);
    fairness.deleted(app, log);
    fairness.agentEnded();
    expect(book.isMust(0)).toBe(true);
  });

  it('does not ask for it where the agent got so little of the processor that it may not have looked', () => {
    pass(8_000);
    const app = container();
    const log = file();
    behind.set('demo/web/app', 0);
    pass(5_000, 0.2);
    fairness.deleted(app, log);
    fairness.agentEnded();
    expect(book.isMust(0)).toBe(false);
  });

  it('does not ask for what may still have waited for its batch when the agent was killed', () => {
    pass(8_000);
    const app = container();
    const log = file();
    behind.set('demo/web/app', 0);
    pass(2_000);
    fairness.deleted(app, log);
    fairness.agentEnded();
    expect(book.isMust(0)).toBe(false);
  });

  it('does not ask for what waited to be stored all the while', () => {
    pass(8_000);
    const app = container();
    const log = file();
    behind.set('demo/web/app', 0);
    pass(10_000, 1, false);
    fairness.deleted(app, log);
    fairness.agentEnded();
    expect(book.isMust(0)).toBe(false);
  });

  it('asks for a file that was deleted a second after it came, where the agent lives on', () => {
    pass(8_000);
    const app = container();
    const log = file();
    pass(1_500);
    fairness.deleted(app, log);
    pass(5_000);
    fairness.end();
    expect(book.isMust(0)).toBe(true);
  });

  it('does not ask for one that was deleted sooner, in the time that the agent had', () => {
    pass(8_000);
    const app = container();
    const log = file();
    pass(1_500, 0.4);
    fairness.deleted(app, log);
    expect(book.isMust(0)).toBe(false);
  });

  it('does not take what is said of an earlier pod of the same name for its own', () => {
    pass(8_000);
    behind.set('demo/web/app', 0);
    fairness.apiBroken();
    pass(1_000);
    const app = container();
    fairness.isNamesake(app);
    const log = file();
    pass(5_000);
    fairness.deleted(app, log);
    fairness.agentEnded();
    expect(book.isMust(0)).toBe(false);
  });

  it('does not take a container that the agent does not know yet for one that it has read and let go', () => {
    pass(8_000);
    const app = container();
    const log = file();
    pass(1_500);
    fairness.deleted(app, log);
    pass(10_000);
    fairness.agentEnded();
    expect(book.isMust(0)).toBe(false);
  });

  it('asks for what came and went while the API was broken, where that tells of the pod afterwards', () => {
    pass(8_000);
    fairness.apiBroken();
    pass(1_000);
    const app = container();
    const log = file();
    pass(1_500);
    fairness.deleted(app, log);
    fairness.apiHealed();
    pass(8_000);
    fairness.untold(app);
    fairness.end();
    expect(book.isMust(0)).toBe(true);
  });

  it.each<[string, () => void]>([
    ['the API forgets the pod', () => fairness.untold(containers[0]!)],
    ['the agent is ended', () => fairness.agentEnded()],
  ])('does not ask for it where %s before it could be told', (_, happens) => {
    pass(8_000);
    fairness.apiBroken();
    pass(1_000);
    const app = container();
    const log = file();
    pass(1_500);
    fairness.deleted(app, log);
    fairness.apiHealed();
    pass(1_000);
    happens();
    pass(8_000);
    fairness.end();
    expect(book.isMust(0)).toBe(false);
  });

  it('does not count what an agent says that was told to end', () => {
    pass(8_000);
    const app = container();
    const log = file();
    pass(1_000);
    fairness.agentEnded();
    behind.set('demo/web/app', 0);
    pass(5_000);
    fairness.deleted(app, log);
    expect(book.isMust(0)).toBe(false);
  });

  it('wants a gap told by the next life of an agent that knew of a file, where it lives long enough', () => {
    behind.set('demo/web/app', 1);
    pass(1_000);
    const app = container();
    const log = file();
    pass(6_000);
    fairness.agentEnded();
    fairness.deleted(app, log);
    fairness.agentStarted();
    pass(2_000);
    fairness.end();
    expect(fairness.owed).toEqual([]);
    pass(6_000);
    fairness.end();
    expect(fairness.owed).toMatchObject([{ container: 'demo_web_u/app', seqs: [0], life: 1 }]);
  });
});
