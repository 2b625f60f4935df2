/** The workers of naive designs: a fixed fleet, or one that follows its CPU; each with connections of its own to the database. */
import { cpuMicroseconds, databasePerSecond, statements, workerStartMs } from './calibration.ts';

export interface NaiveWorkers {
  readonly ready: number;
  /** Attempts a second that they and the database can do, given how many are wanted. */
  attemptsPerSecond(wanted: number): number;
  /** What they did in this second, and what waits. */
  worked(attempts: number, backlog: number, nowMs: number): void;
  readonly isDatabaseOverloaded: boolean;
  readonly statementsPerSecond: number;
}

const perWorkerFull = 1e6 / cpuMicroseconds.jobPerRecipient;

/** As many as it takes, and a database that keeps up: such a design is not to fail for want of machines. */
export class EnoughWorkers implements NaiveWorkers {
  readonly ready: number;
  readonly isDatabaseOverloaded = false;
  statementsPerSecond = 0;

  constructor(peakPerSecond: number) {
    this.ready = Math.ceil((1.2 * peakPerSecond) / perWorkerFull);
  }

  attemptsPerSecond(wanted: number): number {
    return Math.min(wanted, this.ready * perWorkerFull);
  }

  worked(attempts: number): void {
    this.statementsPerSecond = attempts * statements.perNaiveAttempt;
  }
}

/** Kubernetes' defaults for a target of 70 %: a look every 15 s, twice as many or four more at a time, fewer after five quiet minutes. */
const targetPart = 0.7;
const tolerance = 0.1;
const lookEveryMs = 15_000;
const quietMs = 300_000;
const fewest = 20;
/** Assumptions: the maximum that was set, and a pool of 20 connections in each. */
const most = 400;
export const connectionsPerWorker = 20;
/** Assumption: as published, people add workers when much has waited for long: twice as many every ten minutes, taken back after an hour, and once only. */
const panic = { backlogOfPeakSeconds: 300, afterMs: 900_000, doubleEveryMs: 600_000, forMs: 3_600_000 };
/** Where the database is at its best. */
export const bestConcurrency = 400;

export class CpuScaledWorkers implements NaiveWorkers {
  ready = fewest;
  isDatabaseOverloaded = false;
  statementsPerSecond = 0;
  readonly #starting: number[] = [];
  #wishes: { readonly atMs: number; readonly workers: number }[] = [];
  #attempts = 0;
  readonly #alarmingBacklog: number;
  #lateSinceMs: number | undefined;
  #panicSinceMs: number | undefined;

  /** Without an alarm nobody adds workers by hand. */
  constructor(alarm: 'none' | { readonly peakPerSecond: number }) {
    this.#alarmingBacklog =
      alarm === 'none' ? Number.POSITIVE_INFINITY : alarm.peakPerSecond * panic.backlogOfPeakSeconds;
  }

  /**
   * As long as statements end as fast as they come few are under way. Once more come than the database does, all connections are in use at once, and that many
   * at once are slower than few: it stays so until less is asked for than it does then.
   */
  attemptsPerSecond(wanted: number): number {
    const connections = this.ready * connectionsPerWorker;
    const asked = Math.min(wanted, this.ready * perWorkerFull) * statements.perNaiveAttempt;
    const crowded = databasePerSecond(connections);
    const best = databasePerSecond(Math.min(connections, bestConcurrency));
    this.isDatabaseOverloaded = asked > (this.isDatabaseOverloaded ? crowded : best);
    return (this.isDatabaseOverloaded ? crowded : asked) / statements.perNaiveAttempt;
  }

  worked(attempts: number, backlog: number, nowMs: number): void {
    this.statementsPerSecond = attempts * statements.perNaiveAttempt;
    this.#attempts += attempts;
    this.#watch(backlog, nowMs);
    while (this.#starting[0] !== undefined && this.#starting[0] <= nowMs) {
      this.#starting.shift();
      this.ready++;
    }
    if (nowMs % lookEveryMs === 0) this.#look(nowMs);
  }

  #look(nowMs: number): void {
    const usedPart = this.#attempts / (lookEveryMs / 1_000) / (this.ready * perWorkerFull);
    this.#attempts = 0;
    const ratio = usedPart / targetPart;
    const wish = Math.abs(ratio - 1) <= tolerance ? this.ready : Math.ceil(this.ready * ratio);
    this.#wishes = [
      ...this.#wishes.filter(({ atMs }) => nowMs - atMs < quietMs),
      { atMs: nowMs, workers: wish },
    ];
    const highest = Math.max(...this.#wishes.map(({ workers }) => workers));
    const coming = this.ready + this.#starting.length;
    const followed = wish > coming ? wish : Math.min(coming, highest);
    const aim = Math.min(most, Math.max(fewest, this.#added(nowMs), followed));
    for (let n = coming; n < Math.min(aim, coming + Math.max(4, coming)); n++)
      this.#starting.push(nowMs + workerStartMs);
    if (aim < this.ready) this.ready = aim;
  }

  #watch(backlog: number, nowMs: number): void {
    if (backlog < this.#alarmingBacklog) this.#lateSinceMs = undefined;
    else this.#lateSinceMs ??= nowMs;
    const isLate = this.#lateSinceMs !== undefined && nowMs - this.#lateSinceMs >= panic.afterMs;
    if (isLate) this.#panicSinceMs ??= nowMs;
  }

  #added(nowMs: number): number {
    if (this.#panicSinceMs === undefined || nowMs - this.#panicSinceMs >= panic.forMs) return 0;
    return fewest * 2 ** (1 + Math.ceil((nowMs - this.#panicSinceMs) / panic.doubleEveryMs));
  }
}
