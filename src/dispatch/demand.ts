/** What a dispatch pass decides about, and what it decides: the words of the policy. */

export interface Lane {
  readonly tenantId: number;
  readonly destinationId: number;
  readonly class: number;
}

export interface DueLane extends Lane {
  /** 100 is usual; twice that is twice the share. */
  readonly weight: number;
  /** Messages that could go now, as far as was looked. Undefined: not looked at, so it gets none but keeps its place. */
  readonly waiting?: number | undefined;
  /** Most messages its tenant may have outstanding at all destinations together. Undefined: no limit of its own. */
  readonly mostOutstanding?: number | undefined;
}

/** Messages dispatched and not yet settled. */
export interface Outstanding {
  /** Transactional, flow, campaign. */
  readonly byClass: readonly [number, number, number];
  readonly byTenant: ReadonlyMap<number, number>;
}

export interface DestinationState {
  readonly destinationId: number;
  /** Most messages of it that may be outstanding; 0: closed. */
  readonly windowMessages: number;
  /** What is left of the day's quota, and not passed for anybody. Undefined: it has none. */
  readonly quotaMessages?: number | undefined;
  /** The fleet has a limit of connections to it: each worker has some of them only. */
  readonly sharesConnections?: boolean | undefined;
  readonly outstanding: Outstanding;
}

export interface DestinationDemand extends DestinationState {
  /** Lanes with work that is due, each once. */
  readonly lanes: readonly DueLane[];
}

export interface Share {
  readonly lane: Lane;
  readonly messages: number;
}

/** Names a destination's class. */
export function groupKey(lane: Pick<Lane, 'destinationId' | 'class'>): string {
  return `${lane.destinationId}-${lane.class}`;
}

export function laneKey(lane: Lane): string {
  return `${groupKey(lane)}-${lane.tenantId}`;
}
