// Builds the tools that tests need and no package has, so that building them takes no time of the tests'.
import { findActionlint } from '../test/support/actionlint.ts';
import { findHelm } from '../test/support/helm.ts';

console.log(await findHelm());
console.log(await findActionlint());
