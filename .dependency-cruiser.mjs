// Who may import whom. `.ci/directions.mjs` runs it and makes sure that it really looked.

/**
 * Folders of src/ and what each may import besides itself: values and types, or types alone.
 * Everyone but util may import util, and the types of config and ops: settings, metrics and the log are
 * made at the composition root and handed down.
 *
 * @type {Record<string, { any?: string[], types?: string[] }>}
 */
const directions = {
  util: {},
  ops: { any: ['util'] },
  config: { any: ['util'] },
  offsets: { any: ['util', 'ops'], types: ['config'] },
  pods: { any: ['util', 'ops'], types: ['config'] },
  tail: { any: ['util', 'offsets'], types: ['pods', 'ops', 'config'] },
  record: { any: ['util'], types: ['tail', 'offsets', 'ops', 'config'] },
  writers: { any: ['util'], types: ['record', 'ops', 'config'] },
  batch: { any: ['util'], types: ['record', 'offsets', 'ops', 'config'] },
  deliver: { any: ['util', 'batch', 'writers/log-writer.ts'], types: ['record', 'ops', 'config'] },
  // What authors of writers test them with.
  testing: { any: ['util', 'writers', 'config', 'ops'], types: ['record'] },
  trace: { any: ['util', 'writers'], types: ['record', 'config', 'ops'] },
  // What the agent is doing, gathered from its parts when somebody asks.
  status: {
    any: ['util', 'ops', 'offsets/ledger.ts'],
    types: ['config', 'offsets', 'pods', 'tail', 'record', 'deliver', 'watermark', 'canary'],
  },
  // Up to when all of the node is stored, and the telling of it.
  watermark: {
    any: ['util', 'ops', 'writers/log-writer.ts'],
    types: ['config', 'offsets', 'tail', 'writers'],
  },
  // Lines of the agent's own that try the whole path, read back as `frostbeat trace` reads.
  canary: {
    any: ['util', 'record', 'tail', 'trace'],
    types: ['config', 'ops', 'offsets'],
  },
  // What the tails of the agent are wired to.
  'agent-tails.ts': {
    any: ['record', 'tail'],
    types: ['config', 'ops', 'offsets', 'pods', 'status', 'watermark'],
  },
  'agent.ts': {
    any: [
      'agent-tails.ts',
      'canary',
      'util',
      'ops',
      'config',
      'offsets',
      'pods',
      'tail',
      'record',
      'writers',
      'batch',
      'deliver',
      'status',
      'watermark',
    ],
  },
  // `frostbeat replay`: the dead letters take the same way to the writers as the records of the agent.
  'replay.ts': { any: ['util', 'ops', 'config', 'writers', 'deliver'], types: ['record', 'offsets'] },
  // `frostbeat doctor`: what usually goes wrong on a node, one file a check.
  doctor: { any: ['util', 'ops', 'config', 'pods', 'tail', 'writers', 'trace'] },
  // `frostbeat explain`: why a pod's lines are seen, or not.
  explain: { any: ['util', 'ops', 'config', 'offsets', 'pods', 'tail/log-names.ts'] },
  // `frostbeat serve`: the page and the API over a reader of traces.
  serve: { any: ['util', 'trace'], types: ['config', 'ops'] },
  demo: { any: ['util', 'pods/log-path.ts'], types: ['pods'] },
  cli: {
    any: ['util', 'ops', 'config', 'trace', 'serve', 'demo', 'doctor', 'explain', 'agent.ts', 'replay.ts'],
    types: ['record'],
  },
  'main.ts': { any: ['util', 'ops', 'config', 'cli'] },
};

const within = (/** @type {string[]} */ parts) =>
  `^src/(${parts.map((part) => (part.includes('.') ? `${part.replace('.', '\\.')}$` : `${part}/`)).join('|')})`;

const rules = Object.entries(directions).flatMap(([folder, { any = [], types = [] }]) => {
  const from = { path: within([folder]) };
  const may = [folder, ...any];
  const rule = (/** @type {string} */ name, /** @type {string} */ comment, /** @type {object} */ to) => ({
    name,
    comment,
    severity: 'error',
    from,
    to,
  });
  return [
    rule(`${folder}-imports`, `${folder} may import ${[...any, ...types].join(', ') || 'nothing'}`, {
      path: '^src/',
      pathNot: within([...may, ...types]),
    }),
    ...(types.length === 0
      ? []
      : [
          rule(`${folder}-types`, `${folder} may import only the types of ${types.join(', ')}`, {
            path: within(types),
            pathNot: within(may),
            dependencyTypesNot: ['type-only'],
          }),
        ]),
  ];
});

export default {
  forbidden: [
    ...rules,
    {
      name: 'unknown-folder',
      comment: 'A new folder or file of src/ needs its line in .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^src/', pathNot: within(Object.keys(directions)) },
      to: {},
    },
    {
      name: 'unknown-folder-of-one',
      comment: 'A new folder or file of src/ needs its line in .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^src/', pathNot: within(Object.keys(directions)), orphan: true },
      to: {},
    },
    {
      name: 'cycle',
      comment: 'Modules that import each other cannot be understood, or loaded, one at a time.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'not-to-tests',
      comment: 'What runs in production may not need the tests.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|deploy|\\.ci)/' },
    },
    {
      name: 'not-to-dev-dependencies',
      comment: 'What runs in production needs a dependency of package.json that is no devDependency.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-peer'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'unresolvable',
      comment: 'The import names a module that is not there.',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // TypeScript 7 has no compiler API to parse with; swc reads type-only and dynamic imports too. It does not
    // see `import('x').T`, and takes only the first of two imports of one module: oxlint forbids both.
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: '^node_modules/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'require', 'types'],
    },
  },
};
