// Builds the tools that tests need and no package has, so that building them takes no time of the tests'.
import { findActionlint } from '../test/support/actionlint.ts';
import { findHelm } from '../test/support/helm.ts';
import { findGcsServer } from '../test/support/servers/gcs.ts';
import { findS3Server } from '../test/support/servers/s3.ts';

console.log(await findHelm());
console.log(await findActionlint());
console.log(await findS3Server());
console.log(await findGcsServer());
