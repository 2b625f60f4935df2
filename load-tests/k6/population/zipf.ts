/** Tenants by size: a few send most of it. */
import { tenantSizes } from '../../../src/testing/black-friday/published-day.ts';

/**
 * Messages by tenant, largest first. The exponent is that of the simulated day; its offset belongs to 150,000 tenants and would make those of a laptop all alike:
 * of 60 without it, the largest has a third of all messages.
 */
export function zipfSizes(tenants: number, messages: number): number[] {
  const weights = Array.from({ length: tenants }, (_, i) => (i + 1) ** -tenantSizes.exponent);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.max(1, Math.round((messages * weight) / sum)));
}
