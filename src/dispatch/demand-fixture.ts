/** Demands and plans in a few words: for tests of the policy. */
import type { DestinationDemand, DueLane, Outstanding } from './demand.ts';
import type { DispatchPlan } from './dispatch-policy.ts';

export const transactional = 0;
export const flow = 1;
export const campaign = 2;

export function laneOf(tenantId: number, changes: Partial<DueLane> = {}): DueLane {
  return { tenantId, destinationId: 1, class: campaign, weight: 100, waiting: 1_000_000, ...changes };
}

export function outstandingOf(
  byClass: readonly [number, number, number],
  byTenant: Readonly<Record<number, number>> = {},
): Outstanding {
  return {
    byClass,
    byTenant: new Map(Object.entries(byTenant).map(([tenantId, n]) => [Number(tenantId), n])),
  };
}

export function demandOf(
  lanes: readonly DueLane[],
  changes: Partial<DestinationDemand> = {},
): DestinationDemand {
  return {
    destinationId: 1,
    windowMessages: 8_000,
    outstanding: outstandingOf([0, 0, 0]),
    lanes,
    ...changes,
  };
}

/** By tenant and class, in the order of the shares. */
export function given({ shares }: DispatchPlan): readonly (readonly [number, number, number])[] {
  return shares.map(({ lane, messages }) => [lane.tenantId, lane.class, messages]);
}

export function totalOf(plan: DispatchPlan, destinationId?: number): number {
  const mine = plan.shares.filter(
    ({ lane }) => destinationId === undefined || lane.destinationId === destinationId,
  );
  return mine.reduce((sum, { messages }) => sum + messages, 0);
}

export function numbersTo(n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}
