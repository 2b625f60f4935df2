/** Whose rows a statement can touch: those of one tenant that it names, those of all tenants of the cell, or none of a tenant's. */
import { repeated } from './flatten.ts';
import type { Statement } from './read-statements.ts';

export type Scope = 'one tenant' | 'all tenants' | 'none';

interface TableUse {
  readonly table: string;
  readonly alias: string;
}

const use = /\b(?:FROM|JOIN|INTO|(?<!KEY )UPDATE|STRAIGHT_JOIN)\s+([a-z]\w*)(?:\s+([a-z]\w*))?/g;

export function tablesOf(text: string): readonly TableUse[] {
  return [...text.matchAll(use)].map(([, table = '', alias]) => ({ table, alias: alias ?? table }));
}

/**
 * One tenant only where the text says so: the tenant is compared with a value, or is a column of what is inserted. What is said once for
 * each of many keys may be another tenant's each time, so it proves nothing.
 */
export function scopeOf({ text }: Statement, tenantTables: ReadonlySet<string>): Scope {
  const uses = tablesOf(text).filter(({ table }) => tenantTables.has(table));
  if (uses.length === 0) return 'none';
  const once = text.replaceAll(repeated, '');
  const tenants = uses.find(({ table }) => table === 'tenants');
  const isOne = namesTenant.test(once) || (tenants && namesTenantRow(once, tenants.alias));
  return isOne ? 'one tenant' : 'all tenants';
}

const namesTenant = /tenant_id (=|<=>) \?|INSERT( IGNORE)? INTO \w+ \((id, )?tenant_id\b/;

function namesTenantRow(text: string, alias: string): boolean {
  const column = alias === 'tenants' ? 'id' : `${alias}\\.id`;
  return new RegExp(`INSERT INTO tenants|WHERE ${column} = \\?`).test(text);
}

/** Tables of tenants that are joined without saying that both rows are of the same tenant: none may be. */
export function looseJoins({ text }: Statement, tenantTables: ReadonlySet<string>): readonly string[] {
  const joined = [...text.matchAll(/\bJOIN ([a-z_]+) (\w+)/g)].filter(([, table = '']) =>
    tenantTables.has(table),
  );
  return joined.filter(([, , alias = '']) => !isBound(text, alias)).map(([, table = '']) => table);
}

function isBound(text: string, alias: string): boolean {
  return new RegExp(`\\b${alias}\\.(tenant_id|id) = |= ${alias}\\.(tenant_id|id)`).test(text);
}
