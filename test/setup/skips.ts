import type { Reporter, TestModule } from 'vitest/node';

/** Says loudly which tests did not run; in CI (CI=true) such a run has failed. */
export default class Skips implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    // A run of chosen tests (`-t`) skips the others on purpose.
    if (process.argv.some((argument) => /^(-t|--testNamePattern)/.test(argument))) return;
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    if (skipped.length === 0) return;

    const names = skipped.map((test) => {
      const result = test.result();
      const note = result.state === 'skipped' ? result.note : undefined;
      return `  ${test.module.relativeModuleId} > ${test.fullName}${note === undefined ? '' : `: ${note}`}`;
    });
    process.stderr.write(`\n${skipped.length} TESTS DID NOT RUN\n${names.join('\n')}\n`);
    if (process.env['CI'] === 'true') {
      process.stderr.write('In CI every test has to run: this run has failed.\n');
      process.exitCode = 1;
    }
  }
}
