import type { Config } from '../config/config.ts';
import type { ObjectStore } from './object-store.ts';

/** Opens the bucket of a writer; it connects to nothing yet. Only its client is loaded. */
export async function selectObjectStore(name: 's3' | 'gcs', { s3, gcs }: Config): Promise<ObjectStore> {
  if (name === 's3') {
    const { S3Store } = await import('./s3-store.ts');
    return new S3Store(s3);
  }
  const { GcsStore } = await import('./gcs-store.ts');
  return new GcsStore(gcs);
}
