import { expect, it } from 'vitest';
import { openSearchAdmin, startOpenSearch } from '../support/servers/opensearch.ts';
import { directoryNode } from './agent-run.ts';
import { searchSuite } from './search-suite.ts';
import { delivers, tells, traceLines } from './suite.ts';

searchSuite('opensearch', () => startOpenSearch());

it('a wrong password and a missing privilege are told at the start, and nothing is lost until they are mended', async () => {
  await using server = await startOpenSearch({ security: true });
  const { username, password } = openSearchAdmin;
  const manage = async (path: string, body: object): Promise<void> => {
    const response = await fetch(`${server.url}/_plugins/_security/api/${path}`, {
      method: 'PUT',
      headers: {
        authorization: `Basic ${btoa(`${username}:${password}`)}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });
    expect(response.ok, await response.text()).toBe(true);
  };
  const shipper = { OPENSEARCH_USERNAME: 'shipper', OPENSEARCH_PASSWORD: 'Correct-horse-9' };
  await manage('internalusers/shipper', { password: shipper.OPENSEARCH_PASSWORD });
  const base = { WRITERS: 'opensearch', OPENSEARCH_SERVERS: server.url };
  const node = directoryNode({ ...base, ...shipper });
  node.write(3, 'secured');
  const refused = /refuses the user, the password or the API key \(401\): check OPENSEARCH_USERNAME/;
  await tells(node, { OPENSEARCH_PASSWORD: 'no' }, refused);
  await tells(node, { OPENSEARCH_USERNAME: '', OPENSEARCH_PASSWORD: '' }, refused);
  await tells(
    node,
    {},
    /a privilege is missing: security_exception: no permissions for \[indices:admin\/create\]/,
  );

  // What docs/writers.md says.
  await manage('roles/shipper', {
    cluster_permissions: ['cluster_composite_ops', 'cluster_manage_index_templates'],
    index_permissions: [{ index_patterns: ['frostbeat-*'], allowed_actions: ['index', 'create_index'] }],
  });
  await manage('rolesmapping/shipper', { users: [shipper.OPENSEARCH_USERNAME] });
  await delivers(node, 3);
  const reader = { OPENSEARCH_USERNAME: 'reader', OPENSEARCH_PASSWORD: 'Correct-horse-10' };
  await manage('internalusers/reader', { password: reader.OPENSEARCH_PASSWORD });
  await manage('roles/reader', {
    index_permissions: [
      { index_patterns: ['frostbeat-*'], allowed_actions: ['read', 'indices:admin/refresh*'] },
    ],
  });
  await manage('rolesmapping/reader', { users: [reader.OPENSEARCH_USERNAME] });
  expect(await traceLines(['secured'], { ...base, ...reader })).toHaveLength(3);
}, 240_000);
