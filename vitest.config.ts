import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Node gives everybody graphql's index.js; Vite would give the tests index.mjs, and graphql refuses two copies of itself.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // V8 once crashed while it freed wrappers of WebAssembly imports in ending threads (jit_page.has_value); see cli/program.ts.
    execArgv: ['--wasm-wrapper-tiering-budget=2147483647'],
    retry: process.env.CI ? 1 : 0,
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
