import { expect, test } from 'vitest';
import { configSchema } from '../src/config.ts';
import { insertConfigTable, listGeneratedFiles, renderConfigTable } from './generated-docs.ts';

test('the documentation that is made from code is up to date (else: npm run docs)', async () => {
  for (const { path, actual, expected } of await listGeneratedFiles(process.cwd())) {
    expect(actual, `${path} is stale: npm run docs`).toBe(expected);
  }
});

test('the table has a row for every variable, with its default and its range', () => {
  const table = renderConfigTable();
  for (const name of Object.keys(configSchema.shape)) expect(table).toContain(`| \`${name}\` |`);
  expect(table).toContain('| `DATABASE_URL` | required | MySQL 8');
  expect(table).toContain('| `ADMIN_TOKEN` | none |');
  expect(table).toMatch(/\| `HTTP_PORT` \| `8080` \| .* \(0 to 65535\) \|/);
});

test('only what is between the markers changes, and a page without them is refused', () => {
  const page = 'before\n<!-- config:start -->\nold\n<!-- config:end -->\nafter\n';
  const written = insertConfigTable(page);
  expect(written).toBe(`before\n<!-- config:start -->\n${renderConfigTable()}<!-- config:end -->\nafter\n`);
  expect(insertConfigTable(written)).toBe(written);
  expect(() => insertConfigTable('# Sluice')).toThrow(
    'docs/configuration.md needs a line <!-- config:start -->',
  );
});
