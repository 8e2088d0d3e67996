import { viewRecord } from './record-view.ts';
import type { StoredRecord } from './stored-record.ts';

export const csvHead = 'time,unix_nano,offset_ms,namespace,pod,container,level,message,stack,fields\n';

/** Records as lines of RFC 4180, with what a spreadsheet would take for a formula made text by an apostrophe. */
export class CsvTrace {
  #first: string | undefined;

  line({ unixNano, bytes }: StoredRecord): string {
    this.#first ??= unixNano;
    const { namespace, pod, container, level, message, stack, fields } = viewRecord(bytes.toString('utf8'));
    const offset = Number(BigInt(unixNano) - BigInt(this.#first)) / 1e6;
    const texts = [namespace, pod, container, level, message, stack].map(harmless);
    const cells = [
      timeOf(unixNano),
      unixNano,
      String(offset),
      ...texts,
      JSON.stringify(Object.fromEntries(fields)),
    ];
    return `${cells.map(cell).join(',')}\n`;
  }
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

/** RFC 3339 with all nine digits; empty beyond what a date can be. */
function timeOf(unixNano: string): string {
  const digits = unixNano.padStart(10, '0');
  const date = new Date(Number(digits.slice(0, -9)) * 1_000);
  return Number.isNaN(date.getTime()) ? '' : `${date.toISOString().slice(0, 19)}.${digits.slice(-9)}Z`;
}
