import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** `npm run test:apiserver`: against a real API server, which takes too long to build for every run of the tests. */
const config = mergeConfig(base, defineConfig({ test: { fileParallelism: false } }));
config.test.include = ['test/apiserver/*.check.ts'];
export default config;
