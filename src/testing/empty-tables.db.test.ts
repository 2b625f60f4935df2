import { expect, test } from 'vitest';
import { emptyTables } from './empty-tables.ts';
import { createTestDatabase } from './test-database.ts';

test('empties all tables but those to be kept, and leaves the schema as it is', async () => {
  const { db, drop } = await createTestDatabase();
  await db.write("INSERT INTO tenants (id, name, created_at) VALUES (1, 'x', NOW(3))");
  await db.write("INSERT INTO leases (name, owner, epoch, until) VALUES ('x', 'me', 1, NOW(3))");
  const counts = () =>
    db.first(
      `SELECT (SELECT COUNT(*) FROM tenants) AS tenants, (SELECT COUNT(*) FROM leases) AS leases,
         (SELECT COUNT(*) FROM migrations) > 0 AS isMigrated`,
    );
  await emptyTables(db, ['leases']);
  expect(await counts()).toEqual({ tenants: 0, leases: 1, isMigrated: 1 });
  await emptyTables(db);
  expect(await counts()).toEqual({ tenants: 0, leases: 0, isMigrated: 1 });
  await drop();
});
