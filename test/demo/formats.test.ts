import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rfc3339Nano, rfc3339NineDigits, wallClock } from '../../src/demo/clock.ts';
import { conmonFormat } from '../support/sim/conmon-format.ts';
import { containerdFormat } from '../../src/demo/containerd-format.ts';
import { dockerFormat } from '../support/sim/docker-format.ts';

/** 2026-11-22T23:08:19.0125Z: trailing zeros. */
const start = 1_795_388_899_012_500_000n;

const fixed = () => start;

/** The fields of CRI lines; content as one character a byte. */
function criLines(bytes: Buffer) {
  return bytes
    .toString('latin1')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [, time, stream, tag, content] = /^(\S+) (stdout|stderr) ([PF]) (.*)$/s.exec(line) ?? [];
      return { time, stream, tag, content: content ?? `no CRI line: ${line}` };
    });
}

describe('times', () => {
  it('are written as Go does: trailing zeros cut, no fraction where it is zero', () => {
    expect(rfc3339Nano(start)).toBe('2026-11-22T23:08:19.0125Z');
    expect(rfc3339Nano(start - 12_500_000n)).toBe('2026-11-22T23:08:19Z');
    expect(rfc3339Nano(start + 1n, 330)).toBe('2026-11-23T04:38:19.012500001+05:30');
    expect(rfc3339Nano(start, -210)).toBe('2026-11-22T19:38:19.0125-03:30');
  });

  it('are written as conmon does: nine digits and a numeric zone', () => {
    expect(rfc3339NineDigits(start)).toBe('2026-11-22T23:08:19.012500000+00:00');
  });

  it('go forward only, and are near the time that Date tells', () => {
    const clock = wallClock();
    const times = Array.from({ length: 1000 }, clock);
    expect(times.every((time, i) => i === 0 || time > (times[i - 1] ?? 0n))).toBe(true);
    expect(Math.abs(Number(clock() / 1_000_000n) - Date.now())).toBeLessThan(1000);
  });
});

describe('containerd', () => {
  it('writes a line as time, stream, tag and content, and an empty one too', () => {
    const format = containerdFormat({ clock: fixed });
    expect(format.output('stdout', Buffer.from('one\n\nthree\r\n')).toString()).toBe(
      '2026-11-22T23:08:19.0125Z stdout F one\n' +
        '2026-11-22T23:08:19.0125Z stdout F \n' +
        '2026-11-22T23:08:19.0125Z stdout F three\n',
    );
  });

  it('cuts content at 16,384 bytes, in the middle of a character too, and not what is just as long', () => {
    const format = containerdFormat({ clock: fixed });
    const exact = criLines(format.output('stdout', Buffer.from(`${'x'.repeat(16_384)}\n`)));
    expect(exact.map(({ tag, content }) => [tag, content.length])).toEqual([['F', 16_384]]);

    const cut = criLines(format.output('stdout', Buffer.from(`x${'é'.repeat(8_192)}\n`)));
    expect(cut.map(({ tag, content }) => [tag, content.length])).toEqual([
      ['P', 16_384],
      ['F', 1],
    ]);
    expect(cut[0]?.content.endsWith('\xc3')).toBe(true);
    expect(cut[1]?.content).toBe('\xa9');
  });

  it('keeps back what has no line end, a stream apart, until it comes or the log is flushed', () => {
    const format = containerdFormat({ clock: fixed });
    expect(format.output('stdout', Buffer.from('out ')).length).toBe(0);
    expect(criLines(format.output('stderr', Buffer.from('err\n'))).map(({ content }) => content)).toEqual([
      'err',
    ]);
    expect(criLines(format.flush())).toMatchObject([{ stream: 'stdout', tag: 'P', content: 'out ' }]);
    expect(format.flush().length).toBe(0);
    expect(criLines(format.output('stdout', Buffer.from('put\n')))).toMatchObject([
      { stream: 'stdout', tag: 'F', content: 'put' },
    ]);
  });
});

