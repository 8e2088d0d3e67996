import { styleText } from 'node:util';
import type { Config } from '../config/config.ts';
import { examine } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { inert } from '../util/inert.ts';
import type { Context } from './context.ts';

export interface DoctorRequest extends Pick<Context, 'stdout' | 'signal' | 'env'> {
  readonly output: 'text' | 'json';
  readonly config: Config;
}

/** `frostbeat doctor`: says what is found, each with what to do; 1 where something fails, else 0. */
export async function doctorCommand({ output, config, stdout, signal, env }: DoctorRequest): Promise<number> {
  const findings = await examine({ config, signal });
  const color = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  stdout.write(output === 'json' ? `${JSON.stringify({ findings }, null, 2)}\n` : asText(findings, color));
  return findings.some(({ status }) => status === 'fail') ? 1 : 0;
}

const words = { ok: 'ok  ', warn: 'warn', fail: 'FAIL', skip: '—   ' } as const;
const colors = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const;

function asText(findings: readonly Finding[], color: boolean): string {
  const wide = Math.max(...findings.map(({ what }) => what.length));
  const lines = findings.map(({ status, what, found, todo }) => {
    const word = color ? styleText(colors[status], words[status], { validateStream: false }) : words[status];
    const advice = todo === '' ? '' : `\n      → ${inert(todo)}`;
    return `${word}  ${inert(what).padEnd(wide)}  ${inert(found)}${advice}\n`;
  });
  const count = (status: Finding['status']) => findings.filter((one) => one.status === status).length;
  return `${lines.join('')}\n${summary(count('fail'), count('warn'), count('skip'))}\n`;
}

function summary(fails: number, warnings: number, skipped: number): string {
  const unknown = skipped === 0 ? '' : ` ${skipped} cannot be told from here (—).`;
  if (fails === 0 && warnings === 0) return `All is well.${unknown}`;
  const parts = [
    ...(fails === 0 ? [] : [`${fails} must be mended (FAIL)`]),
    ...(warnings === 0 ? [] : [`${warnings} deserve${warnings === 1 ? 's' : ''} a look (warn)`]),
  ];
  return `${parts.join(', ')}.${unknown}`;
}
