import { defineConfig } from 'vitest/config';

const exclude = ['**/node_modules/**', 'dist/**', '.sluice/**'];
const globalSetup = ['./scripts/require-services.mjs'];

/** Three suites, told apart by the file's name. They run one after the other (groupOrder). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.{ts,mjs}'],
          exclude: [...exclude, '**/*.{db,e2e}.test.ts'],
          // Pure tests share nothing that could leak: without isolation they take two thirds of the time.
          isolate: false,
          // For what hangs; a busy machine is not a failure.
          testTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'db',
          include: ['**/*.db.test.ts'],
          exclude,
          globalSetup,
          testTimeout: 20_000,
          hookTimeout: 30_000,
          // They wait for the database more than they compute.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['**/*.e2e.test.ts'],
          exclude,
          globalSetup,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each starts a whole pipeline of processes.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
