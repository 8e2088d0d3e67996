// Checks the import directions of src/ (.dependency-cruiser.mjs) under the folder given, by default this one.
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { cruise } from 'dependency-cruiser';
import config from '../.dependency-cruiser.mjs';

const baseDir = resolve(process.argv[2] ?? '.');
const { output } = await cruise(['src'], { ...config.options, baseDir, validate: true, ruleSet: config });
if (typeof output === 'string') throw new Error(`Cannot check the imports: ${output}`);
const { modules, summary } = output;

for (const { from, to, rule } of summary.violations) {
  const { comment } = config.forbidden.find(({ name }) => name === rule.name) ?? {};
  console.error(`${from} → ${to}: ${rule.name}. ${comment ?? ''}`);
}

// A parser that fails to load reads nothing and finds nothing wrong: count what was looked at.
const ours = modules.filter(({ source }) => source.startsWith('src/'));
const imports = ours.flatMap(({ dependencies }) => dependencies);
const types = imports.filter(({ dependencyTypes }) => dependencyTypes.includes('type-only'));
const files = readdirSync(`${baseDir}/src`, { recursive: true }).filter((file) => file.endsWith('.ts'));
console.log(
  `${ours.length} modules of ${files.length} files, ${imports.length} imports, ${types.length} of types only`,
);
if (files.length === 0 || ours.length !== files.length || imports.length === 0 || types.length === 0) {
  throw new Error('Cannot trust this check: it did not read every file of src/, or found no import in any');
}
process.exitCode = summary.error > 0 ? 1 : 0;
