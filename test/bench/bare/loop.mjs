// What the bare loops of the writers share. Arguments of each: a JSON object with `records`, `size` (records a request),
// `inFlight`, `values` (a file of records, one a line, written again and again) and the server's address.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** @type {{ records: number, size: number, inFlight: number, values: string, [more: string]: string | number }} */
export const options = JSON.parse(process.argv[2]);

/** The records, without their line feeds. */
export const values = readFileSync(options.values, 'latin1').trimEnd().split('\n');

/** Identities as the agent's: of records of so many files, each with its offset. */
const FILES = 8;
const LINE_BYTES = 500;
const fileIds = Array.from({ length: FILES }, (_, file) =>
  createHash('sha256').update(`${file}`).digest('hex').slice(0, 16),
);

/** The identity of a record. */
export function idOf(index) {
  const offset = Math.floor(index / FILES) * LINE_BYTES;
  return `${fileIds[index % FILES]}-${offset.toString(16).padStart(12, '0')}`;
}

/** Calls `write(first, end)` for all records, so many calls at once. */
export async function writeAll(write) {
  let next = 0;
  const lane = async () => {
    while (next < options.records) {
      const first = next;
      next += options.size;
      await write(first, Math.min(options.records, first + options.size));
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, lane));
}
