// Starts an etcd, says its process id, and dies without a chance to clean up.
import { startEtcd } from './etcd.ts';

const etcd = await startEtcd();
process.stdout.write(String(etcd.pid), () => process.kill(process.pid, 'SIGKILL'));
