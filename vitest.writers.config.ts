import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** `npm run test:writers`: each writer against its real server, which it fetches; three servers at a time. */
const config = mergeConfig(base, defineConfig({ test: { maxWorkers: 3, hookTimeout: 600_000 } }));
config.test.include = ['test/servers/*.check.ts'];
export default config;
