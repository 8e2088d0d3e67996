import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** `npm run test:writers`: each writer against its real server, which it fetches; one server at a time. */
const config = mergeConfig(base, defineConfig({ test: { fileParallelism: false, hookTimeout: 600_000 } }));
config.test.include = ['test/servers/*.check.ts'];
export default config;