describe('conmon', () => {
  it('writes the same fragments as the real one did for a line of 40,000 bytes', () => {
    const sample = criLines(readFileSync(new URL('../fixtures/conmon/0.log', import.meta.url)));
    const first = sample.findIndex(({ tag }) => tag === 'P');
    const last = sample.findIndex(({ tag }, i) => i > first && tag === 'F');
    const fragments = sample.slice(first, last + 1);
    const content = fragments.map((fragment) => fragment.content).join('');

    const ours = criLines(
      conmonFormat({ clock: fixed }).output('stdout', Buffer.from(`${content}\n`, 'latin1')),
    );
    expect(ours.map(({ tag, content: part }) => [tag, part])).toEqual(
      fragments.map(({ tag, content: part }) => [tag, part]),
    );
  });

  it('writes at once what has no line end, so that a line end alone makes an empty full line', () => {
    const format = conmonFormat({ clock: fixed });
    const lines = criLines(
      Buffer.concat([
        format.output('stdout', Buffer.from('some')),
        format.output('stdout', Buffer.from('\n')),
        format.flush(),
      ]),
    );
    expect(lines).toEqual([
      { time: '2026-11-22T23:08:19.012500000+00:00', stream: 'stdout', tag: 'P', content: 'some' },
      { time: '2026-11-22T23:08:19.012500000+00:00', stream: 'stdout', tag: 'F', content: '' },
    ]);
  });
});

describe('Docker', () => {
  it('writes JSON lines whose log ends with a line feed where the line is complete', () => {
    const format = dockerFormat({ clock: fixed });
    expect(format.output('stderr', Buffer.from('a <b>\nc')).toString()).toBe(
      String.raw`{"log":"a \u003cb\u003e\n","stream":"stderr","time":"2026-11-22T23:08:19.0125Z"}` + '\n',
    );
    expect(format.flush().toString()).toBe(
      '{"log":"c","stream":"stderr","time":"2026-11-22T23:08:19.0125Z"}\n',
    );
  });

  it('cuts at 16 KiB without a line feed', () => {
    const format = dockerFormat({ clock: fixed });
    const logs = format
      .output('stdout', Buffer.from(`${'x'.repeat(16_384)}\n`))
      .toString()
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(logs).toMatchObject([{ log: 'x'.repeat(16_384) }, { log: '\n' }]);
  });
});

describe('joining the fragments of a stream', () => {
  const text = fc.stringMatching(/^[a-zé漢\r ]{0,60}$/).map((line) => line.replaceAll('\n', ''));
  const chunks = fc.array(
    fc.record({ stream: fc.constantFrom('stdout' as const, 'stderr' as const), text, ends: fc.boolean() }),
    { maxLength: 30 },
  );

  it.each([
    ['containerd', () => containerdFormat({ clock: fixed, maxLineBytes: 7 }), true],
    ['conmon', () => conmonFormat({ clock: fixed, readBytes: 7 }), false],
  ] as const)('gives back what the container printed: %s', (_name, makeFormat, dropsCr) => {
    fc.assert(
      fc.property(chunks, fc.nat(5), (printed, flushEvery) => {
        const format = makeFormat();
        const written: Buffer[] = [];
        const expected = { stdout: '', stderr: '' };
        for (const [i, { stream, text: content, ends }] of printed.entries()) {
          const output = `${content}${ends ? '\n' : ''}`;
          expected[stream] += output;
          written.push(format.output(stream, Buffer.from(output)));
          if (!dropsCr && flushEvery > 0 && i % flushEvery === 0) written.push(format.flush());
        }
        written.push(format.flush());
        const joined = { stdout: '', stderr: '' };
        for (const { stream, tag, content } of criLines(Buffer.concat(written))) {
          joined[stream as 'stdout' | 'stderr'] += `${content}${tag === 'F' ? '\n' : ''}`;
        }
        for (const stream of ['stdout', 'stderr'] as const) {
          const wanted = Buffer.from(expected[stream]).toString('latin1');
          expect(joined[stream]).toBe(dropsCr ? wanted.replaceAll('\r\n', '\n') : wanted);
        }
      }),
    );
  });
});
