/** Vitest's global set-up of the suites that need servers: they fail without them, they are never skipped. */
export function setup() {
  if (process.env.DATABASE_URL && process.env.REDIS_URL) return;
  throw new Error(
    'This suite needs MySQL and Redis: run it with `npm test -- PATH`, or set DATABASE_URL and REDIS_URL (`npm run services` prints them)',
  );
}
