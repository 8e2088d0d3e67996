import { defineConfig } from 'vitest/config';

const ci = process.env['CI'] === 'true';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/build.ts', 'test/support/ensure-etcd.ts'],
    // Tests wait for conditions, on machines of two cores that are busy with other things too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // They wait half of the time: three keep a machine of two cores busy.
    maxWorkers: 3,
    allowOnly: !ci,
    passWithNoTests: false,
    unstubEnvs: true,
    reporters: [ci ? ['tree', { summary: false }] : 'default', './test/setup/skips.ts'],
  },
});
