// Compiles the API server of test/apiserver where there is none, and says where it is. One at a time: see .ci/run.
import { findKubeApiserver } from '../test/apiserver/build-apiserver.ts';

console.log(`The API server is ${await findKubeApiserver()}`);
