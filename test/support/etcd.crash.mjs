// Starts an etcd, says its process id and directory, and dies without a chance to clean up.
import { startEtcd } from './etcd.ts';

const etcd = await startEtcd();
process.stdout.write(JSON.stringify([etcd.pid, etcd.directory]), () => process.kill(process.pid, 'SIGKILL'));
