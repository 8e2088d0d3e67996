import { findGoProgram } from './go-program.ts';

/** Finds `actionlint`, the linter of GitHub's workflows. @throws where there is none and none can be built. */
export async function findActionlint(): Promise<string> {
  return await findGoProgram({
    name: 'actionlint',
    package: 'github.com/rhysd/actionlint/cmd/actionlint',
    version: 'v1.7.12',
    variable: 'ACTIONLINT_BIN',
    probe: ['-version'],
  });
}
