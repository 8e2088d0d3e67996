import { indicesOf, isDataStream } from './search-index.ts';

/** How records are laid out: as they are, or by the field names of the Elastic Common Schema. */
export type SearchFields = 'record' | 'ecs';

const keyword = { type: 'keyword' };
/** What is longer is kept and shown, and not searched: Lucene takes no term of more than 32,766 bytes. */
const shortKeyword = { type: 'keyword', ignore_above: 1_024 };
const named = { properties: { name: shortKeyword } };

const ofRecords = {
  traceId: keyword,
  level: shortKeyword,
  severity: shortKeyword,
  message: { type: 'text' },
  msg: { type: 'text' },
  kubernetes: {
    properties: { namespace: shortKeyword, pod: shortKeyword, container: shortKeyword, node: shortKeyword },
  },
};

const ofEcs = {
  ecs: { properties: { version: shortKeyword } },
  trace: { properties: { id: keyword } },
  log: { properties: { level: shortKeyword } },
  message: { type: 'text' },
  service: named,
  host: named,
  kubernetes: { properties: { namespace: shortKeyword, pod: named, container: named, node: named } },
};

/**
 * The index template that the writers install. It maps what Frostbeat knows of every record; other members are kept
 * and shown and not searched (`dynamic: false`): where applications name their members as they like, every other
 * policy ends in records that are refused because two of them disagree on a type.
 */
export function indexTemplate(index: string, fields: SearchFields): object {
  const frostbeat = {
    id: keyword,
    unixNano: { type: 'long' },
    storedAt: { type: 'date' },
    // Kept as it is and never looked into.
    ...(fields === 'ecs' && { record: { type: 'object', enabled: false } }),
  };
  return {
    index_patterns: [indicesOf(index)],
    // Above the templates that come with a server (100 at most); people's own may go above it.
    priority: 150,
    version: 1,
    _meta: { description: 'Records of traces, written by Frostbeat' },
    ...(isDataStream(index) && { data_stream: {} }),
    template: {
      mappings: {
        dynamic: false,
        properties: {
          '@timestamp': { type: 'date_nanos' },
          ...(fields === 'ecs' ? ofEcs : ofRecords),
          frostbeat: { properties: frostbeat },
        },
      },
    },
  };
}
