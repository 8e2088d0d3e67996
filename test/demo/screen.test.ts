import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Screen } from '../../src/demo/screen.ts';

function output(properties: { isTTY?: boolean; columns?: number } = {}) {
  const stream = Object.assign(new PassThrough(), properties);
  return { stream, text: () => String(stream.read() ?? '') };
}

describe('the screen', () => {
  it('shows progress on a terminal in one line, no longer than the terminal is wide', () => {
    const { stream, text } = output({ isTTY: true, columns: 10 });
    const screen = new Screen(stream, {});
    screen.progress('one', 0);
    screen.progress('two is far too long', 0);
    screen.say('done');
    expect(text()).toBe('one\r\u001b[Ktwo is fa\r\u001b[Kdone\n');
  });

  it('shows progress in a pipe as lines of their own, and not too many', () => {
    const { stream, text } = output();
    const screen = new Screen(stream, {});
    for (const line of ['one', 'two', 'three']) screen.progress(line, 60_000);
    screen.say('done');
    expect(text()).toBe('one\ndone\n');
  });

  it.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: '' }, true],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{}, {}, false],
  ])('uses colours on a terminal that wants them: %j %j', (properties, env, colour) => {
    const screen = new Screen(output(properties).stream, env);
    expect(screen.paint('red', 'text')).toBe(colour ? '\u001b[31mtext\u001b[39m' : 'text');
    expect(screen.colour).toBe(colour);
  });
});
