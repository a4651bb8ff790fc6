import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: [
        'ml/**',
        'trainer/**',
        'jobs/**',
        'registry/**',
        'platform/**',
        'gateway/**',
        'schema/**',
        'subgraphs/**',
      ],
      reporter: ['text-summary', 'json-summary'],
    },
  },
})
