import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { conmonFormat } from '../support/sim/conmon-format.ts';
import { ContainerLog } from '../../src/demo/container-log.ts';
import { containerdFormat } from '../../src/demo/containerd-format.ts';
import { rotateAsKubelet, type RotationStep } from '../../src/demo/kubelet-rotation.ts';

const second = 1_000_000_000n;
const start = 1_795_388_899n * second;

function diesWhileCompressing(step: RotationStep): void {
  if (step === 'compressing') throw new Error('the kubelet is gone');
}

describe('a rotation as the kubelet does it', () => {
  let directory: string;
  let now: bigint;
  let log: ContainerLog;
  const clock = () => now;
  const path = () => join(directory, '0.log');
  const rotate = (options: Partial<Parameters<typeof rotateAsKubelet>[1]> = {}) =>
    rotateAsKubelet(log, { maxFiles: 5, clock, ...options });
  const read = (name: string) => {
    const bytes = readFileSync(join(directory, name));
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  };
  const contents = () =>
    readdirSync(directory)
      .toSorted()
      .map((name) => [name, read(name).match(/(?<= [PF] ).*/g)]);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'frostbeat-rotation-'));
    now = start;
    log = new ContainerLog(path(), containerdFormat({ clock }));
  });
  afterEach(() => {
    log.end();
    rmSync(directory, { recursive: true });
  });

  it('leaves the newest rotated file plain, older ones compressed, and at most MaxFiles in all', async () => {
    for (let i = 0; i < 8; i++) {
      log.print(`line ${i}\n`);
      await rotate();
      now += 10n * second;
    }
    log.print('line 8\n');
    expect(contents()).toEqual([
      ['0.log', ['line 8']],
      ['0.log.20261122-230859.gz', ['line 4']],
      ['0.log.20261122-230909.gz', ['line 5']],
      ['0.log.20261122-230919.gz', ['line 6']],
      ['0.log.20261122-230929', ['line 7']],
    ]);
  });

  it('takes the next free second where two rotations fall into one', async () => {
    for (const text of ['one\n', 'two\n', 'three\n']) {
      log.print(text);
      await rotate();
    }
    expect(contents()).toEqual([
      ['0.log', null],
      ['0.log.20261122-230819.gz', ['one']],
      ['0.log.20261122-230820.gz', ['two']],
      ['0.log.20261122-230821', ['three']],
    ]);
  });

  it('has a moment without a live file, in which what is printed goes to the renamed one', async () => {
    log.print('before\n');
    const seen: string[][] = [];
    await rotate({
      at: (step) => {
        if (step !== 'no_live_file') return;
        seen.push(readdirSync(directory));
        log.print('late\n');
      },
    });
    log.print('after\n');
    expect(seen).toEqual([['0.log.20261122-230819']]);
    expect(contents()).toEqual([
      ['0.log', ['after']],
      ['0.log.20261122-230819', ['before', 'late']],
    ]);
  });

  it('cuts an unterminated line: its head as a partial line in the old file, the rest in the new one', async () => {
    log.print('head ');
    await rotate();
    log.print('and tail\n');
    expect(read('0.log.20261122-230819')).toBe('2026-11-22T23:08:19Z stdout P head \n');
    expect(read('0.log')).toBe('2026-11-22T23:08:19Z stdout F and tail\n');
  });

  it('renames back where the runtime cannot reopen: the same inode is the live file again', async () => {
    log.print('one\n');
    const inode = statSync(path()).ino;
    expect(await rotate({ reopenFails: true })).toBe(false);
    log.print('two\n');
    expect(statSync(path()).ino).toBe(inode);
    expect(contents()).toEqual([['0.log', ['one', 'two']]]);
  });

  it('removes temporary files, and plain ones that are compressed already', async () => {
    writeFileSync(join(directory, '0.log.20261122-220000.tmp'), 'half');
    writeFileSync(join(directory, '0.log.20261122-210000'), 'plain');
    writeFileSync(join(directory, '0.log.20261122-210000.gz'), 'compressed');
    await rotate();
    expect(readdirSync(directory).toSorted()).toEqual([
      '0.log',
      '0.log.20261122-210000.gz',
      '0.log.20261122-230819',
    ]);
  });

  it('goes through the steps in the order of the kubelet, and can be left at any of them', async () => {
    await rotate();
    now += second;
    const steps: RotationStep[] = [];
    await rotate({ at: (step) => void steps.push(step) });
    expect(steps).toEqual(['cleaned', 'compressing', 'compressed', 'no_live_file', 'reopened']);
    now += second;
    await expect(rotate({ at: diesWhileCompressing })).rejects.toThrow('the kubelet is gone');
    expect(readdirSync(directory).toSorted()).toEqual([
      '0.log',
      '0.log.20261122-230819.gz',
      '0.log.20261122-230820',
      '0.log.20261122-230820.tmp',
    ]);
  });

  it('makes the new file of conmon under another name first', async () => {
    mkdirSync(join(directory, 'crio'));
    const crio = new ContainerLog(join(directory, 'crio', '0.log'), conmonFormat({ clock }));
    crio.print('old');
    await rotateAsKubelet(crio, { maxFiles: 5, clock });
    crio.print('new\n');
    crio.end();
    expect(readdirSync(join(directory, 'crio')).toSorted()).toEqual(['0.log', '0.log.20261122-230819']);
    expect(read('crio/0.log.20261122-230819')).toBe('2026-11-22T23:08:19.000000000+00:00 stdout P old\n');
    expect(read('crio/0.log')).toBe('2026-11-22T23:08:19.000000000+00:00 stdout F new\n');
  });

  it('makes files that their group may read and others not', () => {
    expect(statSync(path()).mode & 0o647).toBe(0o640);
  });
});
