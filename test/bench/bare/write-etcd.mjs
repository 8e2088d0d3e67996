// The bare loop for etcd: etcd3 transactions of so many puts, so many in flight, keys and values as large as the
// agent's, under leases that were granted before. Nothing is read, parsed, retried or remembered.
// Arguments: <server> <records> <puts a transaction> <in flight> <bytes of a key> <bytes of a value>
import { Etcd3 } from 'etcd3';

const [server, ...numbers] = process.argv.slice(2);
const [records, size, inFlight, keyBytes, valueBytes] = numbers.map(Number);
const client = new Etcd3({ hosts: server });
const grants = Math.ceil(records / 1_000);
const leases = [];
for (let i = 0; i < grants; i++) leases.push((await client.leaseClient.leaseGrant({ TTL: 176_262 })).ID);
const value = Buffer.alloc(valueBytes, 'x');

let next = 0;
async function write() {
  while (next < records) {
    const first = next;
    next += size;
    const success = [];
    for (let i = first; i < Math.min(records, first + size); i++) {
      const key = Buffer.from(`logs/${String(i).padStart(keyBytes - 5, '0')}`);
      success.push({ request_put: { key, value, lease: leases[Math.floor(i / 1_000)] } });
    }
    await client.kv.txn({ compare: [], success, failure: [] }, { deadline: Date.now() + 5_000 });
  }
}
await Promise.all(Array.from({ length: inFlight }, write));
client.close();
