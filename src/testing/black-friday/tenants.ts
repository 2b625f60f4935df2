/** 150,000 tenants by size, and in which cell each lives. Pure, and the same each time. */
import { publishedDay, tenantSizes } from './published-day.ts';

export interface Tenant {
  /** 1 is the largest. */
  readonly rank: number;
  /** Messages of the day. */
  readonly messages: number;
}

export function makeTenants(): readonly Tenant[] {
  const weights = Array.from(
    { length: publishedDay.tenants },
    (_, i) => (i + 1 + tenantSizes.offset) ** -tenantSizes.exponent,
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight, i) => ({
    rank: i + 1,
    messages: Math.round((publishedDay.messages * weight) / sum),
  }));
}

/** Each tenant, largest first, to the cell with the least: the cells of a platform that places tenants by size. Answers the first cell, which has the largest. */
export function tenantsOfFirstCell(tenants: readonly Tenant[], cells: number): readonly Tenant[] {
  const loads = new Float64Array(cells);
  const ofFirst: Tenant[] = [];
  for (const tenant of tenants) {
    let least = 0;
    for (let cell = 1; cell < cells; cell++)
      if ((loads[cell] as number) < (loads[least] as number)) least = cell;
    loads[least] = (loads[least] as number) + tenant.messages;
    if (least === 0) ofFirst.push(tenant);
  }
  return ofFirst;
}
