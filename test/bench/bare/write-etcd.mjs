// The bare loop for etcd: etcd3 transactions of so many puts, so many in flight, under leases that were granted
// before. Keys and values are those that the agent writes, made before. Nothing is read, retried or remembered.
// Arguments: <server> <records> <files> <puts a transaction> <in flight> <file of records, one a line>
import { readFileSync } from 'node:fs';
import { Etcd3 } from 'etcd3';

/** Lines of one file that the agent reads before it goes on to the next. */
const TURN = 512;

const [server, ...rest] = process.argv.slice(2);
const [records, files, size, inFlight] = rest.slice(0, 4).map(Number);
const values = readFileSync(rest[4], 'latin1')
  .trimEnd()
  .split('\n')
  .map((value) => Buffer.from(value, 'latin1'));
const places = values.map((value) => {
  const { traceId, time } = JSON.parse(value);
  const nano = `${Date.parse(`${time.slice(0, 19)}Z`) / 1_000}${time.slice(20, 29)}`;
  return `logs/${traceId}/${nano}/`;
});
// What the server's index does with a key depends on those beside it: so they come in the agent's order.
const keys = [];
const lines = [];
for (let first = 0; first < records / files; first += TURN) {
  for (let file = 0; file < files; file++) {
    for (let line = first; line < Math.min(first + TURN, records / files); line++) {
      const id = `${String(file).repeat(16)}-${(line * 500).toString(16).padStart(12, '0')}`;
      keys.push(`${places[line % places.length]}${id}`);
      lines.push(line % places.length);
    }
  }
}

const client = new Etcd3({ hosts: server });
const grants = Math.ceil(records / 1_000);
const leases = [];
for (let i = 0; i < grants; i++) leases.push((await client.leaseClient.leaseGrant({ TTL: 176_262 })).ID);

let next = 0;
async function write() {
  while (next < records) {
    const first = next;
    next += size;
    const success = [];
    for (let i = first; i < Math.min(records, first + size); i++) {
      const put = {
        key: Buffer.from(keys[i]),
        value: values[lines[i]],
        lease: leases[Math.floor(i / 1_000)],
      };
      success.push({ request_put: put });
    }
    await client.kv.txn({ compare: [], success, failure: [] }, { deadline: Date.now() + 5_000 });
  }
}
await Promise.all(Array.from({ length: inFlight }, write));
client.close();
