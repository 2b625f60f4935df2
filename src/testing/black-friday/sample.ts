/** One minute of a cell. */
export interface Sample {
  readonly atMs: number;
  /** Messages of campaigns that are due and were not handed over yet. */
  readonly backlog: number;
  /** Deferred until later. */
  readonly retries: number;
  readonly sentPerSecond: number;
  readonly sentByProvider: readonly number[];
  readonly backlogByProvider: readonly number[];
  readonly sendWorkers: number;
  readonly renderWorkers: number;
  readonly redisBytes: number;
  readonly statementsPerSecond: number;
}
