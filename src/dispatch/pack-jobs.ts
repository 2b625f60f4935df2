/** Packs grants of one destination and class into jobs: of up to 500 messages, and of a small window's destination no more than a piece of it. Pure. */
import { deliveryClassName } from '../ledger/states.ts';
import type { GrantJob } from '../queues/jobs.ts';
import { groupKey } from './demand.ts';
import type { Pieces } from './pieces.ts';
import type { PlannedGrant } from './plan-grants.ts';

export function packJobs(
  grants: readonly PlannedGrant[],
  transportOf: ReadonlyMap<number, number>,
  pieces: Pieces,
): readonly GrantJob[] {
  const open = new Map<string, { messages: number; grants: PlannedGrant[] }>();
  const packed: PlannedGrant[][] = [];
  for (const planned of grants) {
    const key = groupKey(planned.lane);
    const job = open.get(key);
    if (job && job.messages + planned.grant.n <= pieces(planned.lane.destinationId)) {
      job.grants.push(planned);
      job.messages += planned.grant.n;
      continue;
    }
    const started = { messages: planned.grant.n, grants: [planned] };
    open.set(key, started);
    packed.push(started.grants);
  }
  return packed.map((members) => toJob(members, transportOf));
}

function toJob(members: readonly PlannedGrant[], transportOf: ReadonlyMap<number, number>): GrantJob {
  const { lane } = members[0] as PlannedGrant;
  return {
    class: deliveryClassName(lane.class),
    destinationId: lane.destinationId,
    transportId: transportOf.get(lane.destinationId) as number,
    grants: members.map(({ grant, traceparent }) => (traceparent ? { ...grant, traceparent } : grant)),
  };
}
